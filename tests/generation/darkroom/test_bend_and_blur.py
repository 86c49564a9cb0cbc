"""Planets without a seam, frames that grow, clouds that flow while towers stand."""

import numpy as np
import pytest

from generation.engines.darkroom.composition import extend
from generation.engines.darkroom.optics import joined, levelled, long_exposure, planet, tilt_shift
from generation.engines.darkroom.pixels import floats, from_bytes, luminance
from tests.generation.darkroom.conftest import landscape, photograph

RNG = np.random.default_rng(0)


def picture_of(name: str, side: int = 512) -> np.ndarray:
    return from_bytes(np.asarray(photograph(name, side)))


def steps(ring: np.ndarray) -> np.ndarray:
    """How much each column of a ring differs from the next one round."""
    return np.abs(ring - np.roll(ring, -1, 1)).mean((0, 2))


@pytest.mark.parametrize(
    "name",
    ["akranes.jpg", "el-torcal-rocks.jpg", "osx-worldhist-b01-02-hagia3.jpg", "rocket.jpg"],
)
def test_the_ends_of_a_ring_meet(name):
    picture = picture_of(name)
    ring = joined(levelled(picture))
    rough = steps(ring)
    # Nowhere round it is there a step that the picture itself has not.
    assert rough.max() < 1.6 * steps(picture)[:-1].max()
    assert steps(picture)[-1] > 3 * np.median(rough) > 0 or rough[-1] < 3 * np.median(rough)


def test_a_slope_is_levelled():
    ys, xs = np.mgrid[0 : 1 : 200 * 1j, 0 : 1 : 400 * 1j]
    sloping = floats(np.repeat((ys > 0.45 + 0.1 * xs)[..., None], 3, axis=2))
    made = levelled(sloping)
    ends = [int(made[:, column, 0].argmax()) for column in (0, -1)]
    assert abs(ends[0] - ends[1]) <= 4


def test_the_subject_stands_on_top_of_the_planet():
    picture = np.zeros((200, 300, 3), np.float32)
    picture[120:] = 0.3
    picture[60:120, 140:160] = 1
    made = planet(picture, RNG, amount=1)
    bright = np.argwhere(made[..., 0] > 0.8)
    assert abs(bright[:, 1].mean() - 150) < 8 and bright[:, 0].max() < 100


def test_a_grown_frame_is_seamless_and_keeps_the_picture():
    picture = from_bytes(np.asarray(landscape(300, 200)))
    made = extend(picture, RNG, amount=1)
    down, across = round(200 * 0.16), round(300 * 0.16)
    assert np.array_equal(made[down : down + 200, across : across + 300], picture)
    edge = np.abs(made[down - 1, across:-across] - made[down, across:-across]).mean()
    assert edge < 2 * np.abs(np.diff(picture, axis=0)).mean()


def test_a_mask_grows_with_its_frame():
    """The fourth channel is reflected as the picture is: what is masked at the edge is so beyond it."""
    mask = np.zeros((200, 300), np.float32)
    mask[:, :150] = 1
    both = np.dstack([from_bytes(np.asarray(landscape(300, 200))), mask])
    made = extend(floats(both), RNG, amount=1)[..., 3]
    assert made[:, :150].min() > 0.99 and made[:, 250:].max() < 0.01


def test_clouds_flow_and_towers_stand():
    picture = picture_of("osx-worldhist-b01-02-hagia3.jpg")
    made = long_exposure(picture, RNG, amount=1)
    height, width = picture.shape[:2]
    change = np.abs(made - picture).mean(-1)
    dome = change[int(0.5 * height) : int(0.8 * height), int(0.35 * width) : int(0.7 * width)]
    assert dome.mean() < 0.004
    storm = picture_of("gathering-storm.jpg")
    flowing = luminance(long_exposure(storm, RNG, amount=1))[: len(storm) // 2]
    before = luminance(storm)[: len(storm) // 2]
    assert np.abs(np.diff(flowing, axis=1)).mean() < 0.6 * np.abs(np.diff(before, axis=1)).mean()


@pytest.mark.parametrize(
    ("name", "face"), [("astronaut.png", (0.14, 0.26)), ("louis-armstrong.jpg", (0.2, 0.4))]
)
def test_a_tilted_lens_keeps_faces_sharp(name, face):
    picture = picture_of(name)
    made = tilt_shift(picture, RNG, amount=0.5)
    rows = [slice(int(a * len(picture)), int(b * len(picture))) for a, b in (face, (0.7, 0.95))]
    sharp = [
        np.abs(np.diff(luminance(made)[part], axis=1)).mean()
        / np.abs(np.diff(luminance(picture)[part], axis=1)).mean()
        for part in rows
    ]
    assert sharp[0] > 0.8 and sharp[1] < 0.7
