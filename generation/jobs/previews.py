"""Step numbers and preview frames while a job runs: one unlogged row per job, overwritten."""

from typing import LiteralString

from django.db import connection

from generation.jobs.posting import CHANNEL
from generation.jobs.publishing import Claim

#: Row and notice in one statement. Nothing is written for an attempt that may no longer speak, and
#: a step without a frame leaves the last frame standing. The lock makes the end of the job wait for
#: us, or us see it: a frame never outlives its job.
_SHOW: LiteralString = """
WITH alive AS (
    SELECT id, topic FROM generation_job
    WHERE id = %(job)s AND state = 'running' AND token = %(token)s
    FOR SHARE
), shown AS (
    INSERT INTO generation_preview (job_id, topic, step, total, stage, frame)
    SELECT id, topic, %(step)s, %(total)s, %(stage)s, %(frame)s FROM alive
    ON CONFLICT (job_id) DO UPDATE SET
        step = EXCLUDED.step, total = EXCLUDED.total, stage = EXCLUDED.stage,
        frame = CASE WHEN EXCLUDED.frame = '' THEN generation_preview.frame ELSE EXCLUDED.frame END
    RETURNING job_id, topic
)
SELECT pg_notify(%(channel)s,
    json_build_object('topic', topic, 'k', 'preview', 'id', job_id)::text)
FROM shown
"""


def show(held: Claim, step: int, total: int, stage: str, frame: bytes = b"") -> bool:
    """Overwrite the job's preview and tell browsers. False when the attempt is no longer ours.

    `frame` is a small JPEG of about 5 kB, at most 256 px on its longer side.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _SHOW,
            {
                "job": held.job_id,
                "token": held.token,
                "step": step,
                "total": total,
                "stage": stage[:60],
                "frame": frame,
                "channel": CHANNEL,
            },
        )
        return cursor.fetchone() is not None
