"""Two questions about ended jobs that a studio's own role may ask, though it may not read their rows.

They run with the rights of whoever migrated. Counts and random names come back, never a prompt.
"""

from django.db import migrations

FORWARDS = """
CREATE FUNCTION generation_had(wanted text[])
RETURNS TABLE (asker bigint, circle varchar, jobs bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT job.asker, job.circle, count(*) FROM public.generation_job job
    WHERE job.circle = ANY(wanted) AND job.circle <> '' AND job.state IN ('running', 'done')
    GROUP BY job.asker, job.circle
$$;
CREATE FUNCTION generation_stored_lately() RETURNS SETOF text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
    SELECT file->>'name' FROM (
        SELECT request, result FROM public.generation_job
        WHERE state <> 'failed' ORDER BY id DESC LIMIT 20) job,
    LATERAL (
        SELECT jsonb_array_elements(CASE jsonb_typeof(job.request->'sources')
            WHEN 'array' THEN job.request->'sources' ELSE '[]' END)
        UNION ALL SELECT job.result->'file' WHERE jsonb_typeof(job.result->'file') = 'object'
    ) found (file)
$$;
REVOKE ALL ON FUNCTION generation_had(text[]), generation_stored_lately() FROM PUBLIC;
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0004_turns_switches_and_paces")]

    operations = [
        migrations.RunSQL(
            FORWARDS,
            "DROP FUNCTION generation_had(text[]); DROP FUNCTION generation_stored_lately()",
        )
    ]
