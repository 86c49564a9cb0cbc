"""Making, changing, archiving boards; letting people in and out."""

import json

import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ValidationError

from forum.boards import actions
from forum.boards.models import Board, Membership, Visibility

pytestmark = pytest.mark.django_db


def test_whoever_makes_a_board_moderates_it(lin):
    board = actions.create(by=lin, slug="rain", title="Rain")
    assert Board.objects.editable_by(lin).get() == board
    assert board.preset == "" and board.usual == settings.FORUM_DEFAULT_PRESET


def test_a_setting_leaves_making_to_moderators(lin, moderator, settings):
    settings.FORUM_BOARD_MAKERS = "moderators"
    with pytest.raises(actions.NotAllowed):
        actions.create(by=lin, slug="rain", title="Rain")
    actions.create(by=moderator, slug="rain", title="Rain")


def test_a_taken_address_is_told_even_where_the_board_is_private(rivers, wen):
    with pytest.raises(actions.SlugTaken):
        actions.create(by=wen, slug="rivers", title="Mine")
    assert Board.objects.count() == 1


@pytest.mark.parametrize(
    "fields",
    [
        {"slug": "Not Good"},
        {"slug": ""},
        {"slug": "x" * 51},
        {"title": ""},
        {"title": "x" * 101},
        {"description": "x" * 2001},
        {"visibility": "secret"},
        {"licence": "mine"},
    ],
)
def test_values_that_cannot_be_are_refused(lin, fields):
    with pytest.raises(ValidationError):
        actions.create(by=lin, **{"slug": "rain", "title": "Rain", **fields})
    assert not Board.objects.exists()


def test_unknown_fields_are_a_mistake_of_ours(lin, owner):
    with pytest.raises(TypeError):
        actions.create(by=lin, slug="rain", title="Rain", made_by=owner)


def test_a_members_board_cannot_be_changed_by_others(rivers, lin):
    for verb in (actions.archive, actions.reopen):
        with pytest.raises(actions.NotAllowed):
            verb(board=rivers, by=lin)
    with pytest.raises(actions.NotAllowed):
        actions.change(board=rivers, by=lin, title="Ours")


def test_archived_boards_are_read_but_not_posted_in(plaza, owner, lin):
    actions.archive(board=plaza, by=owner)
    assert Board.objects.visible_to(lin).exists()
    assert not Board.objects.open_to(lin).exists()
    actions.reopen(board=plaza, by=owner)
    assert Board.objects.open_to(lin).exists()


def test_somebody_is_let_in_once_and_may_be_given_an_office(rivers, wen, owner):
    actions.add_member(board=rivers, member=wen, by=owner)
    actions.add_member(board=rivers, member=wen, by=owner, role="moderator")
    assert Membership.objects.get(board=rivers, member=wen).role == "moderator"
    assert Board.objects.editable_by(wen).get() == rivers


def test_an_unknown_office_is_refused(rivers, wen, owner):
    with pytest.raises(ValueError):
        actions.add_member(board=rivers, member=wen, by=owner, role="king")


def test_members_put_nobody_out_but_may_go(rivers, lin, ada):
    with pytest.raises(actions.NotAllowed):
        actions.remove_member(board=rivers, member=ada, by=lin)
    actions.remove_member(board=rivers, member=lin, by=lin)
    assert not Board.objects.visible_to(lin).exists()


@pytest.mark.django_db(transaction=True)
def test_changes_of_access_are_announced(rivers, lin, owner):
    with psycopg.connect(url(), autocommit=True) as bus:
        bus.execute("LISTEN changes")
        actions.change(board=rivers, by=owner, title="Streams")
        actions.change(board=rivers, by=owner, visibility=Visibility.MEMBERS)
        actions.remove_member(board=rivers, member=lin, by=owner)
        heard = [json.loads(each.payload) for each in bus.notifies(timeout=1)]
    told = {"topic": "access", "k": "board", "id": rivers.pk}
    assert heard == [told, told]


def url() -> str:
    """The test's own database."""
    from django.db import connection

    words = connection.get_connection_params()
    kept = {
        key: words[key] for key in ("host", "port", "user", "password", "dbname") if key in words
    }
    return psycopg.conninfo.make_conninfo(**kept)
