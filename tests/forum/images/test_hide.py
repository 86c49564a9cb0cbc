"""A moderator takes an image out of sight and brings it back."""

import pytest

from forum.images import actions, events
from forum.images.models import Image, ImageState
from forum.images.refusals import Refused
from tests.factories import a_thread

pytestmark = pytest.mark.django_db


def test_hidden_from_all_but_moderators(plaza, lin, moderator, original, browse):
    image = original(plaza, lin)
    assert browse(moderator).post(f"/images/{image.pk}/hide/").status_code == 302
    address = f"/images/{image.pk}/files/display"
    assert [browse(who).get(address).status_code for who in (None, lin, moderator)] == [
        404,
        404,
        200,
    ]
    assert browse(moderator).get(address)["Cache-Control"] == "private, no-store"


def test_shown_again(plaza, lin, moderator, original, browse):
    image = original(plaza, lin)
    actions.hide(image=image, by=moderator)
    assert browse(moderator).post(f"/images/{image.pk}/show/").status_code == 302
    assert browse().get(f"/images/{image.pk}/files/display").status_code == 200


def test_the_page_has_the_button_for_moderators_alone(plaza, lin, moderator, browse):
    page = f"/images/{a_thread(plaza, lin).first_image.pk}/"
    assert f'action="{page}hide/"' not in browse(lin).get(page).content.decode()
    desk = browse(moderator)
    assert f'action="{page}hide/"' in desk.get(page).content.decode()
    told = desk.post(f"{page}hide/", follow=True).content.decode()
    assert "It is hidden." in told and f'action="{page}show/"' in told
    assert "Everybody sees it again." in desk.post(f"{page}show/", follow=True).content.decode()


def test_members_cannot_even_their_own(plaza, lin, original, browse):
    image = original(plaza, lin)
    assert browse(lin).post(f"/images/{image.pk}/hide/").status_code == 404
    with pytest.raises(Refused, match="not_yours"):
        actions.hide(image=image, by=lin)
    assert Image.objects.get().state == ImageState.READY


def test_a_withdrawn_image_does_not_come_back(plaza, lin, moderator, original):
    image = original(plaza, lin)
    actions.withdraw(image=image, by=lin)
    actions.show(image=image, by=moderator)
    actions.hide(image=image, by=moderator)
    assert Image.objects.get().state == ImageState.WITHDRAWN


def test_upper_rooms_are_told(plaza, lin, moderator, original):
    image, told = original(plaza, lin), []

    def hear(image):
        told.append(image.state)

    events.on_hidden.append(hear)
    try:
        actions.hide(image=image, by=moderator)
        actions.show(image=image, by=moderator)
    finally:
        events.on_hidden.remove(hear)
    assert told == [ImageState.HIDDEN, ImageState.READY]
