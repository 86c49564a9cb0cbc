"""Every way through the states: compare-and-set, along the declared moves, by whoever comes first."""

import uuid

import pytest
from django.db import connection
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from forum.states import graph
from generation.models import TRIES, Job, State

ENDS = {State.DONE, State.FAILED, State.CANCELLED}


def test_the_moves_make_a_graph_without_dead_ends():
    made = graph(State.WAITING, Job.MOVES, [State.DONE])
    assert made.states == set(State.values)


def a_job(**words):
    return Job.objects.create(
        task="edit", request={}, queue="edit:darkroom", return_to="x", **words
    )


def lapse(job: Job) -> None:
    """Let its lease run out."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE generation_job SET lease_until = now() - interval '1 second' WHERE id = %s",
            [job.pk],
        )


class Jobs(RuleBasedStateMachine):
    """Two workers, a sweep and a person move one job about, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.job = a_job()
        self.before = State.WAITING.value
        self.tokens: list[uuid.UUID] = []
        self.published: list[str] = []
        self.tries = 0

    def state(self) -> str:
        return Job.objects.values_list("state", flat=True).get(pk=self.job.pk)

    def moved(self, ok: bool, *ends: str) -> None:
        now = self.state()
        if ok:
            assert now in ends
            assert (self.before, now) in Job.MOVES
        else:
            assert now == self.before
        self.before = now

    @rule()
    def claim(self):
        token = uuid.uuid4()
        ok = Job.objects.claim(self.job.pk, token)
        if ok:
            self.tokens.append(token)
            self.tries += 1
        self.moved(ok, State.RUNNING)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def finish(self, data):
        token = data.draw(st.sampled_from(self.tokens))
        ok = Job.objects.finish(self.job.pk, token, {"by": token.hex})
        if ok:
            assert token == self.tokens[-1]
            self.published.append(token.hex)
        self.moved(ok, State.DONE)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data(), counts=st.booleans())
    def hand_back(self, data, counts):
        token = data.draw(st.sampled_from(self.tokens))
        ok = Job.objects.hand_back(self.job.pk, token, counts=counts)
        self.tries -= ok and not counts
        self.moved(ok, State.WAITING)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def fail(self, data):
        token = data.draw(st.sampled_from(self.tokens))
        self.moved(Job.objects.fail(self.job.pk, token, "engine_error"), State.FAILED)

    @precondition(lambda self: self.tokens)
    @rule(data=st.data())
    def renew(self, data):
        token = data.draw(st.sampled_from(self.tokens))
        ok = Job.objects.renew(self.job.pk, token)
        assert ok == (self.state() == State.RUNNING and token == self.tokens[-1])

    @rule()
    def worker_dies(self):
        if self.state() == State.RUNNING:
            lapse(self.job)

    @rule()
    def rescue(self):
        self.moved(Job.objects.rescue(self.job.pk), State.WAITING)

    @rule()
    def give_up(self):
        self.moved(Job.objects.give_up(self.job.pk), State.FAILED)

    @rule()
    def refuse(self):
        self.moved(Job.objects.refuse(self.job.pk, "no_machine"), State.FAILED)

    @rule()
    def cancel(self):
        self.moved(Job.objects.cancel(self.job.pk), State.CANCELLED)

    @rule()
    def try_again(self):
        ok = Job.objects.try_again(self.job.pk)
        self.tries = 0 if ok else self.tries
        self.moved(ok, State.WAITING)

    @invariant()
    def it_is_published_at_most_once(self):
        assert len(self.published) <= 1

    @invariant()
    def tries_are_counted_and_bounded(self):
        job = Job.objects.get(pk=self.job.pk)
        assert job.attempt == self.tries <= TRIES

    @invariant()
    def only_a_running_job_has_a_token(self):
        job = Job.objects.get(pk=self.job.pk)
        assert (job.token is not None) == (job.state == State.RUNNING)
        assert (job.lease_until is not None) == (job.state == State.RUNNING)
        assert (job.ended_at is not None) == (job.state in ENDS)


class TestMoves(Jobs.TestCase, TestCase):
    settings = settings(
        max_examples=40,
        stateful_step_count=20,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.django_db
def test_a_late_result_that_nobody_replaced_is_welcome():
    job, token = a_job(), uuid.uuid4()
    Job.objects.claim(job.pk, token)
    lapse(job)
    assert Job.objects.finish(job.pk, token, {"a": 1})


@pytest.mark.django_db
def test_a_result_after_another_took_over_is_not():
    job, slow, quick = a_job(), uuid.uuid4(), uuid.uuid4()
    Job.objects.claim(job.pk, slow)
    assert not Job.objects.claim(job.pk, quick)
    lapse(job)
    assert Job.objects.claim(job.pk, quick)
    assert not Job.objects.finish(job.pk, slow, {"a": 1})
    assert Job.objects.finish(job.pk, quick, {"a": 2})
