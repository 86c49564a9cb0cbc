"""Restoration: marks go, what looks like marks stays, grain goes, clean pictures keep their detail."""

import cv2
import numpy as np
import pytest
from PIL import Image

from generation.engines.darkroom.pixels import floats, from_bytes, luminance
from generation.engines.darkroom.restoration import damage, grain_of, restore
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, item, photograph

RNG = np.random.default_rng(0)


def picture_of(image: Image.Image) -> np.ndarray:
    return from_bytes(np.asarray(image))


def scratched(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The picture with five pale scratches and forty specks, and where they are."""
    rng = np.random.default_rng(3)
    height, width = picture.shape[:2]
    where = np.zeros((height, width), np.uint8)
    for x in np.linspace(0.08, 0.92, 5) * width:
        bend = rng.normal(0, 1, 30).cumsum()
        path = np.stack([x + bend, np.linspace(0.02, 0.9, 30) * height], 1)
        cv2.polylines(where, [path.round().astype(np.int32)], False, 255, 1)
    for x, y in rng.random((40, 2)):
        cv2.circle(where, (int(x * width), int(y * height)), 2, 255, -1)
    marked = picture.copy()
    marked[where > 0] = (0.96, 0.93, 0.86)
    return marked, where > 0


def plain(height: int = 480, width: int = 640) -> np.ndarray:
    """A soft evening gradient with a little grain."""
    ys, xs = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    base = np.dstack([0.25 + 0.3 * ys, 0.3 + 0.2 * xs, 0.45 - 0.2 * ys])
    return floats(base + np.random.default_rng(1).normal(0, 0.008, (height, width, 1)))


def test_scratches_and_specks_are_found_on_calm_ground():
    marked, where = scratched(plain())
    found = damage(marked, 0.008) > 0
    assert found[where].mean() > 0.9
    near = cv2.dilate(where.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    assert found[~near].mean() < 0.002


def test_scratches_disappear_without_smearing():
    whole = plain()
    marked, where = scratched(whole)
    healed, wanted = restore(marked, RNG, amount=1), restore(whole, RNG, amount=1)
    before = np.abs(marked - whole)[where].mean()
    assert np.abs(healed - wanted)[where].mean() < 0.2 * before
    near = cv2.dilate(where.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    assert np.abs(healed - wanted)[~near].mean() < 0.02


@pytest.mark.parametrize(
    ("name", "box"),
    [
        # x, y, right and lower edge of things that are thin and must stay, as shares of the picture.
        ("astronaut.png", (0.36, 0.1, 0.52, 0.28)),
        ("osx-worldhist-b12-01-ypres.jpg", (0.4, 0.1, 0.48, 0.45)),
        ("anthro-figure-13-02-009.jpg", (0.84, 0.48, 0.97, 0.64)),
        ("terra-nova.jpg", (0.2, 0.05, 0.8, 0.6)),
    ],
)
def test_eyes_spires_and_rigging_are_not_painted_over(name, box):
    picture = picture_of(photograph(name, 800))
    light = luminance(picture)
    marks = damage(picture, grain_of(light - cv2.GaussianBlur(light, (0, 0), 1.5), 0.7)) > 0
    height, width = marks.shape
    left, top, right, bottom = box
    part = np.s_[int(top * height) : int(bottom * height), int(left * width) : int(right * width)]
    assert marks[part].mean() < 0.006 and marks.mean() < 0.02


@pytest.mark.parametrize("name", ["astronaut.png", "osx-worldhist-b12-01-ypres.jpg", "coffee.png"])
def test_a_good_photograph_keeps_its_detail(name):
    """Sharpened and evened, not smeared: fine structure lies where it lay and is not weaker."""
    picture = picture_of(photograph(name))
    fine, after = (
        cv2.Laplacian(luminance(each), cv2.CV_32F)
        for each in (picture, restore(picture, RNG, amount=1))
    )
    assert np.corrcoef(fine.ravel(), after.ravel())[0, 1] > 0.8
    assert after.std() > 0.8 * fine.std()


def test_grain_goes():
    noisy = plain() + floats(np.random.default_rng(2).normal(0, 0.04, (480, 640, 1)))
    rough = [
        float(np.std(light - cv2.GaussianBlur(light, (0, 0), 3)))
        for light in (luminance(floats(noisy)), luminance(restore(floats(noisy), RNG, amount=1)))
    ]
    assert rough[1] < 0.4 * rough[0]


def test_what_was_aged_comes_back_nearer():
    """Restored, an aged print is nearer in light and shade to the print than it was."""
    source = photograph("astronaut.png")
    aged = Run(item(Operation("old_photograph"), sources=[source])).made.picture
    back = Run(item(Operation("restore"), sources=[aged])).made.picture
    wanted = luminance(picture_of(source))
    likeness = [
        np.corrcoef(luminance(picture_of(each)).ravel(), wanted.ravel())[0, 1]
        for each in (aged, back)
    ]
    assert likeness[1] > likeness[0]
