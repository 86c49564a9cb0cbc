"""Moderators of the house and of a board take an image out of sight and bring it back, and say why."""

import pytest

from forum.boards.models import Board, Decision, Membership
from forum.images import actions, events
from forum.images.models import Image, ImageState
from forum.images.refusals import Refused
from forum.members.models import Member
from tests.conftest import a_member
from tests.factories import a_thread

pytestmark = pytest.mark.django_db

WHY = {"reason": "It shows somebody who does not want it."}


@pytest.fixture
def keeper(plaza: Board) -> Member:
    """Moderates the public board and no other."""
    return a_keeper(plaza)


def a_keeper(board: Board) -> Member:
    member = a_member(f"keeper-{board.slug}", name="Kim")
    Membership.objects.create(board=board, member=member, role=Membership.Role.MODERATOR)
    return member


def test_hidden_from_all_but_moderators(plaza, lin, moderator, keeper, original, browse):
    image = original(plaza, lin)
    assert browse(moderator).post(f"/images/{image.pk}/hide/", WHY).status_code == 302
    address = f"/images/{image.pk}/files/display"
    seen = [browse(who).get(address).status_code for who in (None, lin, keeper, moderator)]
    assert seen == [404, 404, 200, 200]
    assert browse(keeper).get(f"/images/{image.pk}/files/original").status_code == 404
    for who in (keeper, moderator):
        assert browse(who).get(address)["Cache-Control"] == "private, no-store"


def test_shown_again(plaza, lin, moderator, original, browse):
    image = original(plaza, lin)
    actions.hide(image=image, by=moderator, reason="Not here.")
    assert browse(moderator).post(f"/images/{image.pk}/show/").status_code == 302
    assert browse().get(f"/images/{image.pk}/files/display").status_code == 200


@pytest.mark.parametrize("who", ["moderator", "keeper"])
def test_the_page_offers_it_to_those_who_moderate(plaza, lin, browse, who, request):
    page = f"/images/{a_thread(plaza, lin).first_image.pk}/"
    assert f'href="{page}hide/"' not in browse(lin).get(page).content.decode()
    desk = browse(request.getfixturevalue(who))
    assert f'href="{page}hide/"' in desk.get(page).content.decode()
    assert "Its author is told" in desk.get(f"{page}hide/").content.decode()
    told = desk.post(f"{page}hide/", WHY, follow=True).content.decode()
    assert "It is hidden." in told and f'action="{page}show/"' in told and WHY["reason"] in told
    assert "Everybody sees it again." in desk.post(f"{page}show/", follow=True).content.decode()


def test_without_a_reason_nothing_is_hidden(plaza, lin, keeper, original, browse):
    image = original(plaza, lin)
    answer = browse(keeper).post(f"/images/{image.pk}/hide/", {"reason": "  "})
    assert answer.status_code == 422 and "Say why" in answer.content.decode()
    with pytest.raises(Refused, match="no_reason"):
        actions.hide(image=image, by=keeper, reason=" ")
    assert Image.objects.get().state == ImageState.READY and not Decision.objects.exists()


def test_a_keeper_of_another_board_cannot(plaza, lin, original, browse, salon):
    image, other = original(plaza, lin), a_keeper(salon)
    for verb in ("hide", "show"):
        assert browse(other).post(f"/images/{image.pk}/{verb}/", WHY).status_code == 404
    with pytest.raises(Refused, match="not_yours"):
        actions.hide(image=image, by=other, reason="Mine.")
    actions.hide(image=image, by=a_keeper(plaza), reason="Not here.")
    assert browse(other).get(f"/images/{image.pk}/").status_code == 404
    assert browse(other).get(f"/images/{image.pk}/files/display").status_code == 404


def test_what_the_house_hid_a_board_does_not_show_again(plaza, lin, moderator, keeper, browse):
    image = a_thread(plaza, lin).first_image
    actions.hide(image=image, by=moderator, reason="Law.")
    page = browse(keeper).get(f"/images/{image.pk}/").content.decode()
    assert "Law." in page and f"/images/{image.pk}/show/" not in page
    answer = browse(keeper).post(f"/images/{image.pk}/show/", follow=True).content.decode()
    assert "only they show it again" in answer
    assert Image.objects.get().state == ImageState.HIDDEN
    actions.show(image=image, by=moderator)
    actions.hide(image=image, by=keeper, reason="Taste.")
    actions.show(image=image, by=keeper)
    assert Image.objects.get().state == ImageState.READY


