"""What an engine kept of an image, as people read it in a recipe, on the strip and on the page."""

import pytest

from forum.threads import keeping, recipes
from forum.threads.actions import take_in
from tests.factories import come_out

POSE = {"kind": "pose", "mode": 0, "scale": 0.9, "people": 2}
EDGES = {"kind": "canny", "mode": 3, "scale": 0.7}
INSTEAD = {"kind": "canny", "mode": 3, "scale": 0.5, "instead_of": "pose"}


def row(recipe, name):
    """A fact of a recipe by its English name; None where it is not shown."""
    rows = {str(title): value for group in recipes.groups(recipe) for title, value in group.rows}
    return rows.get(name)


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (None, None),
        ([EDGES], "its edges × 0.7"),
        (EDGES, "its edges × 0.7"),
        ([POSE, EDGES], "the pose of 2 people × 0.9\nits edges × 0.7"),
        ([{**POSE, "people": 1}], "the pose of 1 person × 0.9"),
        ([{"kind": "pose", "found": False}, EDGES], "its edges × 0.7"),
        ([{"kind": "normals", "scale": 1}], "normals × 1"),
    ],
)
def test_a_recipe_says_what_was_kept(control, said):
    assert row({"control": control}, "kept") == said


@pytest.mark.parametrize(
    ("control", "said"),
    [
        (None, ""),
        ([POSE], ""),
        ([INSTEAD], "Nobody was found in the image that was answered; its edges were kept"),
        ([{**INSTEAD, "instead_of": "depth"}], "No depth was found in the image"),
        ([{"kind": "pose", "found": False}, EDGES], "no pose was kept."),
    ],
)
def test_what_was_looked_for_in_vain_is_a_sentence(control, said):
    found = keeping.missed({"control": control})
    assert said in found and bool(found) == bool(said)


def test_maps_on_the_strip_have_names():
    told = [{"step": 0, "total": 4, "stage": "pose"}, {"step": 1, "total": 4, "stage": "denoising"}]
    found = recipes.frames({"frames": told}, ["strip-0", "strip-1"])
    assert [each.label for each in found] == ["kept: the pose of its people", "step 1 of 4"]


def test_licences_of_parts_are_shown():
    parts = {"model": {"model": "a/b"}, "depth": {"model": "c/d", "licence": "Apache-2.0"}}
    assert row({"parts": parts}, "licences of its parts") == "depth: Apache-2.0"
    assert row({"parts": "odd"}, "licences of its parts") is None


@pytest.mark.django_db
def test_the_page_says_that_nobody_was_found(browse, asked, hill):
    come_out(asked.job)
    image = take_in(asked.job)
    image.recipe = {**image.recipe, "control": [INSTEAD]}
    image.save(update_fields=["recipe"])
    page = browse().get(f"/images/{image.pk}/").content.decode()
    assert "Nobody was found in the image that was answered" in page
    assert "its edges × 0.5" in page
    assert (
        "Nobody was found" not in browse().get(f"/images/{hill.first_image_id}/").content.decode()
    )


@pytest.mark.django_db
def test_licences_of_parts_stand_on_the_page_about_this_place(browse):
    page = browse().get("/about/").content.decode()
    assert "depth: Apache-2.0" in page and "vae: MIT" in page
