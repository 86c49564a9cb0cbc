"""Jobs of the studio, their previews, and the workers that make them."""

import json
import uuid
from datetime import timedelta
from typing import Any, ClassVar, LiteralString

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class State(models.TextChoices):
    """Where a job stands. What people read stands on the forum's reply."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Reason(models.TextChoices):
    """Why a job failed: stable words; the forum has a sentence for each."""

    ENGINE_ERROR = "engine_error"
    SOURCE_REFUSED = "source_refused"
    NOTHING_UNDERSTOOD = "nothing_understood"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    WORKER_LOST = "worker_lost"
    NO_MACHINE = "no_machine"
    STORAGE_FULL = "storage_full"
    NOTHING_THERE = "nothing_there"
    MASK_EMPTY = "mask_empty"
    SECOND_MISSING = "second_missing"
    SOURCE_TOO_SMALL = "source_too_small"


class Task(models.TextChoices):
    """What is asked."""

    EDIT = "edit"
    EMBED = "embed"
    RERUN = "rerun"
    FILM = "film"
    LOOKS = "looks"


#: Tasks that an editing engine carries out, from the queue of its preset.
BY_ENGINES = (Task.EDIT, Task.RERUN)


#: How long a worker may stay silent before its job is given to another.
LEASE = timedelta(seconds=30)
#: How often a job is tried before it fails.
TRIES = 3
#: Longest sentence kept about a failure.
DETAIL = 300


_CLAIM: LiteralString = """
UPDATE generation_job SET state = 'running', token = %(token)s, attempt = attempt + 1,
    lease_until = now() + %(lease)s, started_at = now()
WHERE id = %(id)s AND attempt < %(tries)s
  AND (state = 'waiting' OR (state = 'running' AND lease_until < now()))
RETURNING *
"""

_FINISH: LiteralString = """
UPDATE generation_job SET state = 'done', token = NULL, lease_until = NULL,
    result = %(result)s::jsonb, reason = '', detail = '', ended_at = now()
WHERE id = %(id)s AND state = 'running' AND token = %(token)s
RETURNING *
"""


class JobQuerySet(models.QuerySet["Job"]):
    """Moves are compare-and-set on the database's own clock; the loser is told and overwrites nothing."""

    def claim(self, job_id: int, token: uuid.UUID) -> "Job | None":
        """Take a waiting job, or one whose worker fell silent. None when someone else has it.

        The try is counted here, before the work, so that a crash counts too. One statement, for a
        member waits meanwhile.
        """
        words = {"id": job_id, "token": token, "tries": TRIES, "lease": LEASE}
        return next(iter(self.raw(_CLAIM, words)), None)

    def held(self, job_id: int, token: uuid.UUID) -> "JobQuerySet":
        """The running job, as long as this attempt may still speak for it."""
        return self.filter(pk=job_id, state=State.RUNNING, token=token)

    def renew(self, job_id: int, token: uuid.UUID) -> bool:
        """Keep a running job. False when it was cancelled or taken by another."""
        return self.held(job_id, token).update(lease_until=Now() + LEASE) == 1

    def finish(self, job_id: int, token: uuid.UUID, result: dict[str, Any]) -> "Job | None":
        """Publish this attempt. None when it is no longer ours: then remove our own files.

        The lease is not asked: a late result that nobody replaced is welcome.
        """
        words = {"id": job_id, "token": token, "result": json.dumps(result)}
        return next(iter(self.raw(_FINISH, words)), None)

    def fail(self, job_id: int, token: uuid.UUID, reason: str, detail: str = "") -> bool:
        """Give a running job up. False when it is no longer ours."""
        return self.held(job_id, token)._end_badly(reason, detail)

    def refuse(self, job_id: int, reason: str, detail: str = "") -> bool:
        """Give a waiting job up, because nothing can do it. False when it waits no longer."""
        return self.filter(pk=job_id, state=State.WAITING)._end_badly(reason, detail)

    def hand_back(
        self, job_id: int, token: uuid.UUID, *, reason: str = "", detail: str = "", counts: bool
    ) -> bool:
        """Let a running job wait again. False when it is no longer ours.

        With `counts=False` (a worker that ends in order) the try is given back.
        """
        given = self.held(job_id, token).update(
            state=State.WAITING,
            token=None,
            lease_until=None,
            attempt=F("attempt") - (0 if counts else 1),
            reason=reason,
            detail=detail[:DETAIL],
        )
        return given == 1

    def lost(self) -> "JobQuerySet":
        """Running jobs whose worker fell silent."""
        return self.filter(state=State.RUNNING, lease_until__lt=Now())

    def rescue(self, job_id: int) -> bool:
        """Let a lost job wait for its next try. False when it is not lost, or has had them all."""
        again = self.lost().filter(pk=job_id, attempt__lt=TRIES)
        return (
            again.update(
                state=State.WAITING, token=None, lease_until=None, reason=Reason.WORKER_LOST
            )
            == 1
        )

    def give_up(self, job_id: int) -> bool:
        """Fail a lost job that has had its tries. False when that is not so."""
        spent = self.lost().filter(pk=job_id, attempt__gte=TRIES)
        return spent._end_badly(Reason.WORKER_LOST, "")

    def cancel(self, job_id: int) -> bool:
        """Take a job back. Its token goes, so that no result can follow. False when it has ended."""
        open_ = self.filter(pk=job_id, state__in=(State.WAITING, State.RUNNING))
        return (
            open_.update(state=State.CANCELLED, token=None, lease_until=None, ended_at=Now()) == 1
        )

    def try_again(self, job_id: int) -> bool:
        """Let a failed or cancelled job wait anew, with a new count of tries."""
        ended = self.filter(pk=job_id, state__in=(State.FAILED, State.CANCELLED))
        return (
            ended.update(
                state=State.WAITING,
                attempt=0,
                reason="",
                detail="",
                started_at=None,
                ended_at=None,
                taken_in_at=None,
            )
            == 1
        )

    def _end_badly(self, reason: str, detail: str) -> bool:
        ended = self.update(
            state=State.FAILED,
            token=None,
            lease_until=None,
            reason=reason,
            detail=detail[:DETAIL],
            ended_at=Now(),
        )
        return ended == 1


