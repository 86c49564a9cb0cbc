"""One's own images, and those of somebody else."""

import pytest

from forum.images import actions, views

pytestmark = pytest.mark.django_db


def test_my_images_are_mine(plaza, lin, ada, original, derivative, browse):
    mine = original(plaza, lin, title="Harbour")
    original(plaza, ada, title="Elsewhere")
    answer = derivative(mine, author=lin)
    page = browse(lin).get("/settings/images/").content.decode()
    assert "Harbour" in page
    assert "Elsewhere" not in page
    for image in (mine, answer):
        assert f"/images/{image.pk}/edit/" in page
        assert f"/images/{image.pk}/files/original" in page


def test_hidden_ones_are_named_and_withdrawn_ones_gone(plaza, lin, moderator, original, browse):
    hidden, gone = original(plaza, lin), original(plaza, lin)
    actions.hide(image=hidden, by=moderator, reason="Not here.")
    actions.withdraw(image=gone, by=lin)
    page = browse(lin).get("/settings/images/").content.decode()
    assert "hidden by a moderator" in page
    assert f"/images/{gone.pk}/" not in page


def test_visitors_sign_in_first(db, browse):
    answer = browse().get("/settings/images/")
    assert answer.status_code == 302
    assert "next=/settings/images/" in answer["Location"]


def test_none_yet(lin, browse):
    assert "You have posted no image yet." in browse(lin).get("/settings/images/").content.decode()


def test_pages(plaza, lin, original, browse, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 2)
    images = [original(plaza, lin) for _ in range(3)]
    client = browse(lin)
    first = client.get("/settings/images/").content.decode()
    address = f"/settings/images/?before={images[1].pk}"
    assert address in first
    assert f"/images/{images[0].pk}/edit/" not in first
    second = client.get(address).content.decode()
    assert f"/images/{images[0].pk}/edit/" in second
    assert f"/images/{images[2].pk}/edit/" not in second


@pytest.mark.parametrize("before", ["x", "-1", "9" * 40, "", "1;2"])
def test_a_forged_place_is_no_fault(before, lin, browse):
    assert browse(lin).get("/settings/images/", {"before": before}).status_code == 200


def test_queries_do_not_grow(plaza, lin, original, browse, django_assert_max_num_queries):
    for _ in range(4):
        original(plaza, lin)
    client = browse(lin)
    with django_assert_max_num_queries(6):
        client.get("/settings/images/")


def test_somebodys_images_as_far_as_one_may_see(plaza, rivers, lin, wen, ada, original, browse):
    original(plaza, lin, title="Harbour")
    original(rivers, lin, title="Secret")
    page = browse(wen).get("/members/lin/images/").content.decode()
    assert "Harbour" in page
    assert "Secret" not in page
    assert "Secret" in browse(ada).get("/members/lin/images/").content.decode()


def test_as_a_fragment_it_is_a_list_alone(plaza, lin, original, browse):
    original(plaza, lin)
    answer = browse().get("/members/lin/images/", headers={"HX-Request": "true"})
    assert "<html" not in answer.content.decode()
    assert '<ul class="sheet">' in answer.content.decode()
