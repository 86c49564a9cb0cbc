"""Pictures as they were when last looked at: each operation against its tile of a stored sheet.

After a change that is meant, raise `Darkroom.version`, run this file as a module to renew the sheet
(`python -m tests.generation.darkroom.test_match_goldens`), and look at it.
"""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.engines.darkroom.table import program
from generation.requests import Operation
from tests.generation.darkroom.conftest import Run, enough, item, landscape

SHEET = Path(__file__).with_name("goldens.jpg")
NAMES, ACROSS = list(program()), 10
WIDTH, HEIGHT = 120, 80
#: Decibels. The sheet is a JPEG, which leaves about 32; other processors round a little otherwise.
LEAST = 24


def made(name: str) -> Image.Image:
    picture = Run(
        item(Operation(name), sources=enough(name, landscape(WIDTH, HEIGHT)))
    ).made.picture
    return picture.resize((WIDTH, HEIGHT))


def place(name: str) -> tuple[int, int]:
    row, column = divmod(NAMES.index(name), ACROSS)
    return column * WIDTH, row * HEIGHT


def likeness(one: Image.Image, other: Image.Image) -> float:
    """Peak signal to noise ratio in decibels."""
    gap = np.asarray(one, float) - np.asarray(other, float)
    return float(10 * np.log10(255**2 / max(1e-9, (gap**2).mean())))


def renew() -> None:
    """Write the sheet anew."""
    sheet = Image.new("RGB", (ACROSS * WIDTH, -(-len(NAMES) // ACROSS) * HEIGHT))
    for name in NAMES:
        sheet.paste(made(name), place(name))
    sheet.save(SHEET, quality=86, subsampling=0)


@pytest.mark.parametrize("name", NAMES)
def test_the_picture_is_as_it_was(name):
    left, top = place(name)
    golden = Image.open(SHEET).convert("RGB").crop((left, top, left + WIDTH, top + HEIGHT))
    assert likeness(made(name), golden) > LEAST


def test_the_measure_tells_operations_apart():
    """A likeness that passes everything would guard nothing."""
    assert likeness(made("sepia"), made("cyanotype")) < LEAST - 8


if __name__ == "__main__":
    renew()
