"""Workers are killed, paused, crowded and drained; nothing is lost and nothing published twice."""

import hashlib
import signal
import time
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from forum.running.processes import describe, until
from generation import queue
from generation.jobs import sweeping
from generation.models import Job, Preview, State
from generation.requests import EditRequest, ImageRef
from tests.factories import a_picture
from tests.factories import stored as keep
from tests.faults.conftest import LONG
from tests.faults.halting import POINTS
from tests.workers import Workers, wait_for, wait_until_quiet

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]

#: A lost job is taken up again within 60 s: lease 30, sweep 20. The rest is a busy machine's.
RESCUE = timedelta(seconds=60 + 15)
#: How often each point is hit.
ROUNDS = 5 if LONG else 1


def names_on_disk(job: int) -> set[str]:
    """Stored files of a job's attempts."""
    try:
        return {f"results/{job}/{name}" for name in default_storage.listdir(f"results/{job}")[1]}
    except FileNotFoundError:
        return set()


def published(job: Job) -> set[str]:
    """Names of the files of a job's result."""
    assert job.result is not None
    return {job.result["file"]["name"], *(each["name"] for each in job.result["strip"])}


def assert_one_publication_each(jobs: list[int]) -> None:
    """Done, with the picture that the row speaks of, and the queue at peace."""
    bad = Job.objects.filter(pk__in=jobs).exclude(state=State.DONE)
    assert not bad.exists(), list(bad.values_list("pk", "state", "reason", "detail", "attempt"))
    for job in Job.objects.filter(pk__in=jobs):
        assert published(job) <= names_on_disk(job.pk)
        made = job.result["file"]
        with default_storage.open(made["name"]) as file:
            assert hashlib.sha256(file.read()).hexdigest() == made["sha256"]
    assert until(lambda: list(queue.audit()) == [], 90, 1), list(queue.audit())


def assert_hour_old_leftovers_go(jobs: list[int]) -> None:
    """What killed attempts left is swept after an hour; what was published stays."""
    Job.objects.filter(pk__in=jobs).update(started_at=Now() - timedelta(hours=2))
    sweeping.tidy()
    for job in Job.objects.filter(pk__in=jobs):
        assert names_on_disk(job.pk) == published(job)


@pytest.fixture
def stored(db: None) -> ImageRef:
    """A picture in the storage."""
    kept = keep(a_picture())
    return ImageRef(kept.sha256, kept.name, (kept.width, kept.height))


def ask(stored: ImageRef, prompt: str, seed: int = 0, asker: int | None = None) -> int:
    request = EditRequest("timed", prompt, seed, (stored,))
    return queue.submit(request, return_to="forum.receive_failure", asker=asker)


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_f1_killed_workers_lose_nothing_and_are_replaced_within_a_minute(
    workers: Workers, stored: ImageRef, round_: int
):
    """Each round is a test, and so has all of a test's time: its rescues alone take most of a minute."""
    for point in POINTS:
        workers.start(point, "--hosts", "1", wait=False, halting=(point, "KILL"))
    workers.wait_until_ready(*POINTS)
    jobs = [ask(stored, "10 x 0.1", seed) for seed in range(3 * len(POINTS))]
    for point in POINTS:
        assert workers.processes.pop(point).wait(60) == -signal.SIGKILL
    killed_at = queue_time()
    # Killed after its commit, a worker has done its job; the others have not.
    half = Job.objects.filter(pk__in=jobs, state=State.RUNNING)
    assert half.count() == len(POINTS) - 1
    assert Job.objects.filter(pk__in=jobs, state=State.DONE).count() == 1
    workers.start("sound")
    wait_until_quiet(120)
    assert_one_publication_each(jobs)
    again = Job.objects.filter(pk__in=jobs, attempt__gt=1)
    assert again.count() == len(POINTS) - 1
    assert max(again.values_list("started_at", flat=True)) - killed_at < RESCUE
    assert_hour_old_leftovers_go(jobs)
    assert workers.audit() == ""


def queue_time():
    """The database's clock, by which leases run."""
    return Job.objects.annotate(now=Now()).values_list("now", flat=True).first()


def test_f3_zombies_publish_nothing(workers: Workers, stored: ImageRef):
    """One stands still between two steps, another with its finished file in hand."""
    for point in ("mid-step", "after file"):
        workers.start(point, "--hosts", "1", wait=False, halting=(point, "STOP"))
    workers.wait_until_ready("mid-step", "after file")
    jobs = [ask(stored, "20 x 0.1", seed) for seed in range(2)]
    assert until(lambda: all(stands_still(workers, name) for name in list(workers.processes)), 60)
    assert Job.objects.filter(pk__in=jobs, state=State.RUNNING, attempt=1).count() == 2
    ready = {job: names_on_disk(job) for job in jobs}
    assert any(name.endswith(".webp") for names in ready.values() for name in names)

    workers.start("second")
    made = [wait_for(job, seconds=120) for job in jobs]
    assert [job.attempt for job in made] == [2, 2]
    for name in ("mid-step", "after file"):
        workers.signal(name, signal.SIGCONT)
    assert until(lambda: all(names_on_disk(job.pk) == published(job) for job in made), 60, 0.2), [
        (names_on_disk(job.pk), published(job)) for job in made
    ]
    wait_until_quiet(60)
    for job in made:
        after = Job.objects.get(pk=job.pk)
        assert (after.result, after.attempt) == (job.result, 2)
    assert_one_publication_each(jobs)
    assert workers.audit() == ""


def stands_still(workers: Workers, name: str) -> bool:
    """Whether a process was stopped by a signal."""
    found = describe(workers.processes[name].pid)
    return found is not None and found[0] == "T"


def test_f9_a_crowd_is_served_once_each_and_fairly(workers: Workers, stored: ImageRef):
    greedy = [ask(stored, "1 x 0.01", seed, asker=1) for seed in range(60)]
    modest = [ask(stored, "1 x 0.01", seed, asker=2) for seed in range(4)]
    for name in "abcd":
        workers.start(name, "--hosts", "1", wait=False)
    wait_until_quiet(120)
    assert_one_publication_each([*greedy, *modest])
    assert set(Job.objects.values_list("attempt", flat=True)) == {1}
    last_modest = max(Job.objects.filter(pk__in=modest).values_list("ended_at", flat=True))
    before = Job.objects.filter(pk__in=greedy, ended_at__lt=last_modest).count()
    assert before <= 20
    assert workers.audit() == ""


def test_f13_a_drained_worker_gives_job_and_try_back(workers: Workers, stored: ImageRef):
    workers.start("old")
    job = ask(stored, "600 x 0.1")
    assert until(lambda: Preview.objects.filter(job=job, step__gte=2).exists(), 60)
    begun = time.monotonic()
    assert workers.end("old", 60) == 0
    assert time.monotonic() - begun < 35  # what the house's supervisor grants
    made = Job.objects.get(pk=job)
    assert (made.state, made.attempt, made.reason) == (State.WAITING, 0, ""), workers.said()
    assert names_on_disk(job) == set()
    queue.cancel(job)
    assert workers.audit() == ""


def test_f13_what_can_still_be_finished_is(workers: Workers, stored: ImageRef):
    workers.start("old")
    job = ask(stored, "40 x 0.1")
    assert until(lambda: Preview.objects.filter(job=job, step__gte=2).exists(), 60)
    assert workers.end("old", 60) == 0
    assert Job.objects.get(pk=job).state == State.DONE
    assert names_on_disk(job) == published(Job.objects.get(pk=job))
    assert workers.audit() == ""
