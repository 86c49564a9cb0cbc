"""Trying a reply again."""

import pytest

from forum.images.models import Image
from forum.threads.actions import NotAllowed, TooMany, stop, take_in, take_in_failure, try_again
from generation.models import Job
from tests.factories import come_out, go_wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def failed(asked):
    go_wrong(asked.job, "worker_lost")
    take_in_failure(asked.job)
    asked.refresh_from_db()
    return asked


def test_a_failed_reply_waits_again_under_the_same_job(failed, ada):
    before = failed.job
    again = try_again(reply=failed, by=ada)
    failed.refresh_from_db()
    assert (failed.state, failed.reason, failed.ended_at) == ("waiting", "", None)
    assert again.job == before
    assert Job.objects.get(pk=before).state == "waiting"


def test_a_stopped_reply_may_be_tried_again(asked, ada):
    stop(reply=asked, by=ada)
    assert try_again(reply=asked, by=ada).state == "waiting"


def test_it_comes_out_the_second_time(failed, ada):
    try_again(reply=failed, by=ada)
    come_out(failed.job)
    assert take_in(failed.job) is not None


def test_a_reply_that_is_forming_stays_as_it_is(asked, ada):
    assert try_again(reply=asked, by=ada).state == "waiting"
    assert Job.objects.count() == 1


def test_a_job_that_came_out_after_all_is_asked_anew(asked, ada):
    come_out(asked.job)
    stop(reply=asked, by=ada)
    again = try_again(reply=asked, by=ada)
    assert again.job != asked.job
    assert take_in(asked.job) is None


def test_nobody_else_may_try_it(failed, lin):
    with pytest.raises(NotAllowed):
        try_again(reply=failed, by=lin)


def test_it_is_refused_when_the_source_is_gone(failed, ada, hill):
    Image.objects.filter(pk=hill.first_image_id).update(state="withdrawn")
    with pytest.raises(NotAllowed):
        try_again(reply=failed, by=ada)


def test_it_costs_what_asking_costs(failed, ada, settings):
    settings.FORUM_EDITS_PER_HOUR = 0
    with pytest.raises(TooMany):
        try_again(reply=failed, by=ada)
    failed.refresh_from_db()
    assert failed.state == "failed"


def test_a_reply_that_is_done_cannot_be_tried_again(asked, ada):
    come_out(asked.job)
    take_in(asked.job)
    with pytest.raises(NotAllowed):
        try_again(reply=asked, by=ada)
