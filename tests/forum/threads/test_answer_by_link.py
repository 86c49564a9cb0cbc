"""Answering by pointing to an image that exists."""

import pytest

from forum.threads.actions import KeyReused, NotAllowed, answer_by_link
from forum.threads.models import Reply
from tests.factories import a_thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def lake(salon, lin):
    return a_thread(salon, lin, title="A lake")


def test_it_points_and_copies_nothing(hill, plaza, ada):
    other = a_thread(plaza, ada)
    reply = answer_by_link(member=ada, to=hill.first_image, image=other.first_image, key="k")
    hill.refresh_from_db()
    assert (reply.state, reply.image, reply.thread) == ("done", other.first_image, hill)
    assert (hill.image_count, hill.reply_count, hill.voice_count) == (1, 1, 2)


def test_the_same_key_gives_the_same_reply(hill, plaza, ada):
    other = a_thread(plaza, ada).first_image
    first = answer_by_link(member=ada, to=hill.first_image, image=other, key="k")
    assert answer_by_link(member=ada, to=hill.first_image, image=other, key="k") == first


def test_a_key_serves_one_image_only(hill, plaza, ada):
    answer_by_link(member=ada, to=hill.first_image, image=a_thread(plaza, ada).first_image, key="k")
    with pytest.raises(KeyReused):
        answer_by_link(
            member=ada, to=hill.first_image, image=a_thread(plaza, ada).first_image, key="k"
        )


def test_an_image_does_not_answer_itself(hill, ada):
    with pytest.raises(NotAllowed):
        answer_by_link(member=ada, to=hill.first_image, image=hill.first_image, key="k")


def test_an_image_answers_another_once(hill, plaza, ada, wen):
    other = a_thread(plaza, ada).first_image
    answer_by_link(member=ada, to=hill.first_image, image=other, key="k")
    with pytest.raises(NotAllowed):
        answer_by_link(member=wen, to=hill.first_image, image=other, key="k")


def test_one_cannot_point_to_what_one_cannot_see(hill, river, wen):
    with pytest.raises(NotAllowed):
        answer_by_link(member=wen, to=hill.first_image, image=river.first_image, key="k")
    assert not Reply.objects.exists()


def test_a_private_image_is_not_shown_around(hill, river, lin):
    with pytest.raises(NotAllowed):
        answer_by_link(member=lin, to=hill.first_image, image=river.first_image, key="k")


def test_members_may_point_among_themselves(river, lake, lin):
    assert answer_by_link(member=lin, to=river.first_image, image=lake.first_image, key="k")


def test_what_is_for_members_is_not_shown_to_everybody(hill, lake, lin):
    with pytest.raises(NotAllowed):
        answer_by_link(member=lin, to=hill.first_image, image=lake.first_image, key="k")
