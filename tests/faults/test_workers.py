"""Workers are killed, paused, crowded and drained; nothing is lost and nothing published twice."""

import random
import signal
import time

import pytest
from django.core.files.storage import default_storage

from forum.running.processes import until
from generation import queue
from generation.models import Job, Preview, State
from generation.requests import EditRequest, ImageRef
from tests.factories import a_picture
from tests.factories import stored as keep
from tests.workers import Workers, wait_for, wait_until_quiet

pytestmark = [pytest.mark.fault, pytest.mark.django_db(transaction=True)]


def names_on_disk(job: int) -> set[str]:
    """Stored files of a job's attempts."""
    try:
        return set(default_storage.listdir(f"results/{job}")[1])
    except FileNotFoundError:
        return set()


def assert_one_publication_each(jobs: list[int]) -> None:
    """Done, one image each, no file beside the published ones that is finished."""
    states = dict(Job.objects.filter(pk__in=jobs).values_list("pk", "state"))
    bad = Job.objects.filter(pk__in=jobs).exclude(state=State.DONE)
    assert not bad.exists(), list(bad.values_list("pk", "reason", "detail", "attempt"))
    assert set(states.values()) == {State.DONE}, states
    assert list(queue.audit()) == []


@pytest.fixture
def stored(db: None) -> ImageRef:
    """A picture in the storage."""
    kept = keep(a_picture())
    return ImageRef(kept.sha256, kept.name, (kept.width, kept.height))


def ask(stored: ImageRef, prompt: str, seed: int = 0, asker: int | None = None) -> int:
    request = EditRequest("timed", prompt, seed, (stored,))
    return queue.submit(request, return_to="forum.receive_failure", asker=asker)


def test_f1_killed_workers_lose_nothing_within_a_minute(workers: Workers, stored: ImageRef, times):
    workers.start("a"), workers.start("b")
    jobs = [ask(stored, "10 x 0.1", seed) for seed in range(12)]
    chance = random.Random(1)
    killed_at = time.monotonic()
    for n in range(times(20)):
        time.sleep(chance.uniform(0.2, 1.5))
        name = "ab"[n % 2] + "2" * (n // 2)
        if name in workers.processes:
            workers.kill(name)
            killed_at = time.monotonic()
        workers.start("ab"[n % 2] + "2" * (n // 2 + 1), wait=False)
    wait_until_quiet(120)
    assert time.monotonic() - killed_at < 75  # 60 s to the rescue, and the work itself
    assert_one_publication_each(jobs)


def test_f3_a_zombie_publishes_nothing(workers: Workers, stored: ImageRef):
    workers.start("zombie", "--hosts", "1")
    job = ask(stored, "20 x 0.1")
    assert until(lambda: Preview.objects.filter(job=job, step__gte=3).exists(), 20)
    workers.signal("zombie", signal.SIGSTOP)
    workers.start("second")
    assert until(lambda: Job.objects.filter(pk=job, attempt=2).exists(), 60)
    made = wait_for(job)
    workers.signal("zombie", signal.SIGCONT)
    published = {made.result["file"]["name"], *(e["name"] for e in made.result["strip"])}
    assert until(lambda: {f"results/{job}/{name}" for name in names_on_disk(job)} == published, 15)
    wait_until_quiet(30)
    assert Job.objects.get(pk=job).result == made.result
    assert until(lambda: list(queue.audit()) == [], 40), list(queue.audit())


def test_f9_a_crowd_is_served_once_each_and_fairly(workers: Workers, stored: ImageRef):
    greedy = [ask(stored, "1 x 0.01", seed, asker=1) for seed in range(60)]
    modest = [ask(stored, "1 x 0.01", seed, asker=2) for seed in range(4)]
    for name in "abcd":
        workers.start(name, "--hosts", "1", wait=False)
    wait_until_quiet(90)
    assert_one_publication_each([*greedy, *modest])
    assert set(Job.objects.values_list("attempt", flat=True)) == {1}
    last_modest = max(Job.objects.filter(pk__in=modest).values_list("ended_at", flat=True))
    before = Job.objects.filter(pk__in=greedy, ended_at__lt=last_modest).count()
    assert before <= 20


def test_f13_a_drained_worker_gives_its_job_back(workers: Workers, stored: ImageRef):
    workers.start("old")
    job = ask(stored, "600 x 0.1")
    assert until(lambda: Preview.objects.filter(job=job, step__gte=2).exists(), 20)
    begun = time.monotonic()
    assert workers.end("old") == 0
    assert time.monotonic() - begun < 30
    made = Job.objects.get(pk=job)
    assert (made.state, made.attempt) == (State.WAITING, 0)
    assert names_on_disk(job) == set()
    assert list(queue.audit()) == []
    queue.cancel(job)
