"""The studio's front door: the only thing the forum calls. Light; it reaches no heavy library."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from procrastinate.contrib.django.models import ProcrastinateJob

from generation.engines.base import Preset
from generation.jobs import auditing, files, sweeping, turns
from generation.jobs.observing import (
    Lane,
    Machine,
    Trouble,
    drain,
    failed_jobs,
    is_own,
    lanes,
    messages_waiting,
    refill,
    troubles,
    workers,
)
from generation.jobs.posting import (
    FILM,
    LIGHT,
    outgoing,
    post,
    post_home,
    post_work,
    tell,
    tell_waiting,
    work_lock,
)
from generation.jobs.standings import SILENT_AFTER, Standing, foresee, read
from generation.jobs.switches import (
    Offer,
    PresetState,
    disable,
    enable,
    is_enabled,
    make_default,
    offer,
    offered,
    pause,
    preset_states,
    resume,
    usual,
)
from generation.models import Job, Preview, State, Task, Worker
from generation.prompts import planning
from generation.prompts.chips import Chip, chips, looks, looks_version
from generation.prompts.opening import Opened, operations, titles
from generation.requests import (
    EditRequest,
    EmbedRequest,
    FilmRequest,
    LooksRequest,
    Operation,
    OwnWord,
)
from generation.results import (
    EditResult,
    EmbedResult,
    FilmResult,
    LooksResult,
    Plan,
    RerunResult,
    Result,
    names_in,
)
from generation.versions import installed

__all__ = [
    "LIGHT", "audit", "begins", "can_do", "cancel", "checked_operation", "chips",
    "disable", "discard", "drain", "enable", "expected_seconds", "failed_jobs", "film_formats", "fingerprint", "foresee", "frame",
    "hand_over", "is_enabled", "is_own", "jobs_of", "known_terms", "lanes", "looks",
    "looks_version", "make_default", "mark_taken_in", "messages_waiting", "offer", "offered", "operations",
    "outgoing", "parts_of", "pause", "plan", "post", "preset_states", "presets",
    "program_version", "read", "refill", "region_titles", "request", "result", "resume", "retry",
    "second_of", "seconds_for", "submit", "suggestions", "surprise", "sweep", "takes", "titles",
    "troubles", "usual", "workers", "Chip", "Lane", "Machine", "Offer", "Opened", "Preset", "PresetState", "Standing",
    "Trouble",
]  # fmt: skip

#: Expected seconds of one embedding, of one picture of a film, of one thumbnail of a look.
EMBED_SECONDS, SHOT_SECONDS, LOOK_SECONDS = 0.1, 0.3, 0.05
#: Looks go after everybody's first edit and before anybody's second: they take half a second.
LOOKS_PRIORITY = 1 - turns.TURN
Request = EditRequest | EmbedRequest | FilmRequest | LooksRequest
REQUESTS: dict[str, type[Request]] = {
    Task.EDIT: EditRequest,
    Task.EMBED: EmbedRequest,
    Task.RERUN: EditRequest,
    Task.FILM: FilmRequest,
    Task.LOOKS: LooksRequest,
}
RESULTS: dict[str, type[Result]] = {
    Task.EDIT: EditResult,
    Task.EMBED: EmbedResult,
    Task.RERUN: RerunResult,
    Task.FILM: FilmResult,
    Task.LOOKS: LooksResult,
}


@transaction.atomic(savepoint=False)
def submit(
    request: Request,
    *,
    return_to: str,
    topic: str = "",
    asker: int | None = None,
    circle: str = "",
    at_once: int | None = None,
) -> int:
    """Write a job down and queue it, both in the caller's transaction. Its id.

    `return_to` names the task that takes the result in: it is called with `job_id`. Edits take
    turns (`generation.jobs.turns`): by `asker`, and in a `circle` everybody's first before anybody's
    second; `at_once` edits of one asker and preset may run at the same time. Raises `LookupError`
    for a preset that is not there.
    """
    if isinstance(request, EditRequest):
        words: dict[str, Any] = {
            "task": Task.EDIT if request.compare_to is None else Task.RERUN,
            "preset": request.preset,
            "queue": f"edit:{request.preset}",
            "seconds": expected_seconds(request),
        }
    elif isinstance(request, FilmRequest):
        seconds = SHOT_SECONDS * len(request.shots)
        words = {"task": Task.FILM, "queue": FILM, "seconds": seconds}
    elif isinstance(request, LooksRequest):
        words = {
            "task": Task.LOOKS,
            "queue": "embed",
            "priority": LOOKS_PRIORITY,
            "seconds": LOOK_SECONDS * len(request.looks),
        }
    else:
        words = {"task": Task.EMBED, "queue": "embed", "seconds": EMBED_SECONDS}
    job = Job.objects.create(
        request=request.as_json(),
        return_to=return_to,
        topic=topic,
        asker=asker,
        circle=circle,
        at_once=at_once,
        **words,
    )
    post_work(job)
    return job.pk


def expected_seconds(request: EditRequest) -> float:
    """How long the engine will take, without waiting. Raises `LookupError` without such a preset."""
    planning.preset(request.preset)
    if request.read_as:
        return planning.seconds_for(operation.name for operation in request.read_as)
    return planning.plan(request.prompt, request.preset, strength=request.strength).seconds


@transaction.atomic
def cancel(job_id: int) -> bool:
    """Take a job back, waiting or running; no result can follow. False when it has ended."""
    turns.hold(job_id)
    if not Job.objects.cancel(job_id):
        return False
    rows = ProcrastinateJob.objects.filter(
        queueing_lock=work_lock(job_id), status__in=("todo", "doing")
    )
    for row in rows.values_list("pk", flat=True):
        outgoing.job_manager.cancel_job_by_id(row, abort=True, delete_job=True)
    Preview.objects.filter(job=job_id).delete()
    job = Job.objects.get(pk=job_id)
    turns.order(asker=job.asker, circle=job.circle)
    tell(job)
    tell_waiting()
    return True


@transaction.atomic
def retry(job_id: int) -> bool:
    """Let a failed or cancelled job wait anew, with all its tries. False when it did not end so."""
    if not Job.objects.try_again(job_id):
        return False
    job = Job.objects.get(pk=job_id)
    post_work(job)
    tell(job)
    return True


def frame(job_id: int) -> bytes:
    """The newest preview as JPEG; empty when there is none."""
    found = Preview.objects.filter(job=job_id).values_list("frame", flat=True).first()
    return bytes(found or b"")


def result(job_id: int) -> Result | None:
    """What a job made; None while it is not done."""
    found = Job.objects.filter(pk=job_id, state=State.DONE).values_list("task", "result").first()
    if found is None:
        return None
    task, words = found
    assert words is not None  # a constraint of the table
    return RESULTS[task].from_json(words)


def request(job_id: int) -> Request:
    """What was asked. Raises `LookupError` without such a job."""
    found = Job.objects.filter(pk=job_id).values_list("task", "request").first()
    if found is None:
        raise LookupError(f"There is no job {job_id}.")
    task, words = found
    return REQUESTS[task].from_json(words)


@transaction.atomic
def hand_over(
    job_id: int, *, return_to: str, topic: str, recipe: dict[str, Any] | None = None
) -> bool:
    """Let another task take in what a finished job made; it is told until it does.

    `recipe` is told beside what the engine said. False when there is no such result.
    """
    job = Job.objects.select_for_update(no_key=True).filter(pk=job_id, state=State.DONE).first()
    if job is None or job.result is None:
        return False
    if recipe:
        job.result = {**job.result, "recipe": {**job.result["recipe"], **recipe}}
    job.return_to, job.topic, job.taken_in_at = return_to, topic, None
    job.ended_at = Now()
    job.save(update_fields=["result", "return_to", "topic", "taken_in_at", "ended_at"])
    post_home(job)
    return True


def jobs_of(names: Iterable[str]) -> dict[str, int]:
    """Which job made each of these stored files, by name; other files are left out."""
    found = {name: files.job_of(name) for name in names}
    return {name: job for name, job in found.items() if job is not None}


def mark_taken_in(job_id: int) -> None:
    """The forum has heard how this job ended; the sweep repeats the message until then."""
    Job.objects.filter(pk=job_id, taken_in_at__isnull=True).update(taken_in_at=Now())


def discard(job_id: int) -> None:
    """Nobody wants this result: its files go when the transaction commits."""
    made = result(job_id)
    mark_taken_in(job_id)
    if made is not None and (names := names_in(made)):
        transaction.on_commit(lambda: files.remove(names))


def forget(job_ids: Iterable[int]) -> None:
    """Remove what was asked and made of jobs that ended; files are the forum's by then."""
    ended = [State.DONE, State.FAILED, State.CANCELLED]
    Job.objects.filter(pk__in=list(job_ids), state__in=ended).delete()


