"""Every byte of a mask is given out after a check of the right to it."""

import pytest
from django.core.files.storage import default_storage

from forum.images import actions as images
from forum.threads.actions import take_in
from tests.factories import a_mask, ask, come_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def statuses(browse, lin, ada, wen, moderator):
    """What each is answered at an address: visitor, Lin, Ada, Wen, a moderator."""
    cast = (None, lin, ada, wen, moderator)
    return lambda path: [browse(who).get(path).status_code for who in cast]


def test_an_unsent_one_is_for_its_author_alone(ada, hill, statuses):
    mask = a_mask(ada, hill)
    assert statuses(f"/masks/{mask.pk}/") == [404, 404, 200, 404, 404]


def test_one_that_was_sent_is_for_those_who_see_the_reply(ada, hill, river, statuses):
    public, private = a_mask(ada, hill), a_mask(ada, river)
    ask(ada, hill, mask=public, key="a")
    ask(ada, river, mask=private, key="b")
    assert statuses(f"/masks/{public.pk}/") == [200] * 5
    assert statuses(f"/masks/{private.pk}/") == [404, 200, 200, 404, 200]


def test_it_is_hidden_with_the_image_that_came_of_it(ada, hill, moderator, statuses):
    mask = a_mask(ada, hill)
    reply = ask(ada, hill, mask=mask)
    come_out(reply.job)
    image = take_in(reply.job)
    assert statuses(f"/images/{image.pk}/mask/") == [200] * 5
    images.hide(image=image, by=moderator, reason="Not here.")
    assert statuses(f"/images/{image.pk}/mask/") == [404, 404, 404, 404, 200]
    assert statuses(f"/masks/{mask.pk}/") == [404, 404, 200, 404, 200]


def test_an_image_made_without_one_has_none(ada, hill, statuses):
    assert statuses(f"/images/{hill.pk}/mask/") == [404] * 5
    a_mask(ada, hill)
    assert statuses(f"/images/{hill.pk}/mask/") == [404] * 5


def test_the_bytes_come_as_safe_as_any_picture(ada, hill, browse):
    mask = a_mask(ada, hill)
    answer = browse(ada).get(f"/masks/{mask.pk}/")
    with default_storage.open(mask.name) as file:
        assert answer.content == file.read()
    assert answer["Content-Type"] == "image/png"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer["Content-Security-Policy"]
    known = browse(ada).get(f"/masks/{mask.pk}/", headers={"If-None-Match": answer["ETag"]})
    assert known.status_code == 304


def test_those_of_closed_boards_are_not_kept_by_browsers(ada, river, browse):
    mask = a_mask(ada, river)
    assert browse(ada).get(f"/masks/{mask.pk}/")["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", ["/masks/0/", "/masks/999999/", "/masks/99999999999999999999/"])
def test_where_there_is_none(browse, ada, path):
    assert browse(ada).get(path).status_code == 404
