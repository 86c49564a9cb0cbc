"""How fast presets really are, learnt from every job that ends well: for honest times to wait. Light."""

from typing import LiteralString

from django.db import connection

from generation.models import Pace

#: So many jobs back the mean reaches.
MEMORY = 20

#: An expectation of nearly nothing, or a clock that was set, must not spoil the mean.
_LEARN: LiteralString = """
INSERT INTO generation_pace AS kept (preset, factor, seconds, jobs)
SELECT preset, least(100, greatest(0.01, took / greatest(seconds, 0.05))), took, 1
FROM (SELECT preset, seconds, greatest(0, extract(epoch FROM ended_at - started_at)) AS took
      FROM generation_job WHERE id = %(job)s AND task = 'edit') made
ON CONFLICT (preset) DO UPDATE SET
    factor = kept.factor + (EXCLUDED.factor - kept.factor) / least(kept.jobs + 1, %(memory)s),
    seconds = kept.seconds + (EXCLUDED.seconds - kept.seconds) / least(kept.jobs + 1, %(memory)s),
    jobs = kept.jobs + 1
"""


def learn(job_id: int) -> None:
    """Take the time of a finished edit into account."""
    with connection.cursor() as cursor:
        cursor.execute(_LEARN, {"job": job_id, "memory": MEMORY})


def factors() -> dict[str, float]:
    """Seconds taken by seconds expected, lately, of each preset that was ever run."""
    return dict(Pace.objects.values_list("preset", "factor"))
