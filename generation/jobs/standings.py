"""Where jobs stand: at which step, how many are before them, how long that takes. Light."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, LiteralString

from django.db import connection

from generation.jobs.turns import TURN
from generation.models import State

#: Seconds after which a silent worker no longer counts. Heartbeats come every 10 s.
SILENT_AFTER = 30

#: In SQL as it stands: every page with something forming asks it, and the ORM takes four times as
#: long to compile it as PostgreSQL to answer.
_STANDINGS: LiteralString = """
WITH alive AS MATERIALIZED (
    SELECT id, queues, about FROM generation_worker
    WHERE seen_at > now() - make_interval(secs => %(silent)s) AND NOT draining
)
SELECT job.id, job.state, job.reason, job.detail,
       preview.step, preview.total, preview.stage, length(preview.frame),
       ahead.jobs, job.seconds * coalesce(pace.factor, 1), ahead.seconds, underway.seconds,
       extract(epoch FROM now() - job.started_at), able.workers, able.hosts,
       coalesce(switch.paused, false)
FROM generation_job job
LEFT JOIN generation_preview preview ON preview.job_id = job.id
LEFT JOIN generation_pace pace ON pace.preset = job.preset
LEFT JOIN generation_switch switch ON 'edit:' || switch.preset = job.queue
LEFT JOIN LATERAL (
    SELECT count(DISTINCT alive.id) AS workers, sum(greatest(1, coalesce(
            (about->'at_once'->>job.queue)::int, (about->>'hosts')::int, 1)))
            FILTER (WHERE other = job.queue) AS hosts,
        array_agg(DISTINCT other) FILTER (WHERE other LIKE 'edit:%%') AS rivals
    FROM alive LEFT JOIN LATERAL jsonb_array_elements_text(alive.queues) other ON other = job.queue
        OR other LIKE 'edit:%%'
    WHERE job.state IN ('waiting', 'running') AND alive.queues @> to_jsonb(job.queue::text)
) able ON true
LEFT JOIN LATERAL (
    SELECT count(*) AS jobs, sum(other.seconds * coalesce(p.factor, 1)) AS seconds
    FROM generation_job other LEFT JOIN generation_pace p ON p.preset = other.preset
    WHERE job.state = 'waiting' AND other.state = 'waiting'
      AND (other.queue = job.queue OR other.queue = ANY(able.rivals))
      AND (other.priority > job.priority
           OR (other.priority = job.priority AND other.id < job.id))
      AND NOT EXISTS (SELECT 1 FROM generation_switch s
                      WHERE s.paused AND 'edit:' || s.preset = other.queue)) ahead ON true
LEFT JOIN LATERAL (
    SELECT sum(greatest(0, other.seconds * coalesce(p.factor, 1)
               - extract(epoch FROM now() - other.started_at))) AS seconds
    FROM generation_job other LEFT JOIN generation_pace p ON p.preset = other.preset
    WHERE job.state = 'waiting' AND other.state = 'running'
      AND (other.queue = job.queue OR other.queue = ANY(able.rivals))) underway ON true
WHERE job.id = ANY(%(jobs)s)
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a job stands, for a page: one row of `read`."""

    state: str
    #: Step reached and steps expected; 0 of 0 before the first.
    step: int = 0
    total: int = 0
    #: What the engine is at, a machine word such as "snow".
    stage: str = ""
    has_frame: bool = False
    #: Step of the newest frame, which makes its address new.
    frame_step: int = 0
    #: How many jobs will be taken before this one.
    before: int = 0
    reason: str = ""
    detail: str = ""
    #: Expected seconds until it is done, waiting included: by how long such jobs took lately, and by
    #: how many pictures are made at once.
    seconds: float = 0.0
    #: Workers alive that take such jobs; 0 is "impossible now".
    workers: int = 0
    #: An operator lets this preset's jobs wait.
    paused: bool = False


def read(job_ids: Iterable[int]) -> dict[int, Standing]:
    """Where these jobs stand, by id, in one query. Jobs that are not there are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDINGS, {"jobs": list(job_ids), "silent": SILENT_AFTER})
        return {row[0]: standing(*row[1:]) for row in cursor.fetchall()}


