"""What can happen to a batch: its worker, its host, its database and its storage fail under it.

Whatever does, every reply ends done, or failed with a reason, none is published twice, and
`manage.py audit --strict` finds nothing. Batches are held at gates, so that each trouble comes at the
moment it is meant for, however busy the machine is.
"""

import os
import signal
import subprocess
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models.functions import Now
from django.db.utils import Error
from PIL import Image as Pictures

from forum.boards.models import Board
from forum.images.models import FileRole, Image
from forum.links import actions as links
from forum.members.models import Member
from forum.running.processes import until
from forum.threads.models import Reply, ReplyState
from generation import queue
from generation.engines import embedder
from generation.engines.pdq import pdq
from generation.models import Job, Preview, Reason, State
from generation.results import Vector
from tests import factories
from tests.conftest import a_member
from tests.faults.test_workers import names_on_disk, published
from tests.workers import Open, Workers, host_of, wait_until_quiet, wait_until_seated

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
BATCHES = Path(__file__).parents[1] / "generation" / "batches.toml"

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def hill(plaza: Board, lin: Member) -> Image:
    """A first image on a public board, known to the audit as one that was uploaded."""
    image = factories.a_thread(plaza, lin).first_image
    assert image is not None
    original = image.file(FileRole.ORIGINAL)
    assert original is not None
    Image.objects.filter(pk=image.pk).update(sha256=original.sha256)
    with default_storage.open(original.name) as file, Pictures.open(file) as opened:
        picture = opened.convert("RGB")
    vector = Vector("wf1", tuple(float(each) for each in embedder("wf1").embed(picture)))
    digits, quality = pdq(picture)
    links.take_in(image=image, vectors=(vector,), pdq=digits, pdq_quality=quality)
    return image


@pytest.fixture
def start(workers: Workers, gate: Open, monkeypatch: pytest.MonkeyPatch) -> Start:
    """A worker with one sleeping device: `start("one")`."""
    monkeypatch.setenv("FORUM_PRESETS", str(BATCHES))

    def begin(name: str, **more: object) -> "subprocess.Popen[bytes]":
        process = workers.start(
            name, "--queues", "light,edit:together",
            FORUM_PRESETS=str(BATCHES), FORUM_STUDIO_DEVICES="cpu", **more,  # type: ignore[arg-type]
        )  # fmt: skip
        assert until(lambda: device_is_ready(name), 60), workers.said()
        return process

    return begin


def device_is_ready(name: str) -> bool:
    return any(each.name == name and "edit:together" in each.queues for each in queue.workers())


def ask(hill: Image, prompt: str, seed: int = 0) -> Reply:
    """Somebody answers the hill."""
    return factories.ask(
        a_member(), hill, prompt, key=uuid.uuid4().hex, preset="together", seed=seed
    )


def seated(hill: Image, *prompts: str) -> list[Reply]:
    """A reply that stays at the gate "first", and four behind it that have seats in one batch.

    A batch that is full goes to the device at once, and one that is not waits for the last step:
    so the four are claimed only when they sit together.
    """
    first = ask(hill, "until:first 4 x 0.1", seed=99)
    assert until(lambda: steps(first) >= 2, 60)
    replies = [ask(hill, prompt, seed) for seed, prompt in enumerate(prompts)]
    wait_until_seated(*(each.job for each in replies))
    return [first, *replies]


def held(hill: Image, gate: Open, *prompts: str) -> list[Reply]:
    """The first is done and taken in, and the other four run in one batch, at their second step."""
    replies = seated(hill, *prompts)
    gate("first")
    assert until(lambda: all(steps(each) >= 2 for each in replies[1:]), 60), jobs(replies)
    first = Job.objects.filter(pk=replies[0].job, state=State.DONE, taken_in_at__isnull=False)
    assert until(first.exists, 60)
    return replies


def steps(reply: Reply) -> int:
    """The step a reply is at; 0 while it does not run."""
    return Preview.objects.filter(job=reply.job).values_list("step", flat=True).first() or 0


