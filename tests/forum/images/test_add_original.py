"""An uploaded image is written down once, with its files."""

import pytest
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import transaction

from forum.images import actions, audit
from forum.images.models import File, Image, Kind, Origin
from forum.images.refusals import Refused
from forum.threads.models import Thread
from tests.forum.images import odd
from tests.forum.images.conftest import WORDS

pytestmark = pytest.mark.django_db


def test_the_row_says_what_was_uploaded(plaza, lin, original):
    data = odd.jpeg_with_a_place()
    image = original(plaza, lin, data, title="Harbour", alt="Boats", licence="CC0-1.0")
    assert (image.kind, image.board, image.author, image.generation) == (
        Kind.ORIGINAL,
        plaza,
        lin,
        0,
    )
    assert (image.width, image.height, image.recipe) == (320, 240, {})
    assert set(image.files.values_list("role", flat=True)) == {"original", "display", "thumb"}
    with default_storage.open(image.file("original").name) as file:
        assert file.read() == data
    assert list(audit.check()) == []


def test_engines_are_given_our_own_bytes(plaza, lin, original):
    image = original(plaza, lin)
    ref = image.source_ref()
    assert ref.name == image.file("display").name
    assert ref.size == (320, 240)


def test_what_the_file_says_outweighs_what_is_said(plaza, lin, original):
    image = original(plaza, lin, odd.png_made_by_a_generator(), origin=Origin.HAND)
    assert image.origin == Origin.AI_DETECTED


def test_what_is_said_stands_where_the_file_says_nothing(plaza, lin, original):
    assert original(plaza, lin, origin=Origin.AI_DECLARED).origin == Origin.AI_DECLARED


def test_the_same_form_twice_is_one_image(plaza, lin, original, media):
    first = original(plaza, lin, key="k1")
    files = len([p for p in media.rglob("*") if p.is_file()])
    second = original(plaza, lin, key="k1")
    assert second == first
    assert Image.objects.count() == 1
    assert len([p for p in media.rglob("*") if p.is_file()]) == files


def test_the_same_key_with_another_picture_is_refused(plaza, lin, original):
    original(plaza, lin, key="k1")
    with pytest.raises(Refused, match="key_reused") as caught:
        original(plaza, lin, odd.png(), key="k1")
    assert caught.value.status == 409
    assert Image.objects.count() == 1


def test_another_member_may_have_the_same_key(plaza, lin, ada, original):
    assert original(plaza, lin, key="k1") != original(plaza, ada, key="k1")


def test_without_a_key_each_is_its_own(plaza, lin, original):
    assert original(plaza, lin) != original(plaza, lin)


@pytest.mark.parametrize(
    "words", [{"title": "x" * 121}, {"licence": "MIT"}, {"origin": "magic"}, {"alt": "x" * 1001}]
)
def test_unfit_words_make_no_row(words, plaza, lin, original):
    with pytest.raises(ValidationError):
        original(plaza, lin, **words)
    assert not Image.objects.exists()


def test_a_rollback_leaves_no_row(plaza, lin, take):
    thread = Thread.objects.create(board=plaza)
    taken = take(odd.png())
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.add_original(ingested=taken, thread=thread, board=plaza, author=lin, **WORDS)
        raise RuntimeError
    assert not File.objects.exists()