def standing(
    state: str,
    reason: str,
    detail: str,
    step: int | None,
    total: int | None,
    stage: str | None,
    frame_bytes: int | None,
    before: int | None,
    seconds: float,
    ahead: float | None,
    underway: float | None,
    elapsed: Any,
    workers: int | None,
    hosts: int | None,
    paused: bool,
) -> Standing:
    """A row of `read` as people need it."""
    if state == State.RUNNING:
        seconds = max(0.0, seconds - float(elapsed or 0))
    elif state == State.WAITING:
        seconds += (float(ahead or 0) + float(underway or 0)) / int(hosts or 1)
    else:
        seconds = 0.0
    return Standing(
        state=state,
        step=step or 0,
        total=total or 0,
        stage=stage or "",
        has_frame=bool(frame_bytes),
        frame_step=(step or 0) if frame_bytes else 0,
        before=before or 0,
        reason=reason if state == State.FAILED else "",
        detail=detail if state == State.FAILED else "",
        seconds=round(seconds, 2),
        workers=workers or 0,
        paused=paused and state == State.WAITING,
    )


#: A job that is not there yet: it would stand behind all who were served less recently and all of the
#: asker's own that wait.
_FORESEEN: LiteralString = """
WITH alive AS (
    SELECT greatest(1, coalesce((about->'at_once'->>('edit:' || %(preset)s::text))::int,
                                (about->>'hosts')::int, 1)) AS hosts
    FROM generation_worker WHERE seen_at > now() - make_interval(secs => %(silent)s)
      AND NOT draining AND queues @> to_jsonb('edit:' || %(preset)s::text)
), mine AS (
    SELECT -(count(*) * %(turn)s::bigint + coalesce(
        (SELECT served FROM generation_turn WHERE asker = %(asker)s::bigint), 0)) AS priority
    FROM generation_job WHERE state = 'waiting' AND asker = %(asker)s::bigint
      AND queue = 'edit:' || %(preset)s::text
), jobs AS (
    SELECT state, seconds * coalesce((SELECT factor FROM generation_pace p
                                      WHERE p.preset = job.preset), 1) AS seconds, started_at
    FROM generation_job job WHERE queue = 'edit:' || %(preset)s::text
      AND (state = 'running' OR state = 'waiting' AND priority >= (SELECT priority FROM mine))
)
SELECT (SELECT count(*) FROM jobs WHERE state = 'waiting'),
    coalesce((SELECT sum(CASE state WHEN 'waiting' THEN seconds ELSE greatest(
        0, seconds - extract(epoch FROM now() - started_at)) END) FROM jobs), 0),
    coalesce((SELECT factor FROM generation_pace WHERE preset = %(preset)s), 1),
    (SELECT count(*) FROM alive), coalesce((SELECT sum(hosts) FROM alive), 0),
    EXISTS (SELECT 1 FROM generation_switch WHERE preset = %(preset)s AND paused)
"""


def foresee(
    preset: str,
    seconds: float,
    *,
    asker: int | None = None,
    pictures: int = 1,
    at_once: int | None = None,
) -> Standing:
    """Where a job would stand if this person sent it now; `seconds` is what its plan expects.

    For several `pictures` sent together, until the last is done; `at_once` of one person's run at
    the same time, at most.
    """
    words = {"preset": preset, "asker": asker, "silent": SILENT_AFTER, "turn": TURN}
    with connection.cursor() as cursor:
        cursor.execute(_FORESEEN, words)
        before, ahead, factor, workers, hosts, paused = cursor.fetchone()
    beside = max(1, min(int(hosts), at_once or int(hosts)))
    own = seconds * factor * math.ceil(pictures / beside)
    return Standing(
        state=State.WAITING,
        before=before,
        seconds=round(own + float(ahead) / max(1, int(hosts)), 2),
        workers=workers,
        paused=paused,
    )