class Job(models.Model):
    """One run of an engine."""

    MOVES: ClassVar[frozenset[tuple[str, str]]] = frozenset(
        {
            (State.WAITING, State.RUNNING),
            (State.WAITING, State.FAILED),
            (State.WAITING, State.CANCELLED),
            (State.RUNNING, State.RUNNING),
            (State.RUNNING, State.DONE),
            (State.RUNNING, State.FAILED),
            (State.RUNNING, State.CANCELLED),
            (State.RUNNING, State.WAITING),
            (State.FAILED, State.WAITING),
            (State.CANCELLED, State.WAITING),
        }
    )

    task = models.CharField(max_length=10, choices=Task.choices)
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    #: An EditRequest, EmbedRequest or FilmRequest as plain data.
    request = models.JSONField()
    #: What `generation.results` has for the task, as plain data, once done.
    result = models.JSONField(null=True, blank=True)
    preset = models.CharField(max_length=40, blank=True)
    #: Queue name, such as "edit:darkroom".
    queue = models.CharField(max_length=60)
    #: Name of the task that takes the result in; the studio only repeats it.
    return_to = models.CharField(max_length=80)
    #: Whom to tell of previews, such as "thread.7"; the studio only repeats it.
    topic = models.CharField(max_length=100, blank=True)
    #: Who asked, a member's id, for fairness; no foreign key, because the studio knows no members.
    asker = models.BigIntegerField(null=True, blank=True)
    #: Higher goes first; set anew whenever somebody asks, is served or leaves: `generation.jobs.turns`.
    priority = models.IntegerField(default=0)
    #: Those who take turns together, as the forum names them: everybody's first goes before anybody's
    #: second, whenever they were asked for. Empty: only what waits now is compared.
    circle = models.CharField(max_length=60, blank=True, default="")
    #: How many edits of this asker may run at the same time; none is no limit.
    at_once = models.PositiveSmallIntegerField(null=True, blank=True)
    #: Expected engine time in seconds, without waiting.
    seconds = models.FloatField(default=0)
    attempt = models.PositiveSmallIntegerField(default=0)
    #: Which attempt may publish. Empty while nobody works on it.
    token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=DETAIL, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    #: When the forum took the result in; the sweep repeats the message until then.
    taken_in_at = models.DateTimeField(null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="running_job_has_token_and_lease",
                condition=~Q(state=State.RUNNING)
                | Q(token__isnull=False, lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="done_job_has_result", condition=~Q(state=State.DONE) | Q(result__isnull=False)
            ),
            models.CheckConstraint(
                name="failed_job_has_reason", condition=~Q(state=State.FAILED) | ~Q(reason="")
            ),
        ]
        indexes = [
            models.Index(fields=["state", "id"], name="job_by_state"),
            models.Index(fields=["asker", "state"], name="job_by_asker"),
            models.Index(fields=["circle"], condition=~Q(circle=""), name="job_by_circle"),
            # The sweep looks every 20 s for the few results that nobody took in.
            models.Index(
                fields=["ended_at"], condition=Q(taken_in_at__isnull=True), name="job_not_taken_in"
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.pk}"


class Preview(models.Model):
    """The newest frame of a running job. Overwritten, allowed to vanish; the table is unlogged."""

    job = models.OneToOneField(Job, models.CASCADE, primary_key=True, related_name="preview")
    topic = models.CharField(max_length=100)
    step = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=60, blank=True)
    #: A small JPEG, about 5 kB; empty before the first frame.
    frame = models.BinaryField(default=b"")

    def __str__(self) -> str:
        return f"step {self.step} of {self.total}"


class Worker(models.Model):
    """A machine that makes images, as it says of itself."""

    name = models.CharField(max_length=120, unique=True)
    #: Queues it takes from.
    queues = models.JSONField(default=list)
    #: Device, engines and versions, for the operator's page.
    about = models.JSONField(default=dict)
    #: Asked by an operator to take nothing more; the worker heeds it at its next heartbeat.
    draining = models.BooleanField(default=False)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return self.name


class Turn(models.Model):
    """When somebody was served last, for whoever waits longest to be served next."""

    asker = models.BigIntegerField(primary_key=True)
    #: The larger, the later; counted anew when nobody was served for an hour.
    served = models.IntegerField(default=0)
    served_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.asker}: {self.served}"


class Switch(models.Model):
    """What an operator decided about a preset; without a row it is enabled and runs."""

    preset = models.CharField(max_length=40, primary_key=True)
    #: Whether people may ask for it.
    enabled = models.BooleanField(default=True)
    #: Whether its jobs wait until an operator lets them run.
    paused = models.BooleanField(default=False)
    #: The preset of new boards; at most one.
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_preset"
            )
        ]

    def __str__(self) -> str:
        return self.preset


class Pace(models.Model):
    """How long a preset really takes, beside what was expected: a moving mean of its last jobs."""

    preset = models.CharField(max_length=40, primary_key=True)
    #: Seconds taken divided by seconds expected.
    factor = models.FloatField(default=1)
    #: Seconds of one job.
    seconds = models.FloatField(default=0)
    jobs = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.preset}: {self.seconds:.1f} s"