def can_do(preset: str) -> bool:
    """Whether some worker that was heard of lately takes jobs for this preset."""
    lately = Worker.objects.filter(
        seen_at__gt=Now() - timedelta(seconds=SILENT_AFTER), draining=False
    )
    return lately.filter(queues__contains=[f"edit:{preset}"]).exists()


def film_formats() -> set[str]:
    """Kinds of film that some worker which was heard of lately can make: "webp", "mp4"."""
    able = (each for each in workers() if FILM in each.queues)
    return {name for each in able for name in each.about.get("films", ())}


def sweep() -> int:
    """Find what was lost and set it going again; how many things were found. For any process."""
    return sweeping.sweep()


def audit() -> Iterator[str]:
    """One sentence for each thing about jobs, queue and previews that does not hold."""
    return auditing.check()


def plan(
    prompt: str,
    preset: str,
    language: str = "en",
    strength: float = 0.6,
    words: Sequence[OwnWord] = (),
) -> Plan:
    """How the engine of `preset` reads `prompt`, before anything is made.

    `words` are a community's own; the engine needs nothing of them, for what was read travels along.
    """
    return planning.plan(prompt, preset, language, strength, words)


def region_titles(language: str = "en") -> dict[str, str]:
    """Places in a picture that an operation can be limited to: titles for people, by name."""
    return planning.region_titles(language)


