"""How long it takes, honestly: by what such jobs took lately, and by how many are made at once."""

import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.db.models.functions import Now

from generation import queue
from generation.jobs import publishing
from generation.models import Job, Pace, State, Worker

pytestmark = pytest.mark.django_db
Ask = Callable[..., int]


def a_worker(name: str = "one", at_once: int = 1, *queues: str, **more: object) -> None:
    """Somebody who makes so many at once."""
    names = list(queues or ("edit:darkroom",))
    about = {"hosts": 9, "at_once": dict.fromkeys(names, at_once)}
    Worker.objects.create(
        name=name, queues=names, about=about, started_at=Now(), seen_at=Now(), **more
    )


def test_without_a_worker_it_is_impossible(ask: Ask) -> None:
    """So says every door: the job's standing, the forecast, the short answer."""
    job = ask()
    assert queue.read([job])[job].workers == 0
    assert queue.foresee("darkroom", 1).workers == 0
    assert not queue.can_do("darkroom")
    a_worker()
    assert queue.read([job])[job].workers == 1
    assert queue.foresee("darkroom", 1).workers == 1


def test_a_drained_or_silent_worker_does_not_count(ask: Ask) -> None:
    """Nor does one that takes other jobs."""
    job = ask()
    a_worker("drained", draining=True)
    a_worker("other", 1, "edit:klein")
    a_worker("silent")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generation_worker SET seen_at = now() - interval '1 minute' WHERE name = 'silent'"
        )
    assert queue.read([job])[job].workers == 0
    assert "klein" in queue.offered() and "longcat" not in queue.offered()


def test_more_machines_make_the_wait_shorter(ask: Ask) -> None:
    """What is before is shared among all that are made at once; one's own time is not."""
    jobs = [ask(asker=n) for n in range(5)]
    last = jobs[-1]
    a_worker()
    alone = queue.read([last])[last].seconds
    own = queue.read([jobs[0]])[jobs[0]].seconds
    assert alone == pytest.approx(5 * own, rel=0.01)
    a_worker("two", 3)
    assert queue.read([last])[last].seconds == pytest.approx(own + 4 * own / 4, rel=0.01)


def test_jobs_of_other_queues_that_share_the_machine_count(ask: Ask) -> None:
    """A worker of two presets makes one after the other."""
    other = ask(asker=1)
    Job.objects.filter(pk=other).update(queue="edit:klein")
    job = ask(asker=2)
    a_worker("one", 1, "edit:darkroom")
    assert queue.read([job])[job].before == 0
    Worker.objects.update(queues=["edit:darkroom", "edit:klein"])
    assert queue.read([job])[job].before == 1


def test_expectations_learn_from_what_is_made(ask: Ask) -> None:
    """Jobs that take ten times as long as expected make the next expectation longer."""
    a_worker()
    expected = queue.foresee("darkroom", 1).seconds
    for _ in range(3):
        job = ask()
        held = publishing.claim(job, uuid.uuid4())
        assert held is not None
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE generation_job SET started_at = now() - make_interval(secs => seconds * 10)"
                " WHERE id = %s",
                [job],
            )
        assert publishing.publish(held, {"file": {"name": "x"}, "strip": []})
    pace = Pace.objects.get(preset="darkroom")
    assert pace.jobs == 3 and pace.factor == pytest.approx(10, rel=0.2)
    assert queue.foresee("darkroom", 1).seconds == pytest.approx(10 * expected, rel=0.2)


def test_a_running_job_counts_with_what_is_left_of_it(ask: Ask) -> None:
    """And an overdue one with nothing, never with less."""
    a_worker()
    running = ask(asker=1)
    assert publishing.claim(running, uuid.uuid4()) is not None
    job = ask(asker=2)
    own = Job.objects.get(pk=job).seconds
    assert queue.read([job])[job].seconds == pytest.approx(2 * own, rel=0.3)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE generation_job SET started_at = now() - interval '1 hour'")
    assert queue.read([job])[job].seconds == pytest.approx(own, rel=0.05)


def test_the_forecast_is_where_the_job_then_stands(ask: Ask) -> None:
    """For somebody new, and for somebody who waits with one already."""
    a_worker()
    for asker in (1, 1, 2):
        ask(asker=asker)
    for asker in (3, 1):
        said = queue.foresee("darkroom", 1, asker=asker).before
        job = ask(asker=asker)
        assert queue.read([job])[job].before == said
        queue.cancel(job)
    assert Job.objects.filter(state=State.WAITING).count() == 3
