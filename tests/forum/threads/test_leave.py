"""What a member leaves behind in threads."""

import pytest

from forum.images.models import Image
from forum.members.actions import leave
from forum.threads.actions import read, take_in
from forum.threads.models import Reading, Reply, Thread
from generation.models import Job
from tests.factories import a_thread, ask, come_out

pytestmark = pytest.mark.django_db


def test_what_they_wait_for_is_stopped(asked, ada):
    leave(member=ada, keep_images=True)
    assert Reply.objects.get().state == "cancelled"
    assert Job.objects.get(pk=asked.job).state == "cancelled"


def test_their_words_stay_if_they_wish(asked, ada):
    come_out(asked.job)
    take_in(asked.job)
    leave(member=ada, keep_images=True)
    assert Reply.objects.get().prompt == "make it night"


def test_their_words_go_if_they_wish(asked, ada, lin, hill):
    come_out(asked.job)
    take_in(asked.job)
    read(member=ada, image=hill.first_image, text="It waits.")
    answered = Reply.objects.get().image
    ask(lin, answered, key="upon it")
    leave(member=ada, keep_images=False)
    kept = Reply.objects.get(image=answered)
    assert (kept.prompt, kept.author, kept.job) == ("", None, None)
    assert not Reading.objects.exists()
    assert not Job.objects.filter(request__prompt="make it night", asker=ada.pk).exists()


def test_images_nobody_built_upon_go_without_a_trace(asked, ada, hill):
    come_out(asked.job)
    take_in(asked.job)
    leave(member=ada, keep_images=False)
    assert not Reply.objects.exists()
    assert list(Image.objects.all()) == [hill.first_image]


def test_a_thread_that_nobody_answered_goes_with_its_image(ada, plaza):
    a_thread(plaza, ada)
    leave(member=ada, keep_images=False)
    assert not Image.objects.exists()
    assert not Thread.objects.exists()


def test_replies_that_became_nothing_go(asked, ada):
    leave(member=ada, keep_images=False)
    assert not Reply.objects.exists()


def test_the_counters_stay_true(asked, ada, hill):
    come_out(asked.job)
    take_in(asked.job)
    leave(member=ada, keep_images=False)
    hill.refresh_from_db()
    assert (hill.image_count, hill.reply_count, hill.voice_count) == (1, 0, 1)
