"""A member keeps so many images and no more."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from forum.images.actions import withdraw
from forum.images.models import File, Image
from forum.members import tokens
from forum.threads.actions import NotAllowed
from tests.factories import a_picture, a_thread, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def full(settings, plaza, lin) -> Image:
    """Lin keeps one image, and may not keep another."""
    settings.FORUM_IMAGES_PER_MEMBER = 1
    return a_thread(plaza, lin).first_image


def picture() -> SimpleUploadedFile:
    return SimpleUploadedFile("a.webp", a_picture((64, 64)), "image/webp")


def words(**more: object) -> dict[str, object]:
    return {
        "title": "One more",
        "licence": "CC-BY-4.0",
        "origin": "hand",
        "file": picture(),
        **more,
    }


def test_a_page_says_it_and_keeps_what_was_typed(browse, full, plaza, lin):
    answer = browse(lin).post("/post/", words(board=plaza.slug))
    assert answer.status_code == 403
    said = answer.content.decode()
    assert "You keep as many images as a member may: 1. Withdraw one first." in said
    assert "One more" in said
    assert Image.objects.count() == 1 and File.objects.exclude(image=full).count() == 0


def test_an_answer_by_upload_too(browse, full, lin):
    answer = browse(lin).post(f"/images/{full.pk}/answer/upload/", words())
    assert answer.status_code == 403


def test_an_answer_by_prompt_too(full, lin):
    with pytest.raises(NotAllowed, match="images_full"):
        ask(lin, full)


def test_the_api_says_it_as_a_problem(client, full, plaza, lin):
    _, secret = tokens.make(member=lin, name="t")
    answer = client.post(
        "/api/v1/images",
        {"file": picture(), "board": plaza.slug},
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "images_full"


def test_a_withdrawn_one_makes_room(browse, full, plaza, lin):
    withdraw(image=full, by=lin)
    assert browse(lin).post("/post/", words(board=plaza.slug)).status_code == 302


def test_others_keep_their_own(browse, full, plaza, ada):
    assert browse(ada).post("/post/", words(board=plaza.slug)).status_code == 302


def test_nothing_is_left_of_what_was_refused(browse, full, plaza, lin, tmp_path):
    before = sorted(each for each in (tmp_path / "media").rglob("*") if each.is_file())
    browse(lin).post("/post/", words(board=plaza.slug))
    assert sorted(each for each in (tmp_path / "media").rglob("*") if each.is_file()) == before
