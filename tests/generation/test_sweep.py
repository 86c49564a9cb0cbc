"""What was lost is found: by a worker's periodic task, or by any web process."""

import uuid

import pytest
from django.db import connection
from procrastinate.contrib.django.models import ProcrastinateJob

from generation import queue
from generation.jobs import sweeping
from generation.jobs.posting import FAILURES_TO, outgoing
from generation.jobs.publishing import claim
from generation.models import Job, Reason, State
from tests.generation.conftest import HOME
from tests.generation.test_move_jobs import lapse

pytestmark = pytest.mark.django_db


def sql(statement: str, *words: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, words)


def tasks_of(job: int) -> list[ProcrastinateJob]:
    rows = ProcrastinateJob.objects.filter(queueing_lock=f"job:{job}", status__in=["todo", "doing"])
    return list(rows)


def start(job: int) -> Job:
    """A worker takes the task and claims the job."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT worker_id FROM procrastinate_register_worker_v1()")
        (worker,) = cursor.fetchone()
        cursor.execute("SELECT id FROM procrastinate_fetch_job_v2(NULL, %s)", [worker])
    assert claim(job, uuid.uuid4())
    return Job.objects.get(pk=job)


def die(job: Job) -> None:
    """The worker of this job falls silent."""
    lapse(job)
    sql("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '31 seconds'")


def test_with_nothing_lost_it_finds_nothing(ask):
    start(ask())
    ask()
    assert queue.sweep() == 0


def test_a_job_whose_worker_died_waits_again_with_a_task(ask):
    job = ask()
    die(start(job))
    assert [each.status for each in tasks_of(job)] == ["doing"]
    assert queue.sweep() == 2
    made = Job.objects.get(pk=job)
    assert (made.state, made.attempt, made.reason) == (State.WAITING, 1, Reason.WORKER_LOST)
    assert [each.status for each in tasks_of(job)] == ["todo"]
    assert queue.sweep() == 0


def test_after_three_tries_it_fails_and_the_forum_hears(ask):
    job = ask()
    for _ in range(3):
        die(start(job))
        queue.sweep()
    made = Job.objects.get(pk=job)
    assert (made.state, made.reason, made.attempt) == (State.FAILED, Reason.WORKER_LOST, 3)
    home = ProcrastinateJob.objects.get(task_name=FAILURES_TO)
    assert home.args == {"job_id": job}
    assert tasks_of(job) == []


def test_a_waiting_job_without_a_task_gets_one(ask):
    job = ask()
    outgoing.job_manager.cancel_job_by_id(tasks_of(job)[0].pk, delete_job=True)
    assert queue.sweep() == 1
    assert len(tasks_of(job)) == 1


def test_a_message_that_was_not_taken_in_is_repeated_after_a_minute(ask, studio):
    job = ask()
    studio.notch()
    sql("DELETE FROM procrastinate_jobs WHERE task_name = %s", HOME)
    assert queue.sweep() == 0
    sql("UPDATE generation_job SET ended_at = now() - interval '61 seconds'")
    assert queue.sweep() == 1
    assert queue.sweep() == 0  # one message waits already
    studio.work()
    assert Job.objects.get(pk=job).taken_in_at is not None


def test_a_lost_message_is_repeated_at_once_and_one_under_way_is_not(ask, studio):
    job = ask()
    studio.notch()
    sql("UPDATE generation_job SET ended_at = now() - interval '11 seconds'")
    sql("UPDATE procrastinate_jobs SET status = 'doing' WHERE task_name = %s", HOME)
    assert sweeping.untold() == 0
    sql("UPDATE procrastinate_jobs SET status = 'failed' WHERE task_name = %s", HOME)
    assert sweeping.untold() == 1
    studio.work()
    assert Job.objects.get(pk=job).taken_in_at is not None


def test_a_job_whose_preset_is_gone_fails(ask):
    job = ask()
    Job.objects.filter(pk=job).update(queue="edit:gone", preset="gone")
    assert queue.sweep() == 1
    made = Job.objects.get(pk=job)
    assert (made.state, made.reason) == (State.FAILED, Reason.NO_MACHINE)


def test_what_a_dead_attempt_left_is_tidied_after_an_hour(ask, studio):
    from django.core.files.base import ContentFile
    from django.core.files.storage import default_storage

    from generation.jobs.sweeping import tidy

    job = ask()
    die(start(job))
    orphan = default_storage.save(f"results/{job}/{'a' * 32}.webp", ContentFile(b"x"))
    queue.sweep()
    studio.work()
    assert tidy() == 0
    sql("UPDATE generation_job SET started_at = now() - interval '61 minutes'")
    assert tidy() == 1
    result = queue.result(job)
    assert result is not None and default_storage.exists(result.file.name)
    assert not default_storage.exists(orphan)
