"""Masks by program: posted, or given as a rectangle, and honoured."""

import json

import pytest
from PIL import Image as Pictures

from forum.masks.models import Mask
from forum.threads.models import Reply
from generation import queue
from tests.factories import a_mask, a_thread
from tests.forum.api.conftest import is_problem
from tests.forum.masks.conftest import SIZE, half, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(calls, ada):
    """Ada's program."""
    return calls(ada)


def test_a_mask_is_posted_and_answered_with(program, hill):
    made = program.send(
        f"/images/{hill.first_image_id}/masks", {"file": sent(half()), "feather": "0.02"}
    )
    assert made.status_code == 201, made.content
    words = made.json()
    assert (words["width"], words["height"], words["image"]) == (*SIZE, hill.first_image_id)
    assert words["share"] == pytest.approx(0.5, abs=0.02)
    assert made["Location"] == words["url"]
    picture = program.get(words["url"].removeprefix("http://testserver/api/v1"))
    assert picture["Content-Type"] == "image/png"
    said = program.post(
        f"/images/{hill.first_image_id}/replies", {"prompt": "night", "mask": words["id"]}
    )
    assert said.status_code == 202, said.content
    reply = Reply.objects.get()
    assert queue.request(reply.job).mask.sha256 == words["sha256"]
    assert program.get(f"/replies/{reply.pk}").json()["mask"] == words["url"]


def test_a_mask_with_a_key_is_kept_once_and_no_other_takes_its_place(program, hill):
    path = f"/images/{hill.first_image_id}/masks"
    first, again = (
        program.send(path, {"file": sent(half()), "feather": "0.02"}, Idempotency_Key="m")
        for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() and first["Location"] == again["Location"]
    for other in ({"file": sent(half()), "feather": "0.01"}, {"file": sent(half().rotate(180))}):
        is_problem(program.send(path, other, Idempotency_Key="m"), 409, "key_reused")
    assert Mask.objects.count() == 1


def test_a_rectangle_will_do(program, hill):
    mask = {"x": 0.25, "y": 0, "w": 0.5, "h": 1, "feather": 0.01}
    said = program.post(f"/images/{hill.first_image_id}/replies", {"prompt": "night", "mask": mask})
    assert said.status_code == 202, said.content
    assert Reply.objects.get().mask.share == pytest.approx(0.5, abs=0.02)


def test_a_rectangle_of_everything_is_no_mask(program, hill):
    mask = {"x": 0, "y": 0, "w": 1, "h": 1}
    program.post(f"/images/{hill.first_image_id}/replies", {"prompt": "night", "mask": mask})
    assert Reply.objects.get().mask is None
    assert program.get(f"/replies/{Reply.objects.get().pk}").json()["mask"] is None


@pytest.mark.parametrize(
    "mask",
    [
        {"x": 1, "y": 0, "w": 0.5, "h": 1},
        {"x": 0, "y": 0, "w": 0, "h": 1},
        {"x": 0, "y": 0, "w": 2, "h": 1},
        {"x": 0, "y": 0, "w": 1},
        {"x": 0, "y": 0, "w": 0.5, "h": 1, "feather": 0.5},
        {"x": 0, "y": 0, "w": 0.5, "h": 1, "colour": "red"},
        "left half",
        0,
        999_999,
    ],
)
def test_what_is_no_mask_is_refused_at_its_field(program, hill, mask):
    said = program.post(f"/images/{hill.first_image_id}/replies", {"prompt": "night", "mask": mask})
    assert said.status_code == 422, said.content
    assert all("mask" in each["at"] for each in said.json()["errors"])
    assert said.json()["errors"]
    assert not Reply.objects.exists()


def test_nan_is_no_number(program, hill):
    body = json.dumps({"prompt": "night", "mask": {"x": 0, "y": 0, "w": 0.5, "h": 1}})
    said = program.client.post(
        f"/api/v1/images/{hill.first_image_id}/replies",
        body.replace("0.5", "NaN"),
        content_type="application/json",
        headers=program.headers(),
    )
    assert said.status_code in (400, 422)
    assert not Reply.objects.exists()


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (lambda: sent(half((32, 48))), "mask_shape"),
        (lambda: sent(Pictures.new("L", SIZE)), "mask_empty"),
        (lambda: sent(Pictures.new("L", SIZE, 255)), "mask_full"),
        (lambda: sent(half(), "JPEG"), "mask_kind"),
    ],
)
def test_a_poor_file_is_refused_at_its_field(program, hill, picture, code):
    said = program.send(f"/images/{hill.first_image_id}/masks", {"file": picture()})
    is_problem(said, 422, code)
    assert said.json()["errors"][0]["at"] == "file.file"
    assert not Mask.objects.exists()


def test_masks_of_others_and_of_other_images_are_not_there(program, hill, ada, lin, plaza):
    theirs = a_mask(lin, hill.first_image)
    elsewhere = a_mask(ada, a_thread(plaza, ada).first_image)
    assert program.get(f"/masks/{theirs.pk}").status_code == 404
    for mask in (theirs, elsewhere):
        said = program.post(
            f"/images/{hill.first_image_id}/replies", {"prompt": "night", "mask": mask.pk}
        )
        is_problem(said, 422, "no_such_mask")


def test_masks_spend_the_allowance_of_uploads(program, hill, settings):
    settings.FORUM_UPLOADS_PER_HALF_HOUR = 0
    said = program.send(f"/images/{hill.first_image_id}/masks", {"file": sent(half())})
    assert said.status_code == 429
