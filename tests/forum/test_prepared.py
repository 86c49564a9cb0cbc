"""Questions whose SQL is written once answer like the querysets that they were written from."""

from itertools import product

import pytest
from django.db import connection
from django.http import Http404
from django.test.utils import CaptureQueriesContext

from forum.images.models import Image, ImageState
from forum.members.models import Member
from forum.prepared import prepared
from forum.threads.cards import WINDOW, answers_of
from forum.threads.models import Reply
from forum.threads.views.image import seen
from tests.factories import a_thread, an_upload_reply

pytestmark = pytest.mark.django_db


def found(member: Member | None, image: Image) -> bool:
    """Whether the prepared question gives the image to this person."""
    try:
        return seen(member, image.pk) == image
    except Http404:
        return False


def test_it_remembers_nobody(plaza, salon, rivers, lin, wen, moderator, owner) -> None:
    """Asked by everybody in turn, it shows each what the rule for them shows."""
    images = [a_thread(board, lin).first_image for board in (plaza, salon, rivers)]
    hidden = a_thread(plaza, lin).first_image
    Image.objects.filter(pk=hidden.pk).update(state=ImageState.HIDDEN)
    people = [lin, None, wen, moderator, owner, lin, None]
    banned = Member.objects.get(pk=moderator.pk)
    banned.is_active = False
    for who, image in product([*people, banned], [*images, hidden]):
        wanted = Image.objects.visible_to(who).filter(pk=image.pk).exists()
        assert found(who, image) == wanted, (who, image.board.slug)
    assert found(lin, images[2])
    assert not found(wen, images[2])
    assert found(moderator, hidden)
    assert not found(banned, hidden)


def test_rows_are_whole(plaza, lin) -> None:
    """Related rows and annotations come along; what was left out is fetched when it is asked for."""
    image = a_thread(plaza, lin).first_image
    with CaptureQueriesContext(connection) as asked:
        one = seen(lin, image.pk)
        assert (one.author, one.board, one.thread) == (lin, plaza, image.thread)
        assert one.thread_language == image.language
    assert len(asked) == 1
    assert one.get_deferred_fields() == {"pdq", "sha256"}
    assert one.sha256 == image.sha256


def test_a_window_of_answers(plaza, lin, ada) -> None:
    """Every page of a long thread, and of a short one beside it, has its own answers and files."""
    long, short = (a_thread(plaza, lin).first_image for _ in range(2))
    made = [an_upload_reply(long, ada) for _ in range(WINDOW + 3)]
    lone = an_upload_reply(short, ada)
    cards, older = answers_of(long)
    rest, end = answers_of(long, before=str(older))
    assert [card.reply for card in cards + rest] == made[::-1]
    assert end is None
    assert {file.role for file in long.known_files} == {"original", "display", "thumb"}
    for card in cards + rest:
        assert card.image is not None
        assert [file.role for file in card.image.known_files] == ["thumb"]
    assert [card.reply for card in answers_of(short)[0]] == [lone]


def test_a_member_by_number(rivers, lin, ada, wen, django_assert_num_queries) -> None:
    """Whoever asks for a member of something is not given somebody else."""
    with django_assert_num_queries(1):
        assert Member.objects.get(pk=wen.pk) == wen
    rivers.members.get(pk=ada.pk)
    for asked in (rivers.members.get, Member.objects.filter(pk=lin.pk).get):
        with pytest.raises(Member.DoesNotExist):
            asked(pk=wen.pk)
    with pytest.raises(Member.DoesNotExist):
        Member.objects.get(pk=2**62)


def test_values_stay_values(plaza, lin) -> None:
    """The SQL is one text for all values, also for none that any row has."""
    questions = []

    @prepared
    def after(pk: int) -> object:
        questions.append(pk)
        return Reply.objects.filter(pk__gt=pk).order_by("pk")

    image = a_thread(plaza, lin).first_image
    one, two = an_upload_reply(image, lin), an_upload_reply(image, lin)
    assert after(0) == [one, two]
    assert after(one.pk) == [two]
    assert after(two.pk) == after(2**63 - 1) == []
    assert len(questions) == 1


def test_for_nobody(plaza, lin) -> None:
    """A question that no value can answer is not asked at all."""
    image = a_thread(plaza, lin).first_image

    @prepared
    def nothing(pk: int) -> object:
        return Image.objects.filter(pk=pk).none()

    with CaptureQueriesContext(connection) as asked:
        assert nothing(image.pk) == nothing(image.pk) == []
    assert len(asked) == 0
