"""Who sees which board."""

import pytest

from forum.boards.models import Board

pytestmark = pytest.mark.django_db


def slugs(member) -> set[str]:
    return set(Board.objects.visible_to(member).values_list("slug", flat=True))


def test_a_visitor_sees_public_boards_only(plaza, salon, rivers):
    assert slugs(None) == {"plaza"}


def test_a_member_also_sees_boards_for_members(plaza, salon, rivers, wen):
    assert slugs(wen) == {"plaza", "salon"}


def test_those_who_belong_see_a_private_board(plaza, salon, rivers, lin):
    assert slugs(lin) == {"plaza", "salon", "rivers"}


def test_moderators_see_all(plaza, salon, rivers, moderator):
    assert slugs(moderator) == {"plaza", "salon", "rivers"}


def test_a_banned_member_sees_no_more_than_a_visitor(plaza, salon, rivers, lin):
    lin.is_active = False
    lin.save()
    assert slugs(lin) == {"plaza"}
