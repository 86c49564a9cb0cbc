"""What single operations promise: the picture itself is looked at, by numbers."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from generation.engines.darkroom.sky import sky
from generation.engines.darkroom.table import program, regions
from generation.engines.darkroom.wear import blemished
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, item, landscape, photograph, pixels


def made(name, source=None, **settings):
    strength = settings.pop("strength", 0.6)
    sources = [source or landscape()]
    return Run(item(Operation(name, settings), sources=sources, strength=strength)).pixels.astype(
        int
    )


def spread(values):
    """How far the channels lie apart, on average."""
    return (values.max(-1) - values.min(-1)).mean()


@pytest.mark.parametrize("name", ["black_and_white", "infrared", "solarise"])
def test_silver_has_hardly_any_colour(name):
    assert spread(made(name)) < 16 < spread(pixels(landscape()))


def test_warm_is_redder_and_cold_is_bluer():
    balance = {name: (made(name)[..., 0] - made(name)[..., 2]).mean() for name in ("warm", "cold")}
    plain = (pixels(landscape())[..., 0] - pixels(landscape())[..., 2]).mean()
    assert balance["cold"] < plain - 10 and balance["warm"] > plain + 10


def test_vivid_has_more_colour_and_muted_less():
    assert spread(made("muted")) < spread(pixels(landscape())) < spread(made("vivid"))


def test_the_negative_of_the_negative_is_the_picture():
    negative = Image.fromarray(made("invert").astype(np.uint8))
    assert np.abs(made("invert", negative) - pixels(landscape())).max() <= 2


def test_night_is_darker_and_keeps_its_lamps():
    dark = made("night", landscape(360, 240)).mean(-1)
    assert dark.mean() < 0.5 * pixels(landscape(360, 240)).mean()
    lamp, ground = dark[187:197, 247:257].mean(), dark[215:235, 20:100].mean()
    assert lamp > ground + 60


def test_snow_lightens_the_ground():
    before, after = pixels(landscape()), made("snow")
    assert after[120:].mean() > before[120:].mean() + 20


def test_fog_is_thicker_in_the_distance():
    source = landscape()
    change = np.abs(made("fog", source) - pixels(source)).mean((1, 2))
    contrast = made("fog", source)[:60].std() / pixels(source)[:60].std()
    assert contrast < 0.9 and change[:110].mean() > 0


def test_flipping_twice_gives_the_picture_back():
    once = Image.fromarray(made("flip").astype(np.uint8))
    assert np.array_equal(made("flip", once), pixels(landscape()))
    assert np.array_equal(made("flip", axis="vertical"), pixels(landscape())[::-1])


@pytest.mark.parametrize("degrees", [90, -90, 180, 270, 360])
def test_quarter_turns_lose_nothing(degrees):
    expected = np.rot90(pixels(landscape()), -degrees // 90)
    assert np.array_equal(made("rotate", degrees=degrees), expected)


@pytest.mark.parametrize("degrees", [1, 30, 45, 89, -12.5])
def test_oblique_turns_leave_no_empty_corner(degrees):
    white = Image.new("RGB", (200, 120), "white")
    turned = made("rotate", white, degrees=degrees)
    assert turned.min() >= 254 and turned.size > 0.1 * 200 * 120


def test_a_square_crop_is_square_and_holds_what_draws_the_eye():
    source = Image.new("RGB", (300, 120), (90, 100, 110))
    source.paste((230, 40, 30), (240, 40, 280, 80))
    cut = made("crop", source, shape="square")
    assert cut.shape[0] == cut.shape[1]
    assert (cut[..., 0] > 200).sum() > 1000


def test_extending_keeps_the_picture_in_the_middle():
    source = landscape()
    large = made("extend", source)
    down, across = (large.shape[0] - 160) // 2, (large.shape[1] - 240) // 2
    assert down > 10 and across > 10
    assert np.abs(large[down : down + 160, across : across + 240] - pixels(source)).max() <= 1


def test_a_mirror_is_symmetrical():
    for side in ("left", "right"):
        half = made("mirror", side=side)
        assert np.array_equal(half, half[:, ::-1])


def test_the_second_source_shows_in_a_double_exposure():
    first, second = landscape(), Image.new("RGB", (90, 300), (250, 30, 30))
    alone = Run(item(Operation("double_exposure"), sources=[first])).pixels.astype(int)
    both = Run(item(Operation("double_exposure"), sources=[first, second])).pixels.astype(int)
    assert (both[..., 0] - alone[..., 0]).mean() > 10


def test_named_inks_are_the_inks_of_a_duotone():
    inked = made("duotone", dark="#14213d", light="#f2c230")
    dark, light = inked[inked.sum(-1) < 120], inked[inked.sum(-1) > 560]
    assert (dark[:, 2] > dark[:, 0]).mean() > 0.9
    assert (light[:, 2] < light[:, 0] - 30).mean() > 0.9


def test_pixel_art_has_few_colours_in_large_squares():
    drawn = made("pixel_art", landscape(480, 320))
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) <= 24
    assert (np.abs(np.diff(drawn, axis=1)).sum(-1) == 0).mean() > 0.7


def test_restoring_removes_scratches_that_were_put_on():
    clean = photograph("coffee.png")
    picture = np.asarray(clean, np.float32) / 255
    worn = blemished(picture, np.random.default_rng(3), 1.0)
    # Marks in the grain of wood are left, rather than the wood be smeared: see test_heal.py.
    rough = cv2.blur(np.abs(cv2.Laplacian(picture.mean(-1), cv2.CV_32F)), (21, 21))
    marked = (np.abs(worn - picture).max(-1) > 0.2) & (rough < np.quantile(rough, 0.4))
    mended = made("restore", Image.fromarray((worn * 255).astype(np.uint8)))
    reference = made("restore", clean)
    left = np.abs(mended - reference).mean(-1)[marked].mean()
    before = np.abs(worn * 255 - np.asarray(clean)).mean(-1)[marked].mean()
    assert left < 0.6 * before


def test_the_sky_is_found_without_a_network():
    source = landscape(360, 240)
    found = sky(np.asarray(source, np.float32) / 255)
    assert found[:90].mean() > 0.95 and found[180:].mean() < 0.02
    assert sky(np.zeros((60, 80, 3), np.float32)).max() == 0


def test_the_reference_page_lists_the_whole_program():
    """The page is written by hand around the table, so it must not fall behind."""
    page = (Path(__file__).parents[3] / "docs/reference/darkroom.md").read_text("utf-8")
    missing = [name for name, entry in program().items() if f"`{name}`" not in page]
    assert missing == []
    for entry in program().values():
        assert entry.sentences["en"] in page and entry.limits["en"] in page
    assert all(f"`{name}`" in page for name in regions())
