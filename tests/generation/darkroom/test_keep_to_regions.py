"""Operations limited to a part of the picture: drawn parts, the sky, the subject, masks beside them."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from generation.engines.base import NothingUnderstood
from generation.engines.darkroom.regions import DRAWN, LOOKED_FOR, drawn, looked_for
from generation.engines.darkroom.saliency import subject
from generation.engines.darkroom.sky import sky
from generation.engines.darkroom.table import program, regions
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, item, landscape, photograph, pixels

OPPOSITES = [("left", "right"), ("top", "bottom"), ("centre", "edges")]


def floats(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"), np.float32) / 255


def change(name: str, source: Image.Image, **more) -> np.ndarray:
    run = Run(item(Operation("invert", {"region": name}), sources=[source], **more))
    return np.abs(run.pixels - pixels(source)).mean(-1)


def still_life() -> Image.Image:
    """A red ball on a plain grey table."""
    picture = Image.new("RGB", (300, 220), (150, 152, 155))
    ImageDraw.Draw(picture).ellipse((110, 70, 200, 160), (205, 40, 30))
    return picture


def test_every_named_region_can_be_run():
    assert set(regions()) == {*DRAWN, *LOOKED_FOR}
    for name in regions():
        assert Run(item(Operation("invert", {"region": name}))).made.picture.size == (240, 160)


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("left", np.s_[:, :110], np.s_[:, 130:]),
        ("right", np.s_[:, 130:], np.s_[:, :110]),
        ("top", np.s_[:70], np.s_[90:]),
        ("bottom", np.s_[90:], np.s_[:70]),
        ("centre", np.s_[70:90, 100:140], np.s_[:10, :10]),
        ("edges", np.s_[:10, :10], np.s_[70:90, 100:140]),
    ],
)
def test_a_drawn_region_changes_and_the_rest_does_not(name, inside, outside):
    changed = change(name, landscape())
    assert changed[inside].mean() > 20 and changed[outside].max() == 0


@pytest.mark.parametrize(("one", "other"), OPPOSITES)
def test_opposite_regions_make_up_the_whole(one, other):
    total = drawn(one, 40, 60) + drawn(other, 40, 60)
    assert np.allclose(total, 1)
    # The seam is soft: some pixels belong to both.
    assert ((drawn(one, 40, 60) > 0.05) & (drawn(one, 40, 60) < 0.95)).any()


@pytest.mark.parametrize(("one", "other"), [("sky", "not_sky"), ("subject", "background")])
def test_what_was_looked_for_and_the_rest_make_up_the_whole(one, other):
    picture = floats(landscape(360, 240))
    total = looked_for(one, picture).plane + looked_for(other, picture).plane
    assert np.allclose(total, 1)


def test_the_sky_alone_changes():
    source = landscape(360, 240)
    changed = change("sky", source)
    assert changed[:90].mean() > 20 and changed[180:].mean() < 2
    rest = change("not_sky", source)
    assert rest[:90].mean() < 2 and rest[180:].mean() > 20


def test_the_subject_alone_changes():
    source = still_life()
    changed = change("subject", source)
    assert changed[90:140, 130:180].mean() > 60 and changed[:40].max() < 2
    behind = change("background", source)
    assert behind[90:140, 130:180].mean() < 2 and behind[:40].mean() > 15


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("astronaut.png", [(0.42, 0.2), (0.4, 0.75)], [(0.65, 0.08)]),
        ("coffee.png", [(0.55, 0.35)], [(0.05, 0.9)]),
        ("bagel.jpg", [(0.5, 0.8)], [(0.03, 0.03)]),
        ("flower-meadow-square.webp", [(0.6, 0.2)], [(0.1, 0.1), (0.3, 0.9)]),
    ],
)
def test_subjects_of_photographs_are_found(name, inside, outside):
    plane, found = subject(floats(photograph(name)))
    height, width = plane.shape

    def at(place):
        return plane[int(place[1] * height), int(place[0] * width)]

    assert found
    assert min(map(at, inside)) > 0.7 and max(map(at, outside)) < 0.3


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("rocket.jpg", 0.6, 0.95),
        ("el-torcal-rocks.jpg", 0.3, 0.5),
        ("osx-worldhist-b01-02-hagia3.jpg", 0.35, 0.65),
        ("coffee.png", 0, 0),
        ("hot-cross-buns-stacked.jpg", 0, 0),
        ("bagel.jpg", 0, 0),
    ],
)
def test_skies_of_photographs_are_found(name, low, high):
    assert low <= float(sky(floats(photograph(name))).mean()) <= high


def test_no_sky_is_refused_with_a_sentence():
    source = still_life().transpose(Image.Transpose.ROTATE_90).point(lambda level: level // 4)
    error = Run(item(Operation("night", {"region": "sky"}), sources=[source])).failed.error
    assert isinstance(error, NothingUnderstood) and error.permanent
    assert "sky" in str(error)


def test_what_has_no_place_is_left_out_and_the_rest_is_done():
    source = still_life().point(lambda level: level // 4)
    run = Run(item(Operation("snow", {"region": "sky"}), Operation("sepia"), sources=[source]))
    recipe = run.made.recipe
    assert [each["name"] for each in recipe["operations"]] == ["sepia"]
    assert [each["name"] for each in recipe["left_out"]] == ["snow"]
    assert "sky" in recipe["left_out"][0]["why"]
    assert recipe["regions"]["sky"] == {"share": 0.0, "found": False}


def test_without_a_sky_all_is_below_it():
    source = still_life().point(lambda level: level // 4)
    assert (change("not_sky", source) > 20).all()


def test_without_a_subject_the_middle_stands_in():
    flat = Image.new("RGB", (120, 90), (90, 120, 100))
    run = Run(item(Operation("invert", {"region": "subject"}), sources=[flat]))
    changed = np.abs(run.pixels - pixels(flat)).mean(-1)
    assert changed[45, 60] > 10 and changed[2, 2] == 0
    assert run.made.recipe["regions"]["subject"]["found"] is False


def test_two_operations_keep_to_their_own_regions():
    left, right = Operation("invert", {"region": "left"}), Operation("sepia", {"region": "right"})
    both = Run(item(left, right)).pixels
    assert np.array_equal(both[:, :110], Run(item(left)).pixels[:, :110])
    assert np.array_equal(both[:, 130:], Run(item(Operation("sepia"))).pixels[:, 130:])


def test_a_region_lies_within_the_mask():
    source = landscape()
    mask = Image.new("L", source.size, 0)
    mask.paste(255, (0, 0, 240, 60))
    changed = change("left", source, mask=mask)
    assert changed[:50, :100].mean() > 20
    assert changed[70:].max() == 0 and changed[:, 130:].max() == 0


def test_a_region_outside_the_mask_is_refused():
    mask = Image.new("L", (240, 160), 0)
    mask.paste(255, (0, 100, 240, 160))
    error = Run(item(Operation("invert", {"region": "top"}), mask=mask)).failed.error
    assert isinstance(error, NothingUnderstood) and "painted" in str(error)


def test_the_sky_turns_with_the_picture():
    source = landscape(360, 240)
    turned = Run(
        item(
            Operation("rotate", {"degrees": 180}),
            Operation("invert", {"region": "sky"}),
            sources=[source],
        )
    )
    changed = np.abs(turned.pixels - pixels(source)[::-1, ::-1]).mean(-1)
    assert changed[150:].mean() > 20 and changed[:60].mean() < 2


def test_a_strange_region_is_refused_by_name():
    for value in ("moon", 3, ["sky"]):
        error = Run(item(Operation("invert", {"region": value}))).failed.error
        assert isinstance(error, NothingUnderstood) and "region" in str(error)


@pytest.mark.parametrize("name", [e.name for e in program().values() if e.stage == "frame"])
def test_a_new_frame_is_for_the_whole_picture(name):
    error = Run(item(Operation(name, {"region": "left"}))).failed.error
    assert isinstance(error, NothingUnderstood)


def test_looking_for_a_region_is_shown():
    run = Run(item(Operation("invert", {"region": "sky"}), sources=[landscape(360, 240)]))
    first = run.progress[0]
    assert first.stage == "region" and [each.step for each in run.progress][:2] == [1, 2]
    shown = pixels(first.frame)
    # Outside the region the frame is dimmed, inside it is as it was.
    assert shown[-20:].mean() < 0.6 * pixels(landscape(360, 240))[-30:].mean()
    assert run.progress[-1].step == run.progress[-1].total


@pytest.mark.parametrize("name", ["sky", "subject"])
def test_the_same_region_is_found_again(name):
    picture = floats(photograph("astronaut.png"))
    assert np.array_equal(looked_for(name, picture).plane, looked_for(name, picture).plane)


@pytest.mark.parametrize("size", [(8, 8), (8, 300), (300, 8), (33, 9)])
@pytest.mark.parametrize("name", sorted(regions()))
def test_regions_of_odd_shapes_do_not_break(name, size):
    outcome = Run(item(Operation("sepia", {"region": name}), sources=[landscape(*size)])).outcome
    error = getattr(outcome, "error", None)
    assert error is None or isinstance(error, NothingUnderstood)
