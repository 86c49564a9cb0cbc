"""Real workers that shall take no more: an operator drains them, or a signal asks them to end."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db.models import F

from forum.running.processes import until
from generation import queue
from generation.models import Job, Preview, State, Worker
from generation.requests import EditRequest, ImageRef
from generation.worker import ending
from tests.generation.conftest import HOME
from tests.workers import Workers, wait_for

Ask = Callable[..., list[int]]


def test_a_drained_worker_finishes_and_waits(workers: Workers, stored: ImageRef) -> None:
    """And goes on when it is let."""

    def timed(prompt: str) -> int:
        request = EditRequest(preset="timed", prompt=prompt, seed=7, sources=(stored,))
        return queue.submit(request, return_to=HOME)

    workers.start("one", "--queues", "edit:timed", "--hosts", "1")
    running = timed("120 x 0.1")
    wait_for(running, State.RUNNING)
    assert queue.drain("one")
    assert until(lambda: "worker drains" in workers.said(), 30)
    late = timed("1 x 0.05")
    wait_for(running, seconds=60)
    assert Job.objects.get(pk=running).attempt == 1
    time.sleep(2)
    assert Job.objects.get(pk=late).state == State.WAITING
    assert not queue.can_do("timed")
    assert Worker.objects.filter(name="one", seen_at__gt=F("started_at")).exists()
    assert queue.refill("one")
    wait_for(late, seconds=40)
    assert workers.end("one") == 0


# --- asked to end by a signal ---------------------------------------------------------------------

BATCHES = Path(__file__).with_name("batches.toml")


def test_what_runs_is_given_twice_what_it_is_expected_to_take() -> None:
    """At least 18 s, and never more than the operator allows."""
    assert ending.grace([], 600) == ending.LEAST == 18.0
    assert ending.grace([1.0, 4.0], 600) == 18.0
    assert ending.grace([40.0, 12.0], 600) == 80.0
    assert ending.grace([400.0], 600) == 600.0
    assert ending.grace([1.0], 5) == 5.0


@pytest.fixture
def on_a_device(workers: Workers, stored: ImageRef, monkeypatch: pytest.MonkeyPatch) -> Ask:
    """A worker "one" with a sleeping device: `ask("30 x 0.1")` once it runs."""
    monkeypatch.setenv("FORUM_PRESETS", str(BATCHES))

    def begin(*prompts: str, drain: str = "600") -> list[int]:
        workers.start(
            "one", "--queues", "light,edit:together", FORUM_PRESETS=str(BATCHES),
            FORUM_STUDIO_DEVICES="cpu", FORUM_DRAIN_SECONDS=drain,
        )  # fmt: skip
        assert until(lambda: queue.can_do("together"), 60), workers.said()
        jobs = []
        for prompt in prompts:
            request = EditRequest("together", prompt, 1, (stored,))
            jobs.append(queue.submit(request, return_to=HOME, topic="thread.1"))
            # The others come too late for the first one's batch.
            steps = Preview.objects.filter(job=jobs[0], step__gte=1)
            assert len(jobs) > 1 or until(steps.exists, 30), workers.said()
        return jobs

    return begin


def given_back(jobs: list[int]) -> bool:
    """Whether these wait again, with all their tries and no reason."""
    found = Job.objects.filter(pk__in=jobs).values_list("state", "attempt", "reason")
    return list(found) == [(State.WAITING, 0, "")] * len(jobs)


def test_what_takes_longer_than_an_operator_allows_goes_back(
    workers: Workers, on_a_device: Ask
) -> None:
    """With its try; and the log says for what was waited, and how long."""
    jobs = on_a_device("100 x 0.2", "2 x 0.2", drain="1.5")
    begun = time.monotonic()
    assert workers.end("one", 20) == 0
    assert 1.4 < time.monotonic() - begun < 12
    assert given_back(jobs), workers.said()
    said = workers.said()
    assert "worker waits for what runs" in said and "at_most=1.5" in said
    assert f"jobs=[{jobs[0]}]" in said and 'why="time is up"' in said
    assert list(queue.audit()) == []


def test_a_second_signal_ends_at_once_and_nothing_fails(workers: Workers, on_a_device: Ask) -> None:
    """What has a minute to go is not waited for, neither is its host."""
    jobs = on_a_device("15 x 0.1", "20 x 3", "20 x 3")
    assert until(lambda: Job.objects.filter(pk=jobs[0], state=State.DONE).exists(), 30)
    assert until(lambda: Job.objects.filter(state=State.RUNNING).count() == 2, 20)
    process = workers.processes.pop("one")
    process.terminate()
    assert until(lambda: "worker waits for what runs" in workers.said(), 10)
    begun = time.monotonic()
    process.terminate()
    assert process.wait(20) == 0
    assert time.monotonic() - begun < 6, workers.said()
    assert given_back(jobs[1:]), workers.said()
    assert 'why="asked twice"' in workers.said()
    assert list(queue.audit()) == []


def test_a_batch_that_takes_longer_than_usual_grace_is_finished(
    workers: Workers, on_a_device: Ask, stored: ImageRef
) -> None:
    """It was measured before: twice that is waited."""
    [first] = on_a_device("110 x 0.1")
    wait_for(first, seconds=60)
    request = EditRequest("together", "200 x 0.1", 2, (stored,))
    second = queue.submit(request, return_to=HOME, topic="thread.1")
    assert until(lambda: Preview.objects.filter(job=second, step__gte=1).exists(), 30)
    assert workers.end("one", 60) == 0
    assert Job.objects.get(pk=second).state == State.DONE, workers.said()
