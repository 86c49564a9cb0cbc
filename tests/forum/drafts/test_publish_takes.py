"""What enters the thread of a draft, and what becomes of the rest."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db.models.functions import Now

from forum.drafts import actions
from forum.drafts.models import Draft, Take
from forum.images.actions import withdraw
from forum.images.audit import orphans
from forum.images.models import Descent, FileRole, Image
from forum.members.actions import leave
from forum.reruns.recipes import again
from forum.threads.actions import NotAllowed
from forum.threads.models import Reply, ReplyState, Thread
from generation import queue
from tests.factories import a_thread

pytestmark = pytest.mark.django_db


def name_of(take) -> str:
    return queue.result(take.job).file.name


@pytest.fixture
def talked(say, studio):
    """A draft of two turns."""
    [first] = say("make it night", seed=3)
    studio.work()
    [second] = say("in sepia", seed=4)
    studio.work()
    return first, second


def test_a_published_take_is_an_answer(say, studio, lin, hill) -> None:
    takes = say(candidates=2, seed=3)
    studio.work()
    reply = actions.publish(take=takes[1], by=lin)
    assert reply.state == ReplyState.WAITING
    studio.work()
    reply.refresh_from_db()
    assert (reply.state, reply.prompt, reply.seed) == (ReplyState.DONE, "make it night", 4)
    image = reply.image
    assert (image.author, image.thread, image.generation) == (lin, hill.thread, 1)
    assert image.file(FileRole.ORIGINAL).name == name_of(takes[1])
    assert Thread.objects.get(pk=hill.thread_id).reply_count == 1
    assert not Image.objects.filter(job=takes[0].job).exists()


def test_publishing_twice_is_once(say, studio, lin) -> None:
    [take] = say()
    studio.work()
    first = actions.publish(take=take, by=lin)
    assert actions.publish(take=take, by=lin) == first
    studio.work()
    assert actions.publish(take=take, by=lin) == first
    assert Reply.objects.count() == 1


def test_several_turns_are_told_as_one_and_can_be_made_again(talked, studio, lin) -> None:
    first, second = talked
    reply = actions.publish(take=second, by=lin)
    studio.work()
    reply.refresh_from_db()
    assert reply.prompt == "make it night → in sepia"
    recipe = reply.image.recipe
    assert recipe["prompt"] == "make it night → in sepia"
    assert [each["prompt"] for each in recipe["turns"]] == ["make it night", "in sepia"]
    step = reply.image.files.get(role=FileRole.STEP)
    assert step.name == name_of(first)
    assert again(reply.image, lin).request.sources[0].name == step.name
    assert not [o for o in again(reply.image, lin).obstacles if o.blocks]


def test_second_pictures_of_all_turns_are_sources(say, studio, lin, plaza, hill) -> None:
    other = a_thread(plaza, lin).first_image
    say("double exposure", second=other)
    studio.work()
    [take] = say("in sepia")
    studio.work()
    reply = actions.publish(take=take, by=lin)
    studio.work()
    reply.refresh_from_db()
    assert list(reply.further_sources.all()) == [other]
    sources = Descent.objects.filter(child=reply.image).order_by("position")
    assert [each.source for each in sources] == [hill, other]


def test_nothing_is_published_of_a_second_picture_that_was_withdrawn(
    say, studio, lin, plaza
) -> None:
    other = a_thread(plaza, lin).first_image
    [take] = say("double exposure", second=other)
    studio.work()
    withdraw(image=other, by=lin)
    with pytest.raises(NotAllowed):
        actions.publish(take=take, by=lin)
    assert not Reply.objects.exists()


def test_what_is_not_published_is_swept(say, studio, lin, settings) -> None:
    takes = say(candidates=3)
    studio.work()
    actions.publish(take=takes[0], by=lin)
    studio.work()
    assert actions.sweep_drafts() == 0
    Draft.objects.update(moved_at=Now() - timedelta(days=settings.FORUM_DRAFT_DAYS + 1))
    assert actions.sweep_drafts() == 1
    assert not Draft.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_swept_files_go_and_published_ones_stay(talked, say, studio, lin) -> None:
    first, second = talked
    [third] = say("as a pencil drawing")
    studio.work()
    actions.publish(take=second, by=lin)
    studio.work()
    names = [name_of(take) for take in (first, second, third)]
    actions.leave(draft=first.draft, by=lin)
    assert [default_storage.exists(name) for name in names] == [True, True, False]
    assert not Take.objects.exists()
    image = Image.objects.get(job=second.job)
    assert default_storage.exists(image.file(FileRole.STEP).name)
    assert not list(orphans())


def test_nobody_goes_on_from_a_withdrawn_image(talked, ada, hill) -> None:
    withdraw(image=hill, by=ada)
    assert not Draft.objects.exists()


def test_who_leaves_takes_their_drafts_along(talked, lin) -> None:
    leave(member=lin, keep_images=True)
    assert not Draft.objects.exists()


def test_a_board_that_closed_meanwhile_refuses(say, studio, lin, hill) -> None:
    [take] = say()
    studio.work()
    reply = actions.publish(take=take, by=lin)
    hill.allow_derivatives = False
    hill.save()
    studio.work()
    reply.refresh_from_db()
    assert (reply.state, reply.reason) == (ReplyState.FAILED, "not_consented")
