"""Finds what was lost and sets it going again. Every step may run twice, and in any process."""

from datetime import timedelta
from typing import LiteralString

import structlog
from django.db import connection, transaction
from django.db.models.functions import Now

from generation.jobs import files, turns
from generation.jobs.posting import CHANNEL, post_home, post_work
from generation.jobs.publishing import end
from generation.models import BY_ENGINES, TRIES, Job, Reason, State, Worker
from generation.prompts import planning

#: Seconds the forum may take to hear of an end before it is told again: while its message still
#: waits or is being read, and when that message broke or got lost.
PATIENCE, LOST_AFTER = 60, 10
#: procrastinate's workers write a heartbeat every 10 s.
SILENT = 30
#: At most as many things of one kind in one sweep; the next one is 20 s away.
MOST = 500
log = structlog.get_logger("generation")

_STALLED: LiteralString = """
UPDATE procrastinate_jobs SET status = 'failed', abort_requested = false
WHERE status = 'doing' AND id IN (
    SELECT job.id FROM procrastinate_jobs job
    LEFT JOIN procrastinate_workers worker ON worker.id = job.worker_id
    WHERE job.status = 'doing'
      AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s))
    FOR UPDATE OF job SKIP LOCKED)
RETURNING task_name, args
"""

#: Waiting jobs for which no task is queued or on its way to be claimed.
_TASKLESS: LiteralString = """
SELECT job.id FROM generation_job job
WHERE job.state = 'waiting' AND NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs task
    WHERE task.queueing_lock = 'job:' || job.id AND task.status IN ('todo', 'doing'))
ORDER BY job.id LIMIT %s
"""

#: Ended jobs that the forum did not take in, though it had the time.
_UNTOLD: LiteralString = """
SELECT job.id FROM generation_job job
WHERE job.state IN ('done', 'failed') AND job.taken_in_at IS NULL
  AND job.ended_at < now() - make_interval(secs => %s)
  AND (job.ended_at < now() - make_interval(secs => %s) OR NOT EXISTS (
    SELECT 1 FROM procrastinate_jobs task
    WHERE task.queueing_lock = 'home:' || job.id AND task.status IN ('todo', 'doing')))
ORDER BY job.id LIMIT %s
"""

_WAITING: LiteralString = """
SELECT pg_notify(%s, json_build_object('topic', topic, 'k', 'job', 'id', id)::text)
FROM generation_job WHERE state = 'waiting' AND topic <> '' AND queue LIKE 'edit:%%'
ORDER BY priority DESC, id LIMIT %s
"""


def sweep() -> int:
    """Everything once; how many things were set right."""
    done = stalled() + lost() + undoable() + taskless() + untold()
    remind()
    if done:
        log.info("swept", found=done)
    return done


def remind() -> None:
    """Let pages say anew where waiting edits stand: every end and every newcomer moves them."""
    with connection.cursor() as cursor:
        cursor.execute(_WAITING, [CHANNEL, MOST])


def stalled() -> int:
    """End queue rows whose worker fell silent; nothing in them is lost, for jobs are the truth.

    Not by procrastinate's own retry, which knows no cap. Messages home are repeated by `untold`.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STALLED, [SILENT])
        return len(cursor.fetchall())


def lost() -> int:
    """Let jobs whose lease ran out wait for their next try, or fail after the third."""
    found = list(Job.objects.lost().values_list("pk", flat=True)[:MOST])
    return sum(_rescue(job_id) for job_id in found)


@transaction.atomic
def _rescue(job_id: int) -> bool:
    turns.hold(job_id)
    if Job.objects.rescue(job_id):
        post_work(end(job_id))
        return True
    if Job.objects.give_up(job_id):
        post_home(end(job_id), failed=True)
        return True
    return False


def undoable() -> int:
    """Fail waiting jobs whose preset is gone, or that have no try left."""
    known = [f"edit:{name}" for name in planning.presets()]
    waiting = Job.objects.filter(state=State.WAITING)
    orphans = waiting.filter(task__in=BY_ENGINES).exclude(queue__in=known)
    spent = waiting.filter(attempt__gte=TRIES)
    found = [(pk, Reason.NO_MACHINE) for pk in orphans.values_list("pk", flat=True)[:MOST]]
    found += [(pk, Reason.WORKER_LOST) for pk in spent.values_list("pk", flat=True)[:MOST]]
    return sum(_refuse(job_id, reason) for job_id, reason in found)


@transaction.atomic
def _refuse(job_id: int, reason: str) -> bool:
    turns.hold(job_id)
    if not Job.objects.refuse(job_id, reason):
        return False
    post_home(end(job_id), failed=True)
    return True


def taskless() -> int:
    """Post a task for every waiting job that has none."""
    with connection.cursor() as cursor:
        cursor.execute(_TASKLESS, [MOST])
        found = [row[0] for row in cursor.fetchall()]
    return sum(_post(job) for job in Job.objects.filter(pk__in=found, state=State.WAITING))


@transaction.atomic
def _post(job: Job) -> bool:
    return post_work(job)


def untold() -> int:
    """Repeat messages that broke or got lost, and after a minute all that were not taken in."""
    with connection.cursor() as cursor:
        cursor.execute(_UNTOLD, [LOST_AFTER, PATIENCE, MOST])
        found = [row[0] for row in cursor.fetchall()]
    return sum(_tell_again(job) for job in Job.objects.filter(pk__in=found))


@transaction.atomic
def _tell_again(job: Job) -> bool:
    return post_home(job, failed=job.state == State.FAILED)


def tidy() -> int:
    """Remove files that killed attempts left, an hour after, and rows of workers long gone."""
    hour, days = timedelta(hours=1), timedelta(days=3)
    Worker.objects.filter(seen_at__lt=Now() - hour).delete()
    turns.tidy()
    odd = Job.objects.filter(created_at__gt=Now() - days, started_at__lt=Now() - hour).exclude(
        state=State.RUNNING
    )
    gone = 0
    for job in odd.exclude(state=State.DONE, attempt=1).iterator():
        names = files.left_behind(job.pk, names_of(job))
        files.remove(names)
        gone += len(names)
    return gone


def names_of(job: Job) -> list[str]:
    """Names of the files of a job's result."""
    if not job.result or "file" not in job.result:
        return []
    return [each["name"] for each in (job.result["file"], *job.result.get("strip", ()))]