def test_its_author_is_told_since_when_by_whose_office_why_and_whom_to_ask(
    plaza, lin, ada, keeper, browse, settings
):
    settings.FORUM_CONTACT = "house@example.org"
    image = a_thread(plaza, lin, title="A hill").first_image
    actions.hide(image=image, by=keeper, reason="It shows a <b>face</b>.")
    answer = browse(lin).get(f"/images/{image.pk}/")
    page = answer.content.decode()
    assert answer.status_code == 403 and "Your image is hidden" in page
    assert "a moderator of this board" in page and "It shows a &lt;b&gt;face&lt;/b&gt;." in page
    assert str(Decision.objects.get().made_at.year) in page and "<time" in page
    assert 'href="/members/keeper-plaza/"' in page and "mailto:house@example.org" in page
    assert "/show/" not in page and "/files/" not in page
    for other in (None, ada):
        assert browse(other).get(f"/images/{image.pk}/").status_code == 404


def test_its_author_is_told_nothing_once_the_board_is_closed_to_them(rivers, lin, owner, browse):
    image = a_thread(rivers, lin).first_image
    actions.hide(image=image, by=owner, reason="Not here.")
    assert browse(lin).get(f"/images/{image.pk}/").status_code == 403
    Membership.objects.filter(member=lin).delete()
    assert browse(lin).get(f"/images/{image.pk}/").status_code == 404


def test_in_chinese(plaza, wen, moderator, browse):
    image = a_thread(plaza, wen).first_image
    actions.hide(image=image, by=moderator, reason="有人不愿意出现在这里。")
    page = browse(wen).get(f"/images/{image.pk}/").content.decode()
    assert "有人不愿意出现在这里。" in page and 'lang="zh-hans"' in page


def test_every_decision_is_written_down_for_those_who_moderate(
    plaza, lin, moderator, keeper, browse
):
    image = a_thread(plaza, lin, title="A hill").first_image
    actions.hide(image=image, by=keeper, reason="A face.")
    actions.show(image=image, by=moderator, reason="They agreed.")
    rows = Decision.objects.order_by("pk").values_list("kind", "office", "by__username", "reason")
    assert list(rows) == [
        ("hidden", "board", keeper.username, "A face."),
        ("shown", "house", "moss", "They agreed."),
    ]
    for who in (keeper, moderator):
        page = browse(who).get("/boards/plaza/decisions/").content.decode()
        assert "A face." in page and "They agreed." in page and "A hill" in page
    assert browse(lin).get("/boards/plaza/decisions/").status_code == 403


def test_hiding_twice_is_written_down_once(plaza, lin, keeper, original):
    image = original(plaza, lin)
    for _ in range(2):
        actions.hide(image=image, by=keeper, reason="A face.")
    assert Decision.objects.count() == 1


def test_a_program_of_its_author_is_told_too(plaza, lin, ada, keeper):
    from forum.members import tokens
    from tests.forum.api.conftest import Program, is_problem

    image = a_thread(plaza, lin).first_image
    actions.hide(image=image, by=keeper, reason="A face.")
    answer = Program(tokens.make(member=lin, name="t")[1]).get(f"/images/{image.pk}")
    is_problem(answer, 403, "hidden")
    assert (answer.json()["by"], answer.json()["reason"]) == ("board", "A face.")
    is_problem(
        Program(tokens.make(member=ada, name="t")[1]).get(f"/images/{image.pk}"), 404, "not_found"
    )


def test_members_cannot_even_their_own(plaza, lin, original, browse):
    image = original(plaza, lin)
    assert browse(lin).post(f"/images/{image.pk}/hide/", WHY).status_code == 404
    with pytest.raises(Refused, match="not_yours"):
        actions.hide(image=image, by=lin, reason="Mine.")
    assert Image.objects.get().state == ImageState.READY


def test_a_withdrawn_image_does_not_come_back(plaza, lin, moderator, original):
    image = original(plaza, lin)
    actions.withdraw(image=image, by=lin)
    actions.show(image=image, by=moderator)
    actions.hide(image=image, by=moderator, reason="Not here.")
    assert Image.objects.get().state == ImageState.WITHDRAWN and not Decision.objects.exists()


def test_upper_rooms_are_told(plaza, lin, moderator, original):
    image, told = original(plaza, lin), []

    def hear(image):
        told.append(image.state)

    events.on_hidden.append(hear)
    try:
        actions.hide(image=image, by=moderator, reason="Not here.")
        actions.show(image=image, by=moderator)
    finally:
        events.on_hidden.remove(hear)
    assert told == [ImageState.HIDDEN, ImageState.READY]


def test_its_author_can_still_withdraw_it(plaza, lin, ada, keeper, browse):
    image = a_thread(plaza, lin).first_image
    actions.hide(image=image, by=keeper, reason="A face.")
    place = f"/images/{image.pk}/withdraw/"
    assert place in browse(lin).get(f"/images/{image.pk}/").content.decode()
    assert [browse(who).get(place).status_code for who in (ada, keeper, lin)] == [404, 404, 200]
    assert browse(lin).post(place).status_code == 302
    assert Image.objects.get().state == ImageState.WITHDRAWN
    assert browse(lin).get(f"/images/{image.pk}/").status_code == 404