def jobs(replies: list[Reply]) -> list[tuple[object, ...]]:
    """How their jobs stand, in order."""
    rows = Job.objects.in_bulk([each.job for each in replies])
    made = [rows[each.job] for each in replies if each.job is not None]
    return [(each.state, each.reason, each.attempt) for each in made]


def assert_all_ended(workers: Workers, replies: list[Reply], **failed: str) -> None:
    """Every reply is done with an image of its own, but those `failed` whose prompts begin so.

    And the audit, as operators run it, ends with 0.
    """
    wait_until_quiet(120)
    for reply in replies:
        reply.refresh_from_db()
        reason = failed.get(reply.prompt.split()[0], "")
        wanted = ReplyState.FAILED if reason else ReplyState.DONE
        assert (reply.state, reply.reason) == (wanted, reason), (reply.prompt, workers.said())
    done = {each.job: each.image_id for each in replies if each.state == ReplyState.DONE}
    images = Image.objects.filter(job__in=[each.job for each in replies])
    assert dict(images.values_list("job", "pk")) == done
    assert images.count() == len(done) == len(set(done.values()))
    assert Image.objects.count() == len(done) + 1
    assert until(lambda: list(queue.audit()) == [], 90, 1), list(queue.audit())
    assert workers.audit() == ""


def assert_nothing_is_left_over(replies: list[Reply]) -> None:
    """In the folders of attempts lies what was published and no more."""
    for job in Job.objects.filter(pk__in=[each.job for each in replies]):
        assert names_on_disk(job.pk) == published(job)


HELD = tuple(f"{n} until:rest 4 x 0.1" for n in range(4))


def test_a_worker_killed_in_mid_batch_loses_nothing(
    workers: Workers, hill: Image, start: Start, gate: Open
):
    start("doomed")
    replies = held(hill, gate, *HELD)
    workers.kill("doomed")
    half = Job.objects.filter(state=State.RUNNING)
    assert half.count() == 4
    # Half a minute later, as the sweep sees it: the lease and the heartbeat of the dead are old.
    half.update(lease_until=Now() - timedelta(seconds=1))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 min'")
    gate("rest")
    start("sound")
    assert_all_ended(workers, replies)
    # Each of the four had its try, and so runs alone now.
    tried = Job.objects.exclude(pk=replies[0].job).values_list("attempt", "result__recipe__batch")
    assert set(tried) == {(2, 1)}
    assert_nothing_is_left_over(replies)


def test_a_killed_device_process_costs_a_try_and_no_more(
    workers: Workers, hill: Image, start: Start, gate: Open
):
    worker = start("one")
    replies = held(hill, gate, *HELD)
    os.kill(host_of(worker), signal.SIGKILL)
    gate("rest")
    assert_all_ended(workers, replies)
    assert jobs(replies) == [("done", "", 1), *[("done", "", 2)] * 4]
    assert worker.poll() is None
    assert until(lambda: queue.workers()[0].about["devices"][0]["restarts"] == 1, 15)
    assert_nothing_is_left_over(replies)


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("crash", Reason.ENGINE_ERROR),
        ("kill", Reason.OUT_OF_MEMORY),
        ("hang", Reason.TIMEOUT),
    ],
)
def test_who_takes_the_device_process_along_each_time_fails_alone(
    workers: Workers, hill: Image, start: Start, gate: Open, trouble: str, reason: str
):
    """A crash, the system's memory guard, a step that never ends: the neighbours are made without."""
    worker = start("one")
    first, *replies = seated(hill, f"{trouble} 3 x 0.1", *[f"{n} 3 x 0.1" for n in range(3)])
    gate("first")
    late = ask(hill, "late 3 x 0.1")
    assert_all_ended(workers, [first, *replies, late], **{trouble: reason})
    tries = [attempt for _, _, attempt in jobs(replies)]
    assert tries == [3, 2, 2, 2], "one try was lost together, then each ran alone"
    # The picture of the first may still have been finished in the process that ended.
    assert max(attempt for _, _, attempt in jobs([first, late])) <= 2
    assert worker.poll() is None


