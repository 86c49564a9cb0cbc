"""What an operator wants to know of the studio, in numbers: queues, waits, failures. Never a prompt. Light."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, LiteralString

from django.db import connection, transaction
from django.db.models import Count, Max
from django.db.models.functions import Now

from generation.engines.sources import pins, unpinned
from generation.jobs import posting, turns
from generation.jobs.standings import SILENT_AFTER
from generation.jobs.switches import PresetState, preset_states
from generation.models import Job, State, Task, Worker

#: Waits and rates are those of the last so many seconds.
LATELY = 900
#: Failures are shown for a day.
FAILURES_FOR = timedelta(days=1)
#: At most as many jobs are let try again at once.
MOST = 200


@dataclass(frozen=True, slots=True)
class Lane:
    """A preset and its queue."""

    state: PresetState
    waiting: int = 0
    running: int = 0
    #: Age of the oldest waiting job, in seconds.
    oldest: float = 0.0
    #: Seconds from asking to beginning, of jobs that began lately: half and 95 of 100 waited less.
    wait_p50: float = 0.0
    wait_p95: float = 0.0
    #: Ended lately.
    done: int = 0
    failed: int = 0
    #: Seconds of one job on its machine, mean of those done lately.
    seconds: float = 0.0
    #: Workers at work that take from it.
    workers: int = 0

    @property
    def name(self) -> str:
        """The preset's."""
        return self.state.preset.name

    @property
    def unpinned(self) -> list[str]:
        """Hub ids among its weights that are held at no commit yet, so that no worker loads them."""
        return unpinned(self.state.preset)

    @property
    def pins(self) -> list[str]:
        """At what its weights are held: commits, or folders."""
        return pins(self.state.preset)

    @property
    def per_minute(self) -> float:
        """Pictures a minute, lately."""
        return round(self.done * 60 / LATELY, 2)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Jobs of one preset that failed for one reason in the last day."""

    preset: str
    reason: str
    jobs: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Machine:
    """A worker that has been heard of lately."""

    name: str
    queues: tuple[str, ...]
    about: dict[str, Any]
    started_at: datetime
    seen_at: datetime
    #: An operator asked it to take nothing more.
    draining: bool = False


#: One pass over what is open or ended lately; counts by preset.
_LANES: LiteralString = """
SELECT preset,
    count(*) FILTER (WHERE state = 'waiting'), count(*) FILTER (WHERE state = 'running'),
    greatest(0, extract(epoch FROM now() - min(created_at) FILTER (WHERE state = 'waiting'))),
    coalesce(percentile_cont(0.5) WITHIN GROUP (ORDER BY 
        greatest(0, extract(epoch FROM started_at - created_at)))
        FILTER (WHERE started_at > now() - make_interval(secs => %(lately)s)), 0),
    coalesce(percentile_cont(0.95) WITHIN GROUP (ORDER BY 
        greatest(0, extract(epoch FROM started_at - created_at)))
        FILTER (WHERE started_at > now() - make_interval(secs => %(lately)s)), 0),
    count(*) FILTER (WHERE state = 'done' AND ended_at > now() - make_interval(secs => %(lately)s)),
    count(*) FILTER (WHERE state = 'failed' AND ended_at > now() - make_interval(secs => %(lately)s)),
    coalesce(avg(extract(epoch FROM ended_at - started_at)) FILTER (
        WHERE state = 'done' AND ended_at > now() - make_interval(secs => %(lately)s)), 0)
FROM generation_job
WHERE queue LIKE 'edit:%%' AND (state IN ('waiting', 'running')
    OR ended_at > now() - make_interval(secs => %(lately)s))
GROUP BY preset
"""


def lanes() -> list[Lane]:
    """Every preset with its queue, in the order of the preset files. Three queries."""
    with connection.cursor() as cursor:
        cursor.execute(_LANES, {"lately": LATELY})
        counted = {row[0]: row[1:] for row in cursor.fetchall()}
    able = [each.queues for each in workers() if not each.draining]
    found = []
    for name, state in preset_states().items():
        waiting, running, *rest = counted.get(name, (0,) * 8)
        oldest, p50, p95, done, failed, seconds = rest
        found.append(
            Lane(
                state, waiting, running, float(oldest), float(p50), float(p95), done, failed,
                float(seconds), sum(f"edit:{name}" in queues for queues in able),
            )
        )  # fmt: skip
    return found


def troubles() -> list[Trouble]:
    """What failed in the last day, by preset and reason, the newest first."""
    rows = Job.objects.filter(state=State.FAILED, ended_at__gt=Now() - FAILURES_FOR)
    grouped = rows.values_list("preset", "reason").annotate(many=Count("pk"), last=Max("ended_at"))
    return [Trouble(*row) for row in grouped.order_by("-last")]


def failed_jobs(preset: str, reason: str) -> list[int]:
    """The newest jobs that failed so in the last day, for letting them try again."""
    rows = Job.objects.filter(state=State.FAILED, ended_at__gt=Now() - FAILURES_FOR)
    found = rows.filter(preset=preset, reason=reason).order_by("-ended_at")
    return list(found.values_list("pk", flat=True)[:MOST])


def is_own(job_id: int) -> bool:
    """Whether a job may be tried again without the forum: nobody waits for its end by name."""
    return Job.objects.filter(pk=job_id, task=Task.EMBED).exists()


def workers(within: float = SILENT_AFTER) -> list[Machine]:
    """Workers heard of in the last `within` seconds, by the database's clock."""
    lately = Worker.objects.filter(seen_at__gt=Now() - timedelta(seconds=within)).order_by("name")
    return [
        Machine(
            each.name, tuple(each.queues), each.about, each.started_at, each.seen_at, each.draining
        )
        for each in lately
    ]


def drain(name: str) -> bool:
    """Ask a worker to take nothing more; what it has, it finishes. False without such a worker."""
    return bool(Worker.objects.filter(name=name).update(draining=True))


@transaction.atomic
def refill(name: str) -> bool:
    """Let a drained worker take jobs again. False without such a worker."""
    if not Worker.objects.filter(name=name).update(draining=False):
        return False
    turns.order(all_=True)
    return True


def messages_waiting() -> int:
    """Tasks of the house that wait: results nobody took in yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo' AND queue_name = %s",
            [posting.LIGHT],
        )
        return int(cursor.fetchone()[0])
