"""Stopping a reply."""

import pytest

from forum.threads.actions import NotAllowed, stop, take_in
from generation.models import Job
from tests.factories import come_out

pytestmark = pytest.mark.django_db


def test_its_author_may_stop_it(asked, ada):
    stop(reply=asked, by=ada)
    asked.refresh_from_db()
    assert asked.state == "cancelled"
    assert asked.ended_at is not None
    assert Job.objects.get(pk=asked.job).state == "cancelled"


def test_a_moderator_may_stop_it(asked, moderator):
    assert stop(reply=asked, by=moderator).state == "cancelled"


def test_nobody_else_may_stop_it(asked, lin):
    with pytest.raises(NotAllowed):
        stop(reply=asked, by=lin)


def test_stopping_twice_is_stopping_once(asked, ada):
    stop(reply=asked, by=ada)
    assert stop(reply=asked, by=ada).state == "cancelled"


def test_what_has_come_into_being_cannot_be_stopped(asked, ada):
    come_out(asked.job)
    take_in(asked.job)
    with pytest.raises(NotAllowed):
        stop(reply=asked, by=ada)


def test_the_thread_is_told(asked, ada, hill, heard):
    stop(reply=asked, by=ada)
    assert (hill.topic, "reply", asked.pk) in heard
