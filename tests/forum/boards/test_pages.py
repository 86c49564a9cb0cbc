"""The boards' pages."""

import pytest

from forum.boards.models import Board, Membership

pytestmark = pytest.mark.django_db

RAIN = {
    "title": "Rain", "slug": "rain", "description": "Wet.", "visibility": "private",
    "licence": "CC0-1.0", "preset": "darkroom",
}  # fmt: skip


def test_a_board_is_made_and_changed(browse, lin):
    client = browse(lin)
    assert client.post("/new-board/", RAIN).headers["Location"] == "/boards/rain/"
    assert client.post("/boards/rain/edit/", {**RAIN, "title": "Showers"}).status_code == 302
    assert Board.objects.get().title == "Showers"


@pytest.mark.parametrize(
    "words", [{"slug": "No Good"}, {"title": ""}, {"visibility": "x"}, {"preset": "magic"}]
)
def test_what_cannot_be_is_said_beside_its_field(browse, lin, words):
    answer = browse(lin).post("/new-board/", {**RAIN, **words})
    assert answer.status_code == 422
    assert b"errorlist" in answer.content
    assert not Board.objects.exists()


def test_a_taken_address_is_said_beside_its_field(browse, rivers, wen):
    answer = browse(wen).post("/new-board/", {**RAIN, "slug": "rivers"})
    assert answer.status_code == 422
    assert "已有别的版块使用此地址。" in answer.content.decode()  # Wen reads Chinese


def test_a_member_is_let_in_and_put_out(browse, rivers, owner, wen):
    client = browse(owner)
    path = "/boards/rivers/members/"
    assert client.post(path, {"username": "WEN", "role": "member"}).status_code == 302
    assert Membership.objects.filter(board=rivers, member=wen).exists()
    assert client.post(path, {"username": "nobody", "role": "member"}).status_code == 422
    client.post(f"{path}wen/remove/")
    assert not Membership.objects.filter(board=rivers, member=wen).exists()


def test_an_archived_board_is_taken_up_again(browse, plaza, owner):
    client = browse(owner)
    client.post("/boards/plaza/archive/")
    assert Board.objects.get().is_archived
    assert b"archived" in client.get("/boards/").content
    client.post("/boards/plaza/archive/", {"reopen": "yes"})
    assert not Board.objects.get().is_archived


def test_the_list_shows_what_may_be_seen_in_few_queries(
    browse, plaza, salon, rivers, wen, django_assert_max_num_queries
):
    client = browse(wen)
    with django_assert_max_num_queries(8):
        page = client.get("/boards/").content.decode()
    assert "Salon" in page and "Rivers" not in page
