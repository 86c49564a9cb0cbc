"""Where jobs stand, for pages: one query however many."""

import json
import uuid
from datetime import timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from generation import queue
from generation.jobs import previews, publishing
from generation.models import State, Worker

pytestmark = pytest.mark.django_db


def test_many_are_read_in_one_query(ask, django_assert_num_queries):
    jobs = [ask(asker=n) for n in range(5)]
    with django_assert_num_queries(1):
        found = queue.read([*jobs, 4711])
    assert sorted(found) == jobs
    assert [found[job].before for job in jobs] == [0, 1, 2, 3, 4]


def test_the_wait_adds_what_stands_before(ask):
    first, second = ask("at night"), ask("at night")
    found = queue.read([first, second])
    assert found[second].seconds == pytest.approx(2 * found[first].seconds)
    assert found[first].seconds > 0


def test_before_counts_in_the_order_of_turns(ask):
    greedy = [ask(asker=1) for _ in range(3)]
    modest = ask(asker=2)
    found = queue.read([*greedy, modest])
    assert found[modest].before == 1
    assert found[greedy[2]].before == 3


def test_a_running_job_shows_step_and_frame(ask):
    held = publishing.claim(ask(), uuid.uuid4())
    assert held is not None
    assert previews.show(held, 2, 8, "night", b"\xff\xd8frame")
    assert previews.show(held, 3, 8, "night")
    found = queue.read([held.job_id])[held.job_id]
    assert (found.state, found.step, found.total, found.stage) == (State.RUNNING, 3, 8, "night")
    assert found.has_frame and queue.frame(held.job_id) == b"\xff\xd8frame"


def test_a_frame_of_a_lost_attempt_is_not_shown(ask):
    held = publishing.claim(ask(), uuid.uuid4())
    assert held is not None
    queue.cancel(held.job_id)
    assert not previews.show(held, 2, 8, "night", b"x")
    assert queue.frame(held.job_id) == b""


def test_a_failure_shows_its_reason(ask, studio):
    job = ask("qwertyuiop")
    studio.work()
    found = queue.read([job])[job]
    assert (found.state, found.reason) == (State.FAILED, "nothing_understood")
    assert found.detail
    assert found.seconds == 0


def test_workers_count_while_they_are_heard_of():
    for name, age in (("a", 5), ("b", 45)):
        Worker.objects.create(
            name=name, queues=["light", "edit:darkroom"], about={},
            started_at=Now(), seen_at=Now() - timedelta(seconds=age),
        )  # fmt: skip
    assert [each.name for each in queue.workers()] == ["a"]
    assert [each.name for each in queue.workers(within=60)] == ["a", "b"]
    assert queue.can_do("darkroom")
    assert not queue.can_do("klein")


@pytest.mark.django_db(transaction=True)
def test_moves_and_frames_are_told_at_commit_with_ids_only(ask):
    words = connection.get_connection_params()
    listener = psycopg.connect(
        **{k: words[k] for k in ("dbname", "user", "password", "host", "port") if k in words},
        autocommit=True,
    )
    with listener:
        listener.execute("LISTEN changes")
        job = ask()
        held = publishing.claim(job, uuid.uuid4())
        assert held is not None
        previews.show(held, 1, 8, "night", b"x")
        with transaction.atomic():
            queue.cancel(job)
            transaction.set_rollback(True)
        publishing.publish(held, {"file": {"name": "a"}})
        told = [json.loads(each.payload) for each in listener.notifies(timeout=0.5)]
    assert told == [
        {"topic": "thread.1", "k": "job", "id": job},
        {"topic": "thread.1", "k": "preview", "id": job},
        {"topic": "thread.1", "k": "job", "id": job},
    ]
