"""The engine as the worker uses it: reading, masks, cancelling, refusals and the recipe."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from generation.engines.base import Cancelled, NothingUnderstood, SourceRefused
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, item, landscape, pixels


def test_the_prompt_is_read_when_nobody_has_read_it():
    run = Run(item(prompt="a snowy night", read=False))
    assert [each["name"] for each in run.made.recipe["operations"]] == ["night", "snow"]


def test_what_the_member_saw_is_what_is_run():
    """Chips that were edited before sending win over the words."""
    run = Run(item(Operation("sepia"), prompt="a snowy night"))
    assert [each["name"] for each in run.made.recipe["operations"]] == ["sepia"]


def test_a_prompt_in_both_languages_is_read():
    run = Run(item(prompt="变成夜晚, and let it snow", read=False))
    assert [each["name"] for each in run.made.recipe["operations"]] == ["night", "snow"]


@pytest.mark.parametrize("prompt", ["a dragon", "", "不要下雪", "?" * 50])
def test_a_prompt_that_cannot_be_read_fails_with_a_reason(prompt):
    error = Run(item(prompt=prompt, read=False)).failed.error
    assert isinstance(error, NothingUnderstood) and error.permanent and str(error)


@pytest.mark.parametrize(
    "operation",
    [
        Operation("teleport"),
        Operation("night", {"moon": 3}),
        Operation("night", {"intensity": "much"}),
        Operation("night", {"intensity": float("nan")}),
        Operation("night", {"intensity": True}),
        Operation("crop", {"shape": "heart"}),
        Operation("tint", {"colour": "red; drop table"}),
        Operation("tint", {"colour": ["#ff0000"]}),
        Operation("crop", {"shape": ["square"]}),
    ],
)
def test_operations_that_do_not_exist_are_refused_by_name(operation):
    error = Run(item(operation)).failed.error
    assert isinstance(error, NothingUnderstood)
    assert "\n" not in str(error) and len(str(error)) < 200


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7), (4000, 10)])
def test_pictures_without_room_are_refused(size):
    error = Run(item(Operation("sepia"), sources=[Image.new("RGB", size)])).failed.error
    assert isinstance(error, SourceRefused) and str(error)


def test_numbers_beyond_their_limits_are_clamped():
    run = Run(item(Operation("rotate", {"degrees": 1e9})))
    assert run.made.recipe["operations"][0]["settings"] == {"degrees": 360.0}


def test_the_mask_keeps_the_rest_untouched():
    source = landscape()
    mask = Image.new("L", source.size, 0)
    mask.paste(255, (0, 0, 120, 160))
    run = Run(item(Operation("invert"), Operation("rain"), sources=[source], mask=mask))
    change = np.abs(run.pixels - pixels(source)).mean(-1)
    assert change[:, 126:].max() == 0
    assert change[:, :110].mean() > 20
    # The edge is feathered: somewhere between, the change is partial.
    assert 0 < change[:, 119:122].mean() < change[:, :110].mean()


def test_a_mask_of_another_size_is_fitted():
    source = landscape()
    mask = Image.new("L", (30, 20), 0)
    mask.paste(255, (0, 0, 15, 20))
    change = np.abs(
        Run(item(Operation("invert"), sources=[source], mask=mask)).pixels - pixels(source)
    )
    assert change[:, 140:].max() == 0 and change[:, :100].mean() > 20


def test_the_mask_turns_with_the_picture():
    source = landscape()
    mask = Image.new("L", source.size, 0)
    mask.paste(255, (0, 0, 240, 60))
    run = Run(
        item(Operation("rotate", {"degrees": 90}), Operation("invert"), sources=[source], mask=mask)
    )
    change = np.abs(run.pixels - np.rot90(pixels(source), -1)).mean(-1)
    assert change[:, 105:].mean() > 20 and change[:, :90].max() == 0


def test_a_black_mask_is_refused():
    mask = Image.new("L", (240, 160), 0)
    error = Run(item(Operation("impressionist"), mask=mask)).failed.error
    assert isinstance(error, NothingUnderstood) and error.permanent and "mask" in str(error)


def test_cancelling_stops_between_stroke_layers():
    """Asked again and again; the third look says stop, and no further frame comes."""
    looks = []

    def cancelled(id):
        looks.append(id)
        return len(looks) >= 3

    run = Run(item(Operation("impressionist")), cancelled)
    assert isinstance(run.failed.error, Cancelled)
    assert len(run.progress) < 3 and set(looks) == {"one"}


def test_cancelling_before_the_start_makes_nothing():
    run = Run(item(Operation("sepia"), Operation("rain")), lambda id: True)
    assert isinstance(run.failed.error, Cancelled) and not run.progress


def test_one_failure_does_not_stop_the_others():
    from generation.engines.darkroom.engine import Darkroom
    from generation.prompts.planning import preset

    bad, good = item(prompt="a dragon", read=False), replace(item(Operation("sepia")), id="two")
    engine = Darkroom()
    engine.load(preset("darkroom"))
    outcomes = list(engine.edit([bad, good], lambda progress: None, lambda id: False))
    assert [each.id for each in outcomes] == ["one", "two"]
    assert [type(each).__name__ for each in outcomes] == ["Failed", "Made"]


def test_the_recipe_is_complete_and_plain_data():
    run = Run(item(prompt="slightly warmer, then rain over the castle", read=False, seed=99))
    recipe = json.loads(json.dumps(run.made.recipe))
    assert recipe["engine"] == "darkroom" and recipe["version"] and recipe["preset"] == "darkroom"
    assert [each["name"] for each in recipe["operations"]] == ["warm", "rain"]
    assert recipe["operations"][0]["settings"] == {"intensity": 0.5}
    assert recipe["operations"][0]["amount"] == 0.5
    assert all(each["milliseconds"] >= 0 for each in recipe["operations"])
    assert recipe["unread"] == ["castle"]
    assert recipe["seed"] == 99 and recipe["strength"] == 0.6
    assert recipe["size"] == list(run.made.picture.size)
    assert set(recipe["versions"]) == {"numpy", "opencv", "pillow"}
    assert "SeedSequence" in recipe["randomness"]


def test_a_recipe_makes_the_picture_again():
    first = Run(item(prompt="a snowy night like Van Gogh", read=False, seed=5))
    again = [Operation(each["name"], each["settings"]) for each in first.made.recipe["operations"]]
    second = Run(item(*again, seed=first.made.recipe["seed"]))
    assert np.array_equal(first.pixels, second.pixels)


def test_threads_do_not_change_the_bits():
    import cv2

    from generation.engines.darkroom.engine import picture_of, randomness
    from generation.engines.darkroom.water import watercolour

    made = []
    for threads in (1, 2):
        cv2.setNumThreads(threads)
        made.append(watercolour(picture_of(landscape()), randomness(1, 0), amount=1.0))
    cv2.setNumThreads(1)
    assert np.array_equal(*made)


def test_frames_within_a_mask_show_the_untouched_rest():
    source = landscape()
    mask = Image.new("L", source.size, 0)
    mask.paste(255, (0, 0, 120, 160))
    run = Run(item(Operation("invert"), sources=[source], mask=mask))
    last = pixels(run.progress[-1].frame)
    assert np.abs(last[:, 130:] - pixels(source)[:, 130:]).max() <= 1


def test_a_huge_seed_is_taken():
    assert Run(item(Operation("rain"), seed=2**80 + 3)).made.recipe["seed"] == 2**80 + 3
