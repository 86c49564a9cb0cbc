"""What must hold of reruns; `manage.py audit` prints what does not."""

from collections.abc import Iterator
from typing import LiteralString

from django.db import connection

_WAITING: LiteralString = """
SELECT rerun.id, rerun.job FROM forum_rerun rerun
LEFT JOIN generation_job job ON job.id = rerun.job
WHERE rerun.state = 'waiting' AND (job.id IS NULL OR job.ended_at < now() - interval '2 minutes')
"""


def check() -> Iterator[str]:
    """One sentence for each rerun that waits for a job which has long ended."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        for rerun, job in cursor.fetchall():
            yield f"rerun {rerun} waits since its job {job} ended"
