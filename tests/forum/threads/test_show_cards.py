"""Finished cards are rendered once and never show what is no longer true."""

import pytest
from django.template.loader import render_to_string
from django.utils import translation

from forum.threads.cards import cards_for
from forum.threads.models import Reply
from tests.factories import an_upload_reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def reply(hill, ada):
    return an_upload_reply(hill.first_image, ada)


def shown() -> str:
    [card] = cards_for(Reply.objects.all().for_card())
    return render_to_string("threads/_reply.html", {"card": card})


def test_it_is_the_same_markup_the_second_time(reply):
    assert shown() == shown()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "Another name"),
        ("alt", "Another hill"),
        ("state", "hidden"),
        ("origin", "ai-declared"),
    ],
)
def test_a_change_of_the_image_shows_at_once(reply, field, value):
    before = shown()
    type(reply.image).objects.filter(pk=reply.image_id).update(**{field: value})
    assert shown() != before


def test_a_change_of_the_author_shows_at_once(reply, ada):
    before = shown()
    ada.name = "Ada L."
    ada.save()
    assert "Ada L." in shown() != before


def test_a_new_answer_shows_at_once(reply, lin):
    assert "waiting for an answer" in shown()
    an_upload_reply(reply.image, lin)
    [first] = cards_for(Reply.objects.filter(pk=reply.pk).for_card())
    words = {"card": first}
    assert "1 answer" in render_to_string("threads/_reply.html", words)


def test_each_language_has_its_own(reply):
    english = shown()
    with translation.override("zh-hans"):
        assert "等待回应" in shown() or shown() != english
    assert shown() == english
