"""Title, description, licence and consent can be said anew by those who may."""

import pytest

from forum.images import actions
from forum.images.models import Image, Origin
from forum.images.refusals import Refused
from tests.forum.images import odd

pytestmark = pytest.mark.django_db

FORM = {"title": "Harbour", "alt": "Boats", "licence": "CC0-1.0", "origin": "hand"}


def address(image: Image) -> str:
    return f"/images/{image.pk}/edit/"


def test_the_author_describes_anew(plaza, lin, original, browse):
    image = original(plaza, lin)
    answer = browse(lin).post(address(image), FORM)
    assert answer.status_code == 302
    image.refresh_from_db()
    assert (image.title, image.alt, image.licence) == ("Harbour", "Boats", "CC0-1.0")
    assert image.origin == Origin.HAND
    assert not image.allow_derivatives  # the box was left empty


def test_the_form_shows_what_is(plaza, lin, original, browse):
    image = original(plaza, lin, title="Harbour", alt="<b>boats</b>")
    page = browse(lin).get(address(image)).content.decode()
    assert 'value="Harbour"' in page
    assert "&lt;b&gt;boats" in page


def test_strangers_find_nothing_and_visitors_sign_in(plaza, lin, wen, original, browse):
    image = original(plaza, lin)
    assert browse(wen).post(address(image), FORM).status_code == 404
    assert browse().post(address(image), FORM).status_code == 302
    image.refresh_from_db()
    assert image.title == ""


def test_a_moderator_may(plaza, lin, moderator, original, browse):
    image = original(plaza, lin)
    assert browse(moderator).post(address(image), FORM).status_code == 302


def test_too_long_a_title_is_told_beside_its_field(plaza, lin, original, browse):
    image = original(plaza, lin)
    answer = browse(lin).post(address(image), {**FORM, "title": "x" * 121})
    assert answer.status_code == 422
    assert "120" in answer.content.decode()
    image.refresh_from_db()
    assert image.licence == "CC-BY-4.0"


def test_nobody_talks_ai_away(plaza, lin, original, browse):
    image = original(plaza, lin, odd.png_made_by_a_generator())
    browse(lin).post(address(image), {**FORM, "origin": "hand"})
    image.refresh_from_db()
    assert image.origin == Origin.AI_DETECTED


def test_nobody_claims_that_a_file_said_it(plaza, lin, original, browse):
    image = original(plaza, lin)
    assert browse(lin).post(address(image), {**FORM, "origin": "ai-detected"}).status_code == 422


def test_a_derivative_keeps_the_licence_of_its_sources(plaza, lin, original, derivative, browse):
    image = derivative(original(plaza, lin), author=lin)
    browse(lin).post(address(image), FORM)
    image.refresh_from_db()
    assert (image.title, image.licence) == ("Harbour", "CC-BY-4.0")


def test_a_withdrawn_image_has_no_more_words(plaza, lin, original):
    image = original(plaza, lin)
    actions.withdraw(image=image, by=lin)
    with pytest.raises(Refused, match="withdrawn"):
        actions.describe(image=image, by=lin, title="again", alt="")


def test_the_action_asks_for_the_right_itself(plaza, lin, wen, original):
    with pytest.raises(Refused, match="not_yours"):
        actions.describe(image=original(plaza, lin), by=wen, title="mine", alt="")
