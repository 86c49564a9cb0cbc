"""Tone, light and weather: every strength looks different, and skies, faces and houses keep apart."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from generation.engines.darkroom import weather, windows
from generation.engines.darkroom.pixels import from_bytes
from generation.engines.darkroom.sky import sky
from generation.engines.darkroom.table import program
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, item, landscape, pixels

TONES = (
    "black_and_white", "sepia", "warm", "cold", "vivid", "muted", "cyanotype", "infrared",
    "duotone", "tint", "invert", "solarise", "high_key", "low_key", "brighten", "darken",
    "contrast", "film",
)  # fmt: skip
WEATHER = (
    "golden_hour", "night", "dawn", "dusk", "snow", "rain", "fog", "storm", "sun_rays", "autumn",
)  # fmt: skip


def made(name, source, strength=0.6, seed=1):
    work = item(Operation(name), sources=[source], strength=strength, seed=seed)
    return Run(work).pixels.astype(int)


def filled(*colour, size=(96, 64)):
    return Image.new("RGB", size, colour)


def house():
    """A wall of bricks with two rows of dark upright windows under a clear sky."""
    picture = Image.new("RGB", (448, 300), (120, 170, 235))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((60, 110, 400, 300), fill=(180, 124, 96))
    for row in range(114, 300, 6):
        draw.line((60, row, 400, row), fill=(196, 140, 112))
    for row in (140, 210):
        for column in range(90, 380, 50):
            draw.rectangle((column, row, column + 14, row + 30), fill=(40, 42, 48))
    return picture


@pytest.mark.parametrize("name", TONES + WEATHER)
def test_more_strength_is_another_picture(name):
    """Past the designed strength an effect goes on: a slider that ends in the middle is broken."""
    designed, heaviest = (made(name, landscape(), strength=each) for each in (0.6, 1.0))
    assert np.abs(designed - heaviest).mean() > 0.5


@pytest.mark.parametrize("name", TONES + WEATHER)
def test_a_tenth_of_the_strength_is_slight(name):
    source = landscape()
    changes = [
        np.abs(made(name, source, strength=each) - pixels(source)).mean() for each in (0.1, 0.6)
    ]
    assert 0 < changes[0] < 0.62 * changes[1]


@pytest.mark.parametrize("name", TONES + WEATHER)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_the_smallest_and_greyscale_come_out_whole(name, mode):
    assert made(name, Image.new(mode, (8, 8), "grey")).shape[:2] == (8, 8)
    grey = made(name, landscape().convert(mode).convert("L"))
    assert grey.shape[:2] == (160, 240) and grey.std() > 4


def test_a_half_negative_is_no_grey_sheet():
    for strength in (0.15, 0.3, 0.45):
        assert made("invert", landscape(), strength=strength).std() > 30


def test_warm_light_turns_white_to_peach_and_leaves_blue_no_green():
    white, blue = made("warm", filled(255, 255, 255)), made("warm", filled(140, 190, 240))
    red, green, low = white[0, 0]
    assert red > green > low and red - green > (green - low) / 4
    assert blue[0, 0, 1] <= blue[0, 0, 2] + 2
    golden = made("golden_hour", filled(140, 190, 240))[10:-10]
    assert (golden[..., 1] - np.maximum(golden[..., 0], golden[..., 2])).max() < 6


def test_vivid_keeps_hues_that_leave_the_screen():
    """A channel that is cut off alone turns blue into cyan."""
    before = np.array([90, 160, 250])
    after = made("vivid", filled(*before.tolist()), strength=1.0)[5, 5]
    ratio = [(each[1] - each[0]) / (each[2] - each[0]) for each in (before, after)]
    assert abs(ratio[0] - ratio[1]) < 0.05


def test_a_clear_sky_fills_the_picture():
    assert sky(from_bytes(np.asarray(filled(130, 185, 235)))).mean() > 0.9
    assert sky(from_bytes(np.asarray(filled(150, 150, 152)))).mean() == 0


def test_storm_clouds_have_no_seam_at_the_top():
    top = made("storm", landscape(480, 320), strength=0.3).mean((1, 2))[:24]
    assert np.abs(np.diff(top)).max() < 8


def test_slight_storms_have_no_lightning():
    calm, wild = (made("storm", landscape(480, 320), strength=each) for each in (0.15, 0.6))
    assert (wild[:200].min(-1) > 205).sum() > 60
    assert (calm[:200].min(-1) > 205).sum() < 60


def test_windows_of_houses_are_lit_at_night():
    dark = made("night", house())
    warm = (dark[..., 0] - dark[..., 2]) > 60
    assert warm[140:241, 90:360].mean() > 0.03
    assert warm[:100].mean() == 0


def test_nothing_is_taken_for_a_window_in_the_open():
    plain = from_bytes(np.asarray(landscape(448, 300)))
    above = sky(plain)
    lit = windows.lit_windows(plain, above, weather.leaves_of(plain), np.random.default_rng(1))
    assert lit.max() == 0


def test_light_grey_portraits_have_no_lamps():
    """Eyes and teeth are the brightest small things in them."""
    picture = Image.new("L", (240, 320), 90)
    draw = ImageDraw.Draw(picture)
    for column in (90, 140):
        draw.ellipse((column, 120, column + 14, 128), fill=250)
    dark = made("night", picture)
    assert (dark[..., 0] - dark[..., 2]).max() < 20


def test_snow_lies_on_level_ledges_not_on_posts():
    picture = Image.new("RGB", (300, 300), (128, 120, 112))
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 60, 140, 75), fill=(190, 180, 170))
    draw.rectangle((210, 0, 225, 140), fill=(190, 180, 170))
    white = np.mean([made("snow", picture, seed=each) for each in range(4)], 0)
    before = pixels(picture).astype(int)
    lifted = (white - before).mean(-1)
    assert lifted[72:77, 20:120].mean() > lifted[70:130, 224:228].mean() + 8


def test_every_operation_has_words_in_both_languages():
    for name in TONES + WEATHER:
        entry = program()[name]
        for words in (entry.titles, entry.sentences, entry.limits):
            assert words["en"] and words["zh-hans"] and words["en"] != words["zh-hans"]
        assert entry.source
