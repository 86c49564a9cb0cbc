"""The pictures of the open program are what the engine makes: some are made again and compared."""

import io
import math

import numpy as np
import pytest
from django.contrib.staticfiles import finders
from PIL import Image, ImageChops, ImageStat

from generation.engines.darkroom.table import program
from tools import program_pictures


def psnr(one: Image.Image, two: Image.Image) -> float:
    """Peak signal-to-noise ratio in dB of two pictures of one size."""
    apart = np.asarray(one, np.float64) - np.asarray(two, np.float64)
    error = float((apart * apart).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def stored_again(picture: Image.Image) -> Image.Image:
    """As it looks after the same encoding."""
    out = io.BytesIO()
    picture.save(out, **program_pictures.ENCODING)
    with Image.open(out) as opened:
        return opened.convert("RGB")


#: One of each kind, quick ones.
@pytest.mark.parametrize(
    "name", ["warm", "night", "stained_glass", "crop", "duotone", "mirror", "woodcut", "restore"]
)
def test_a_picture_is_what_the_engine_makes_now(name):
    """Where the engine changed, make the pictures anew: `python -m tools.program_pictures`."""
    with Image.open(str(finders.find(f"program/{name}.webp"))) as stored:
        kept = stored.convert("RGB")
    made = program_pictures.after(name)
    assert made.size == kept.size
    assert psnr(kept, stored_again(made)) > 38


def test_pictures_differ_from_what_they_were_made_of():
    plain = program_pictures.photograph("palace")
    for name in program():
        with Image.open(str(finders.find(f"program/{name}.webp"))) as stored:
            kept = stored.convert("RGB").resize(plain.size)
        apart = ImageStat.Stat(ImageChops.difference(plain, kept)).mean
        assert sum(apart) > 6, name


def test_strange_names_are_refused(capsys):
    assert program_pictures.main(["dragon"]) == 2
    assert "dragon" in capsys.readouterr().err
