"""What each style owes to its tradition, by numbers: paints, planes, panes, courses, pigments."""

import cv2
import numpy as np
import pytest
from PIL import Image

from generation.engines.darkroom.divisionism import CELLS, mixtures, paintbox
from generation.engines.darkroom.drawing import without_specks
from generation.engines.darkroom.glass import joined, rounded
from generation.engines.darkroom.pixels import blur
from generation.engines.darkroom.planes import PLANES, shards
from generation.engines.darkroom.stones import courses, cut_stones, distance_from_forms
from generation.engines.darkroom.strokes import Brushes, drifting, led
from generation.engines.darkroom.woodblock import BLUES, printed_as
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, item, landscape, pixels


def made(name, source=None, seed=1):
    edit = item(Operation(name), sources=[source or landscape(480, 320)], seed=seed)
    return Run(edit).pixels.astype(float)


def colourfulness(values):
    return (values.max(-1) - values.min(-1)).mean()


def test_eight_paints_add_up_to_the_colour_they_stand_for():
    """Within the reach of the paint box: it has no black, so the darkest colours are left out."""
    axis = (np.arange(CELLS) + 0.5) / CELLS
    wanted = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3)
    middle = (wanted.min(1) > 0.3) & (wanted.max(1) < 0.85)
    means = paintbox()[mixtures()].mean(1)
    gaps = np.abs(means - wanted).max(1)[middle]
    assert np.median(gaps) < 0.05 and np.quantile(gaps, 0.95) < 0.16


def test_dots_are_purer_than_the_colour_they_add_up_to():
    grey = Image.new("RGB", (300, 300), (140, 140, 140))
    dots = made("pointillist", grey)
    assert colourfulness(dots) > 25
    assert colourfulness(dots.mean((0, 1))[None]) < 14


def test_an_impressionist_shadow_is_blue_and_never_black():
    ridge = np.zeros((200, 300, 3), np.uint8) + 30
    ridge[:90] = 200
    shade = made("impressionist", Image.fromarray(ridge))[120:]
    assert shade[..., 2].mean() > shade[..., 0].mean() + 12
    assert shade.mean() > 45


def test_strokes_are_led_by_unit_vectors_that_follow_a_clear_edge():
    height, width = 60, 80
    drift = drifting(height, width, np.random.default_rng(1), Brushes())
    ones = np.ones((height, width), np.float32)
    upright = type(drift)(ones * 0, ones, ones)
    field = led(upright, drift, Brushes())
    assert np.allclose(np.hypot(field.x, field.y), 1, atol=1e-4)
    assert np.abs(field.y).min() > 0.95
    free = led(type(drift)(ones * 0, ones, ones * 0), drift, Brushes())
    # Directions have no sign.
    assert np.abs(free.x * drift.x + free.y * drift.y).min() > 0.99


def test_cubist_planes_cover_the_frame_once_and_are_convex():
    wanted = np.ones((24, 36), np.float32)
    wanted[:, 18:] = 4
    planes = shards(600, 400, wanted, 0.4, np.random.default_rng(2))
    areas = [abs(float(cv2.contourArea(plane.astype(np.float32)))) for plane in planes]
    assert len(planes) == PLANES
    assert sum(areas) == pytest.approx(600 * 400, rel=1e-3)
    assert all(cv2.isContourConvex(np.round(plane * 64).astype(np.int32)) for plane in planes[:40])
    rich = [area for area, plane in zip(areas, planes, strict=True) if plane[:, 0].mean() > 300]
    assert len(rich) > 0.55 * len(planes)


def test_like_panes_are_joined_and_none_grows_too_large():
    labels = np.arange(100, dtype=np.int32).reshape(10, 10).repeat(4, 0).repeat(4, 1)
    colours = np.zeros((100, 3), np.float32) + 0.5
    colours[::10] = (0.9, 0.1, 0.1)
    after = joined(labels, colours, 0.08)
    sizes = np.bincount(after.ravel()) / after.size
    assert sizes.max() < 0.08 and len(sizes) < 50
    red = labels % 10 == 0
    assert not set(after[red]) & set(after[~red])
    assert rounded(after, len(sizes), 3).shape == (120, 120)


def test_stones_stand_in_courses_beside_the_form():
    plain = np.zeros((200, 240), np.float32)
    plain[:, 120:] = 1
    far = distance_from_forms(plain, 10)
    stones = courses(far, 10, np.ones((200, 240), bool))
    columns, rows = stones[:, 0].astype(int), stones[:, 1].astype(int)
    within = far[rows, columns] % 10
    assert (np.abs(within - 5) < 1.6).mean() > 0.95
    beside = (np.abs(columns - 120) < 8) & (rows > 40) & (rows < 160)
    # Along an upright edge the courses are upright.
    assert beside.sum() > 10 and (np.abs(np.sin(stones[beside, 2])) > 0.95).mean() > 0.9
    assert cut_stones(stones, 10, np.random.default_rng(1)).shape == (len(stones), 4, 2)


def test_ink_has_no_colour_and_leaves_paper():
    ink = made("ink_wash")
    assert colourfulness(ink) < 16
    assert (ink.mean(-1) > 225).mean() > 0.15


def test_a_picture_without_colour_is_printed_in_blues():
    grey = landscape(480, 320).convert("L").convert("RGB")
    print_ = made("ukiyo_e", grey)
    assert print_[..., 2].mean() > print_[..., 0].mean() + 12


def test_pigments_keep_the_order_of_light_and_dark():
    greys = np.array([[10, 0, 0], [35, 0, 0], [60, 0, 0], [96, 0, 0]], np.float32)
    printed = printed_as(greys, BLUES)
    assert (np.diff(printed.mean(1)) > 0).all()


def test_crumbs_go_and_lines_stay():
    lines = np.ones((60, 80), np.float32)
    lines[30, 5:70] = 0
    lines[10:12, 10:12] = 0
    clean = without_specks(lines, 20)
    assert clean[30, 5:70].max() == 0
    assert clean[:20].min() == 1


def test_abstract_masses_stay_where_they_were():
    source = landscape(480, 320)
    broad = [
        blur(each.astype(np.float32), 60)
        for each in (made("abstract_expressionist"), pixels(source))
    ]
    top, bottom = (each[40].mean() - each[280].mean() for each in broad)
    assert top > 20 and bottom > 20
    assert (
        np.abs(made("abstract_expressionist", seed=2) - made("abstract_expressionist")).mean() > 15
    )


def test_glitches_keep_whole_rows_of_the_picture():
    """A broken signal is no noise: most rows are still the picture's own, moved."""
    torn = made("glitch")
    assert np.abs(torn - pixels(landscape(480, 320))).mean() < 60
