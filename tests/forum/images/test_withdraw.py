"""A withdrawn image is gone: files, words, bytes at every address. Its place stays."""

import pytest
from django.db import transaction

from forum.images import actions, audit, events
from forum.images.lineage import lineage
from forum.images.models import File, Image, ImageState
from forum.images.refusals import Refused
from forum.members.actions import leave

pytestmark = [pytest.mark.django_db]


def test_files_and_words_go(
    plaza, lin, original, browse, media, django_capture_on_commit_callbacks
):
    image = original(plaza, lin, title="Harbour", alt="Boats")
    with django_capture_on_commit_callbacks(execute=True):
        answer = browse(lin).post(f"/images/{image.pk}/withdraw/")
    assert answer.status_code == 302
    image.refresh_from_db()
    assert (image.state, image.title, image.alt) == (ImageState.WITHDRAWN, "", "")
    assert not File.objects.filter(image=image).exists()
    assert not [p for p in media.rglob("*") if p.is_file()]
    for role in ("display", "thumb", "original"):
        for who in (None, lin):
            assert browse(who).get(f"/images/{image.pk}/files/{role}").status_code == 404
    assert list(audit.check()) == []


def test_files_stay_until_it_is_certain(plaza, lin, original, media):
    image = original(plaza, lin)
    files = sorted(media.rglob("*"))
    with pytest.raises(RuntimeError), transaction.atomic():
        actions.withdraw(image=image, by=lin)
        raise RuntimeError
    assert sorted(media.rglob("*")) == files
    assert image.files.count() == 3


def test_the_consequence_is_shown_first(plaza, lin, original, derivative, browse):
    image = original(plaza, lin)
    derivative(image)
    page = browse(lin).get(f"/images/{image.pk}/withdraw/")
    assert page.status_code == 200
    assert "One image was made from it" in page.content.decode()
    image.refresh_from_db()
    assert image.is_shown


def test_a_grey_place_stays_in_the_lineage(plaza, lin, original, derivative):
    image = original(plaza, lin)
    child = derivative(image)
    actions.withdraw(image=image, by=lin)
    found = lineage(child, lin)
    assert [(node.image, node.grey) for node in found.nodes] == [(None, "withdrawn"), (child, "")]
    assert len(found.edges) == 1


def test_strangers_cannot(plaza, lin, wen, original, browse):
    image = original(plaza, lin)
    assert browse(wen).post(f"/images/{image.pk}/withdraw/").status_code == 404
    assert browse().post(f"/images/{image.pk}/withdraw/").status_code == 302
    with pytest.raises(Refused, match="not_yours"):
        actions.withdraw(image=image, by=wen)
    image.refresh_from_db()
    assert image.is_shown


def test_upper_rooms_are_told_once(plaza, lin, original):
    image, told = original(plaza, lin), []
    events.on_withdrawn.append(told.append)
    try:
        actions.withdraw(image=image, by=lin)
        actions.withdraw(image=image, by=lin)
    finally:
        events.on_withdrawn.remove(told.append)
    assert told == [image]


def test_other_images_of_the_same_bytes_stay(plaza, lin, ada, original, browse):
    """Files are never shared between images, so taking one away takes nothing from others."""
    mine, theirs = original(plaza, lin), original(plaza, ada)
    assert mine.sha256 == theirs.sha256
    actions.withdraw(image=mine, by=lin)
    assert browse().get(f"/images/{theirs.pk}/files/display").status_code == 200


@pytest.mark.parametrize("keep", [True, False])
def test_who_leaves_takes_images_along_or_not(keep, plaza, lin, original):
    image = original(plaza, lin)
    leave(member=lin, keep_images=keep)
    assert Image.objects.filter(pk=image.pk).exists() is keep