def test_what_needs_too_much_memory_fails_by_itself(
    workers: Workers, hill: Image, start: Start, gate: Open
):
    """The engine says so itself: the device process lives on, and nobody else loses a try."""
    start("one")
    replies = seated(hill, "oom 3 x 0.1", *[f"{n} 3 x 0.1" for n in range(3)])
    gate("first")
    assert_all_ended(workers, replies, oom=Reason.OUT_OF_MEMORY)
    assert [attempt for _, _, attempt in jobs(replies)] == [1, 3, 1, 1, 1]
    assert until(lambda: queue.workers()[0].about["devices"][0]["ooms"] == 3, 15)


@pytest.fixture
def database_breaks() -> Iterator[Callable[[], None]]:
    """Break the database down as a crash does: one of its processes is killed, and it starts anew."""

    def crash() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        try:
            os.kill(pid, signal.SIGKILL)
        except (PermissionError, ProcessLookupError):
            pytest.skip("the database's processes are not ours to kill")
        connection.close()
        # It answers for a moment more, until its postmaster hears of the killed one.
        until(lambda: not answers(), 5, 0.05)
        assert until(answers, 60)

    yield crash
    connection.close()


def answers() -> bool:
    """Whether the database takes connections again."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (Error, psycopg.Error):
        connection.close()
        return False
    return True


def test_a_database_that_breaks_down_loses_no_work(
    workers: Workers, hill: Image, start: Start, gate: Open, database_breaks: Callable[[], None]
):
    worker = start("one")
    replies = held(hill, gate, *HELD)
    database_breaks()
    gate("rest")
    assert_all_ended(workers, replies)
    assert jobs(replies) == [("done", "", 1)] * 5
    assert worker.poll() is None
    assert_nothing_is_left_over(replies)


@pytest.fixture
def storage_goes() -> Iterator[Callable[[bool], None]]:
    """`storage_goes(True)`: it is away, as where a disk is not mounted; False brings it back."""
    media = Path(default_storage.path(""))
    away = media.with_name("unmounted")

    def go(gone: bool) -> None:
        if gone:
            media.rename(away)
            return
        assert not media.exists(), "nobody writes where the disk belongs"
        away.rename(media)

    yield go
    if away.exists():
        away.rename(media)


def assert_waiting_for_storage(replies: list[Reply]) -> None:
    """Each found no storage, and waits for its next try."""
    wanted = Job.objects.filter(
        pk__in=[each.job for each in replies], reason=Reason.STORAGE_FULL, state=State.WAITING
    )
    assert until(lambda: wanted.count() == len(replies), 60), jobs(replies)


def test_a_storage_that_is_gone_when_results_are_written_fails_nobody(
    workers: Workers, hill: Image, start: Start, gate: Open, storage_goes: Callable[[bool], None]
):
    """Nor one whose source is not there at its claim."""
    start("one")
    replies = held(hill, gate, *HELD)
    storage_goes(True)
    late = ask(hill, "late 3 x 0.1")
    gate("rest")
    assert_waiting_for_storage([*replies[1:], late])
    storage_goes(False)
    assert_all_ended(workers, [*replies, late])
    assert [attempt for _, _, attempt in jobs([*replies, late])] == [1, 2, 2, 2, 2, 2]
    assert_nothing_is_left_over([*replies, late])


def test_a_storage_that_is_gone_when_sources_are_read_fails_nobody(
    workers: Workers, hill: Image, start: Start, storage_goes: Callable[[bool], None]
):
    """It went between the order, for which the source was there, and the device that opens it."""
    worker = start("one", halting=("ordered", "STOP"))
    reply = ask(hill, "3 x 0.1")
    assert until(lambda: jobs([reply]) == [("running", "", 1)], 60)
    os.waitid(os.P_PID, worker.pid, os.WSTOPPED | os.WNOWAIT)
    storage_goes(True)
    workers.signal("one", signal.SIGCONT)
    assert_waiting_for_storage([reply])
    storage_goes(False)
    assert_all_ended(workers, [reply])
    assert jobs([reply]) == [("done", "", 2)]
    assert_nothing_is_left_over([reply])
