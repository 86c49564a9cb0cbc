"""Every operation of the program: repeatable, scaled by strength, at home in every shape of picture."""

import numpy as np
import pytest

from generation.engines.darkroom.table import program
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, enough, item, landscape, photograph, pixels

NAMES = sorted(program())
#: Longest change, in 8-bit levels, that strength 0 may leave: rounding only.
ROUNDING = 1


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bits(name):
    first, second = (Run(item(Operation(name), sources=enough(name, landscape()))) for _ in "ab")
    assert np.array_equal(first.pixels, second.pixels)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_matters_just_where_the_program_says_so(name):
    sources = enough(name, landscape())
    first, second = (Run(item(Operation(name), sources=sources, seed=each)) for each in (1, 2))
    assert np.array_equal(first.pixels, second.pixels) is not program()[name].seeded


@pytest.mark.parametrize("name", [name for name in NAMES if program()[name].scales])
def test_strength_scales_the_change(name):
    """0 leaves the picture alone; full strength changes it, unless the frame itself changes."""
    source = landscape()
    none = Run(item(Operation(name), strength=0.0, sources=enough(name, source)))
    full = Run(item(Operation(name), strength=1.0, sources=enough(name, source)))
    assert none.made.picture.size == source.size
    assert np.abs(none.pixels.astype(int) - pixels(source)).max() <= ROUNDING
    if full.made.picture.size == source.size:
        assert np.abs(full.pixels.astype(int) - pixels(source)).mean() > 2


@pytest.mark.parametrize("name", [name for name in NAMES if program()[name].stage != "frame"])
def test_little_strength_changes_less_than_much(name):
    if not program()[name].scales:
        pytest.skip("does all or nothing")
    source = landscape()
    changes = [
        np.abs(
            Run(item(Operation(name), strength=each, sources=enough(name, source))).pixels
            - pixels(source)
        ).mean()
        for each in (0.1, 0.8)
    ]
    assert changes[0] < changes[1]


@pytest.mark.parametrize("size", [(8, 8), (9, 13), (8, 480), (480, 8), (33, 32), (640, 40)])
@pytest.mark.parametrize("name", NAMES)
def test_odd_shapes_come_out_whole(name, size):
    """No operation fails, and none but those of the frame changes the size."""
    made = Run(item(Operation(name), sources=enough(name, landscape(*size)), strength=1.0)).made
    if program()[name].stage != "frame":
        assert made.picture.size == size
    assert made.picture.mode == "RGB"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_sources_of_other_modes_are_taken(name, mode):
    made = Run(item(Operation(name), sources=enough(name, landscape(48, 40).convert(mode)))).made
    assert made.picture.mode == "RGB"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("error")
def test_flat_pictures_give_no_warning(name):
    """Black, white and grey: where divisions by a spread of zero would show."""
    for level in (0, 128, 255):
        flat = landscape(40, 30).point(lambda _, level=level: level)
        Run(item(Operation(name), sources=enough(name, flat), strength=1.0)).made  # noqa: B018


@pytest.mark.parametrize("name", [name for name in NAMES if program()[name].layered])
def test_a_painting_is_watched_while_it_grows(name):
    run = Run(item(Operation(name), sources=enough(name, photograph("astronaut.png"))))
    frames = [each.frame for each in run.progress]
    assert len(frames) >= 6
    assert all(frame.mode == "RGB" and max(frame.size) <= 256 for frame in frames)
    # Each frame differs from the one before: something has been painted in between.
    steps = zip(frames, frames[1:], strict=False)
    assert all(np.abs(pixels(one) - pixels(other)).mean() > 0.05 for one, other in steps)


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_shows_six_frames(name):
    run = Run(item(Operation(name), sources=enough(name, landscape(320, 300))))
    assert len(run.progress) >= 6
    assert [each.step for each in run.progress] == list(range(1, len(run.progress) + 1))
    assert run.progress[-1].total == run.progress[-1].step
    assert all(each.total >= each.step for each in run.progress)
    assert {each.stage for each in run.progress} == {name}


@pytest.mark.parametrize("name", NAMES)
def test_the_program_explains_each_operation(name):
    """Titles, sentences and sources in both languages, for the page of the open program."""
    entry = program()[name]
    for words in (entry.titles, entry.sentences, entry.limits):
        assert words["en"].isascii() or "é" in words["en"]
        assert any("一" <= each <= "鿿" for each in words["zh-hans"])
    assert entry.sentences["en"].endswith(".") and entry.source and entry.milliseconds > 0
