"""A person takes a job back, and asks for it again."""

import uuid

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from generation import queue
from generation.jobs import publishing
from generation.models import Job, Reason, State
from tests.generation.test_sweep import start, tasks_of

pytestmark = pytest.mark.django_db


def test_a_waiting_job_is_taken_back_with_its_task(ask):
    job = ask()
    assert queue.cancel(job)
    assert Job.objects.get(pk=job).state == State.CANCELLED
    assert tasks_of(job) == []


def test_a_running_job_loses_its_token_and_its_worker_is_told(ask):
    job = ask()
    token = start(job).token
    assert queue.cancel(job)
    assert Job.objects.get(pk=job).token is None
    assert not Job.objects.finish(job, token, {"a": 1})
    assert ProcrastinateJob.objects.get(queueing_lock=f"job:{job}").abort_requested


def test_what_has_ended_cannot_be_taken_back(ask, studio):
    job = ask()
    studio.work()
    assert not queue.cancel(job)
    assert Job.objects.get(pk=job).state == State.DONE


def test_a_failed_job_can_be_tried_again_with_all_its_tries(ask, studio):
    job = ask("qwertyuiop")
    studio.work()
    assert queue.retry(job)
    made = Job.objects.get(pk=job)
    assert (made.state, made.attempt, made.reason, made.taken_in_at) == (State.WAITING, 0, "", None)
    assert len(tasks_of(job)) == 1
    studio.work()
    assert Job.objects.get(pk=job).reason == Reason.NOTHING_UNDERSTOOD


def test_a_cancelled_job_can_be_asked_for_again(ask, studio):
    job = ask()
    queue.cancel(job)
    assert queue.retry(job)
    studio.work()
    assert queue.result(job) is not None


def test_a_done_job_is_not_tried_again(ask, studio):
    job = ask()
    studio.work()
    assert not queue.retry(job)


def test_a_failure_that_may_pass_waits_for_its_next_try_and_fails_after_three(ask):
    job = ask()
    for attempt in (1, 2, 3):
        held = publishing.claim(job, uuid.uuid4())
        assert held is not None and held.attempt == attempt
        assert publishing.try_later(held, Reason.OUT_OF_MEMORY, "")
    made = Job.objects.get(pk=job)
    assert (made.state, made.reason) == (State.FAILED, Reason.OUT_OF_MEMORY)
    assert publishing.claim(job, uuid.uuid4()) is None


def test_a_worker_that_ends_gives_the_try_back(ask):
    job = ask()
    for _ in range(5):
        held = publishing.claim(job, uuid.uuid4())
        assert held is not None and held.attempt == 1
        assert publishing.drain(held)
    assert Job.objects.get(pk=job).attempt == 0


def test_an_unknown_outcome_is_read_from_the_row(ask):
    job = ask()
    held = publishing.claim(job, uuid.uuid4())
    assert held is not None
    assert publishing.outcome(held, "results/1/a.webp") is None
    publishing.publish(held, {"file": {"name": "results/1/a.webp"}})
    assert publishing.outcome(held, "results/1/a.webp") is True
    assert publishing.outcome(held, "results/1/b.webp") is False
