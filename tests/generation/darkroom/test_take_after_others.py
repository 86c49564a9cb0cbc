"""Colours and manner from another image, and pictures made of several."""

import cv2
import numpy as np
import pytest
from PIL import Image

from generation.engines.base import NothingUnderstood
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, item, landscape, photograph, pixels


def lab(values: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(np.asarray(values, np.float32) / 255, cv2.COLOR_RGB2LAB)


def gap(one: np.ndarray, other: np.ndarray) -> float:
    """How far two pictures' palettes lie apart: quantiles of L, a and b."""
    share = np.linspace(0.05, 0.95, 9)
    quantiles = [np.quantile(lab(each).reshape(-1, 3), share, axis=0) for each in (one, other)]
    return float(np.abs(quantiles[0] - quantiles[1]).mean())


def after(name: str, first: Image.Image, second: Image.Image, **more) -> np.ndarray:
    return Run(item(Operation(name), sources=[first, second], **more)).pixels


@pytest.mark.parametrize("name", ["colours", "manner"])
def test_without_another_image_there_is_a_clear_refusal(name):
    error = Run(item(Operation(name))).failed.error
    assert isinstance(error, NothingUnderstood) and error.permanent
    assert "second image" in str(error)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("astronaut.png", "nostromo.jpg"),
        ("coffee.png", "anthro-figure-19-01-009.jpg"),
        ("man-in-hat.webp", "osx-worldhist-b01-02-hagia3.jpg"),
    ],
)
@pytest.mark.parametrize("name", ["colours", "manner"])
def test_the_palette_comes_much_nearer(name, first, second):
    own, other = photograph(first, 320), photograph(second, 320)
    made = after(name, own, other)
    assert gap(made, pixels(other)) < 0.6 * gap(pixels(own), pixels(other))


def test_colours_keep_the_forms():
    """Light and shade of the picture stay where they are: the edges are its own."""
    own, other = photograph("astronaut.png", 320), photograph("nostromo.jpg", 320)
    made = after("colours", own, other)
    edges = [cv2.Laplacian(lab(each)[..., 0], cv2.CV_32F) for each in (made, pixels(own))]
    assert np.corrcoef(edges[0].ravel(), edges[1].ravel())[0, 1] > 0.85


def test_colours_of_itself_change_little():
    own = photograph("coffee.png", 320)
    assert np.abs(after("colours", own, own).astype(int) - pixels(own)).mean() < 4


def test_a_grey_image_takes_colours_and_gives_its_greys():
    grey, bright = landscape().convert("L"), landscape()
    tinted = after("colours", grey, Image.new("RGB", (60, 40), (200, 120, 40)))
    assert (tinted[..., 0].astype(int) - tinted[..., 2]).mean() > 40
    greyed = after("colours", bright, grey).astype(int)
    assert (greyed.max(-1) - greyed.min(-1)).mean() < 20


def test_the_manner_brings_the_texture():
    """Diagonal hatching of the other image shows where the picture itself is flat."""
    rows, columns = np.mgrid[0:200, 0:200]
    hatched = np.where((rows + columns) % 16 < 8, 230, 20).astype(np.uint8)
    flat = Image.new("RGB", (200, 200), (120, 120, 120))
    made = after("manner", flat, Image.fromarray(np.dstack([hatched] * 3)))
    assert made.astype(int).std() > 25


def test_the_manner_is_watched_as_it_becomes_finer():
    run = Run(item(Operation("manner"), sources=[landscape(320, 240), landscape(90, 200)]))
    assert len(run.progress) >= 7
    assert {each.frame.size for each in run.progress} == {run.progress[0].frame.size}


@pytest.mark.parametrize("size", [(8, 8), (8, 400), (400, 8), (1000, 700)])
@pytest.mark.parametrize("name", ["colours", "manner", "double_exposure", "collage"])
def test_the_other_image_may_have_any_shape(name, size):
    source = landscape()
    assert after(name, source, landscape(*size)).shape == (160, 240, 3)


def test_a_broken_second_source_is_refused():
    error = Run(
        item(Operation("colours"), sources=[landscape(), Image.new("RGB", (2, 2))])
    ).failed.error
    assert "2 × 2" in str(error)


def test_all_further_sources_join_a_collage():
    plain = [
        Image.new("RGB", (240, 160), each)
        for each in ((90, 90, 90), (220, 30, 30), (30, 190, 60), (30, 60, 220))
    ]
    made = Run(item(Operation("collage"), sources=plain)).pixels.astype(int)
    for channel in range(3):
        others = made.sum(-1) - made[..., channel]
        assert ((made[..., channel] > 110) & (others < 160)).mean() > 0.02


def test_all_further_sources_show_in_a_multiple_exposure():
    dark = [Image.new("RGB", (120, 80), (10, 10, 10))]
    lights = [Image.new("RGB", (120, 80), each) for each in ((200, 0, 0), (0, 200, 0), (0, 0, 200))]
    made = Run(item(Operation("double_exposure"), sources=dark + lights)).pixels
    assert (made.reshape(-1, 3).mean(0) > 40).all()


def test_taking_after_another_keeps_to_its_region():
    source, other = landscape(), Image.new("RGB", (60, 40), (230, 60, 30))
    run = Run(item(Operation("colours", {"region": "left"}), sources=[source, other]))
    changed = np.abs(run.pixels - pixels(source)).mean(-1)
    assert changed[:, :110].mean() > 10 and changed[:, 130:].max() == 0
