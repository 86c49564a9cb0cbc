"""What can happen to a batch: its worker, its host, its database and its storage fail under it.

Whatever does, every job ends done, or failed with a reason, and none is published twice.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.db.models.functions import Now
from django.db.utils import Error

from forum.running.processes import until
from generation import queue
from generation.models import Job, Preview, Reason, State
from generation.requests import EditRequest, ImageRef
from tests.factories import a_picture
from tests.factories import stored as keep
from tests.faults.test_workers import assert_one_publication_each, names_on_disk, published
from tests.workers import Workers, wait_until_quiet

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]
BATCHES = Path(__file__).parents[1] / "generation" / "batches.toml"

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def stored(db: None) -> ImageRef:
    """A picture in the storage."""
    kept = keep(a_picture())
    return ImageRef(kept.sha256, kept.name, (kept.width, kept.height))


@pytest.fixture
def start(workers: Workers, monkeypatch: pytest.MonkeyPatch) -> Start:
    """A worker with one sleeping device: `start("one")`."""
    monkeypatch.setenv("FORUM_PRESETS", str(BATCHES))

    def begin(name: str) -> "subprocess.Popen[bytes]":
        process = workers.start(
            name, "--queues", "light,edit:together",
            FORUM_PRESETS=str(BATCHES), FORUM_STUDIO_DEVICES="cpu",
        )  # fmt: skip
        mine = ["edit:together" in each.queues for each in queue.workers() if each.name == name]
        assert mine
        assert until(lambda: device_is_ready(name), 60), workers.said()
        return process

    return begin


def device_is_ready(name: str) -> bool:
    return any(each.name == name and "edit:together" in each.queues for each in queue.workers())


def ask(stored: ImageRef, prompt: str, seed: int = 0) -> int:
    request = EditRequest("together", prompt, seed, (stored,))
    return queue.submit(request, return_to="forum.receive_failure", asker=seed)


def a_batch_runs(stored: ImageRef, *prompts: str) -> list[int]:
    """Four jobs in one batch on the device, at their second step."""
    first = ask(stored, "5 x 0.1", seed=99)
    assert until(Preview.objects.exists, 30)
    jobs = [ask(stored, prompt, seed) for seed, prompt in enumerate(prompts)]
    assert until(lambda: Preview.objects.filter(job=jobs[0], step__gte=2).exists(), 30)
    return [first, *jobs]


def host_of(worker: "subprocess.Popen[bytes]") -> int:
    """The process of its device, which is its only host."""
    asked = ["pgrep", "-f", "-P", str(worker.pid), "generation.host"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert len(found) == 1
    return int(found[0])


LONG = tuple(f"{n} 20 x 0.1" for n in range(4))


def test_a_worker_killed_in_mid_batch_loses_nothing(
    workers: Workers, stored: ImageRef, start: Start
):
    start("doomed")
    jobs = a_batch_runs(stored, *LONG)
    workers.kill("doomed")
    half = Job.objects.filter(pk__in=jobs, state=State.RUNNING)
    assert half.count() == 4
    # Half a minute later, as the sweep sees it: the lease and the heartbeat of the dead are old.
    half.update(lease_until=Now() - timedelta(seconds=1))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '1 min'")
    start("sound")
    wait_until_quiet(60)
    assert_one_publication_each(jobs)
    # Each of the four had its try, and so runs alone now.
    tried = Job.objects.filter(pk__in=jobs[1:]).values_list("attempt", "result__recipe__batch")
    assert set(tried) == {(2, 1)}
    for job in Job.objects.filter(pk__in=jobs):
        assert names_on_disk(job.pk) == published(job)


def test_a_killed_device_process_costs_a_try_and_no_more(
    workers: Workers, stored: ImageRef, start: Start
):
    worker = start("one")
    jobs = a_batch_runs(stored, *LONG)
    os.kill(host_of(worker), signal.SIGKILL)
    wait_until_quiet(60)
    assert_one_publication_each(jobs)
    assert set(Job.objects.filter(pk__in=jobs[1:]).values_list("attempt", flat=True)) == {2}
    assert worker.poll() is None
    assert until(lambda: queue.workers()[0].about["devices"][0]["restarts"] == 1, 15)


def test_a_hung_step_ends_and_harms_nobody_else(workers: Workers, stored: ImageRef, start: Start):
    start("one")
    hung, *others = a_batch_runs(stored, *LONG[:3], "9 20 x 0.1")
    hung = ask(stored, "hang 3 x 0.05")
    late = ask(stored, "late 3 x 0.05")
    wait_until_quiet(60)
    made = Job.objects.get(pk=hung)
    assert (made.state, made.reason, made.attempt) == (State.FAILED, Reason.TIMEOUT, 3)
    assert_one_publication_each([*others, late])


def test_what_needs_too_much_memory_fails_by_itself(stored: ImageRef, start: Start):
    start("one")
    first, poor, *others = a_batch_runs(stored, "oom 5 x 0.1", *LONG[1:])
    wait_until_quiet(60)
    made = Job.objects.get(pk=poor)
    assert (made.state, made.reason, made.attempt) == (State.FAILED, Reason.OUT_OF_MEMORY, 3)
    assert_one_publication_each([first, *others])
    assert set(Job.objects.filter(pk__in=others).values_list("attempt", flat=True)) == {1}
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
        assert until(answers, 30)

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
    workers: Workers, stored: ImageRef, start: Start, database_breaks: Callable[[], None]
):
    worker = start("one")
    jobs = a_batch_runs(stored, *LONG)
    database_breaks()
    wait_until_quiet(60)
    assert_one_publication_each(jobs)
    assert set(Job.objects.filter(pk__in=jobs).values_list("attempt", flat=True)) == {1}
    assert worker.poll() is None
    for job in Job.objects.filter(pk__in=jobs):
        assert names_on_disk(job.pk) == published(job)


def test_a_storage_that_is_gone_for_a_while_fails_nobody(stored: ImageRef, start: Start):
    start("one")
    jobs = a_batch_runs(stored, *LONG)
    media = Path(default_storage.path(""))
    away = media.with_name("unmounted")
    media.rename(away)
    try:
        jobs.append(ask(stored, "late 3 x 0.05"))
        waiting = Job.objects.filter(pk__in=jobs, reason=Reason.STORAGE_FULL, state=State.WAITING)
        assert until(lambda: waiting.count() == 5, 20), list(Job.objects.values("state", "reason"))
    finally:
        assert not media.exists()
        away.rename(media)
    begun = time.monotonic()
    wait_until_quiet(45)
    assert time.monotonic() - begun < 45
    assert_one_publication_each(jobs)