def takes(name: str, setting: str) -> bool:
    """Whether an operation has a setting, such as "region"."""
    return planning.has(name, setting)


def checked_operation(name: str, settings: dict[str, Any]) -> Operation:
    """An operation that the darkroom can run. Raises `Unusable`, whose text says what is amiss."""
    return planning.checked(name, settings)


def second_of(name: str) -> str:
    """Whether an operation looks at a second picture: "must", "may", or nothing."""
    return planning.second_of(name)


def known_terms(term: str) -> tuple[str, ...]:
    """What a term means without a community's own words: operations, or the role of a small word."""
    return planning.known_terms(term)


def parts_of(term: str) -> int:
    """Of how many words, numbers, marks or Chinese characters the reader sees a term made."""
    return planning.parts_of(term)


def program_version(preset: str) -> str:
    """Sixteen hex digits that change with what a preset makes. Raises `LookupError` without it."""
    found = planning.preset(preset)
    code = looks_version() if found.engine == "darkroom" else repr(sorted(installed().items()))
    return hashlib.sha256(f"{found!r} {code}".encode()).hexdigest()[:16]


def begins(preset: str) -> bool:
    """Whether an engine makes images from words alone, without a source."""
    found = presets().get(preset)
    return found is not None and "create" in found.settings.get("pipelines", {})


def surprise(seed: int) -> tuple[Operation, ...]:
    """One to three operations that go together, the same for the same seed."""
    return planning.surprise(seed)


def seconds_for(operations: Iterable[Operation]) -> float:
    """Expected engine seconds of these operations."""
    return planning.seconds_for(operation.name for operation in operations)


def presets() -> dict[str, Preset]:
    """Every preset by name."""
    return planning.presets()


def suggestions(language: str = "en") -> tuple[tuple[str, str], ...]:
    """Looks to offer as chips: (title, words to type)."""
    return planning.suggestions(language)


def fingerprint(picture: Path) -> tuple[str, int]:
    """PDQ of a small picture that is our own encoding: 64 hex digits, and its quality, 0 to 100.

    What a stranger sent is never opened here; `forum.images` hands over what its child made of it.
    """
    from PIL import Image

    # numpy stays out of processes that never ask.
    from generation.engines.pdq import pdq

    with Image.open(picture, formats=["WEBP"]) as opened:
        return pdq(opened.convert("RGB"))
