"""Moves of one attempt, each one transaction: the row, its notice and its message together."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Q
from django.db.models.functions import Now

from generation.jobs import pace, turns
from generation.jobs.posting import post_home, post_work, tell, tell_waiting
from generation.models import TRIES, Job, Reason, State

#: Seconds to wait before a try that found the storage full.
STORAGE_PAUSE = 20


@dataclass(frozen=True, slots=True)
class Claim:
    """A job this process may now work on, as long as nobody takes the token away."""

    job_id: int
    token: uuid.UUID
    task: str
    preset: str
    request: dict[str, Any]
    topic: str
    attempt: int
    #: Expected engine time in seconds.
    seconds: float
    asker: int | None = None
    circle: str = ""


@transaction.atomic
def claim(job_id: int, token: uuid.UUID, *, turn: bool = True) -> Claim | None:
    """Take a job. None when someone else has it, or it has ended.

    Without `turn` the caller sees to whose turn comes next, by `take_turn`: no member needs to wait
    for that.
    """
    if turn:
        turns.hold(job_id)
    with connection.cursor() as cursor:
        # Nobody waits for the disk: a claim that a power cut takes away is a job that waits again.
        cursor.execute("SET LOCAL synchronous_commit TO off")
    job = Job.objects.claim(job_id, token)
    if job is None:
        return None
    if turn:
        take_turn(job_id, job.asker, job.circle)
    tell(job)
    return Claim(
        job_id, token, job.task, job.preset, job.request, job.topic, job.attempt, job.seconds,
        job.asker, job.circle,
    )  # fmt: skip


@transaction.atomic
def take_turn(job_id: int, asker: int | None, circle: str) -> None:
    """The one who asked for this job is served: set in order who comes next."""
    turns.hold(job_id)
    turns.serve(job_id)
    turns.order(asker=asker, circle=circle)
    tell_waiting()


@dataclass(frozen=True, slots=True)
class Look:
    """What a waiting job asks for, read without taking it."""

    preset: str
    request: dict[str, Any]
    #: How often it was tried.
    tried: int


def look(job_id: int) -> Look | None:
    """What a job asks for; None when it cannot be taken."""
    free = Q(state=State.WAITING) | Q(state=State.RUNNING, lease_until__lt=Now())
    found = Job.objects.filter(free, pk=job_id, attempt__lt=TRIES)
    row = found.values_list("preset", "request", "attempt").first()
    return None if row is None else Look(*row)


@transaction.atomic
def put_back(job_id: int) -> None:
    """A job that was fetched and not taken is queued again."""
    job = Job.objects.filter(pk=job_id, state=State.WAITING).first()
    if job is not None:
        post_work(job)


@transaction.atomic
def publish(held: Claim, result: dict[str, Any], *, turn: bool = True) -> bool:
    """Finish and post the result home. False when the attempt lost: then its files must go.

    Without `turn` the caller sees to what may run now instead, by `make_room`.
    """
    if turn:
        turns.hold(held.job_id)
    job = Job.objects.finish(held.job_id, held.token, result)
    if job is None:
        return False
    fall_silent(job)
    post_home(job)
    if turn:
        make_room(held)
    return True


@transaction.atomic
def make_room(held: Claim) -> None:
    """A job was published: learn how long it took, and let the next of the same person go."""
    turns.hold(held.job_id)
    turns.order(asker=held.asker, circle=held.circle)
    pace.learn(held.job_id)


@transaction.atomic
def give_up(held: Claim, reason: str, detail: str) -> bool:
    """Fail at once, because another try cannot help. False when it is no longer ours."""
    turns.hold(held.job_id)
    if not Job.objects.fail(held.job_id, held.token, reason, detail):
        return False
    post_home(end(held.job_id), failed=True)
    return True


@transaction.atomic
def try_later(held: Claim, reason: str, detail: str) -> bool:
    """Let the job wait for its next try, or fail when it has had them all."""
    if held.attempt >= TRIES:
        return give_up(held, reason, detail)
    turns.hold(held.job_id)
    if not Job.objects.hand_back(
        held.job_id, held.token, reason=reason, detail=detail, counts=True
    ):
        return False
    pause = STORAGE_PAUSE if reason == Reason.STORAGE_FULL else 0
    post_work(end(held.job_id), after=pause)
    return True


@transaction.atomic
def drain(held: Claim) -> bool:
    """Give job and try back: this worker ends, and that is no fault of the job's."""
    turns.hold(held.job_id)
    if not Job.objects.hand_back(held.job_id, held.token, counts=False):
        return False
    post_work(end(held.job_id))
    return True


def renew(held: Claim) -> bool:
    """Keep the job for another lease. False when it was cancelled or taken."""
    return Job.objects.renew(held.job_id, held.token)


def outcome(held: Claim, name: str) -> bool | None:
    """After a commit of unknown outcome: True we published, False we lost, None still to be done.

    `name` is a file of our attempt, which no other attempt shares.
    """
    found = Job.objects.filter(pk=held.job_id).values_list("state", "token", "result").first()
    if found is None:
        return False
    state, token, result = found
    if state == State.DONE:
        return bool(result and name and name in str(result.get("file")))
    return None if token == held.token else False


def end(job_id: int) -> Job:
    """What follows every end and every return to waiting: no preview, and a notice."""
    job = Job.objects.get(pk=job_id)
    if job.state != State.WAITING:
        turns.order(asker=job.asker, circle=job.circle)
    fall_silent(job)
    return job


def fall_silent(job: Job) -> None:
    """No preview outlives its run, and whoever looks on is told."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM generation_preview WHERE job_id = %s", [job.pk])
    tell(job)
