"""PDQ: hashes known from the reference program, distance, and quality."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from generation.engines.descriptors import on_white
from generation.engines.pdq import SAME, TRUSTED, hamming, pdq
from tests.generation.pictures import ALL, chequers, fog, rings

#: What the reference program (pdqhash 0.2.8) says of the pictures made in code.
REFERENCE = {
    "rings": ("13746c4913f764415bf7a4494bf1b04d6db0514faeb0456faa91b52fa54952b6", 90),
    "chequers": ("039ffe4ad6ca829f41b5fc0aee741161bc6079f5039f96cafc4a061e03b5169a", 61),
    "fog": ("09c309dbb524ff25fe015ed171e6a13f201f721456a499fa89de16fc76a4e203", 61),
}
PHOTOGRAPHS = Path(
    os.environ.get("GEGENBILD_IMAGES", Path(__file__).parents[2].parent / "shared" / "images")
)


@pytest.mark.parametrize("name", ALL)
def test_known_pictures_have_the_hashes_of_the_reference(name: str) -> None:
    found, quality = pdq(ALL[name]())
    wanted, wanted_quality = REFERENCE[name]
    # Brightness is rounded to whole steps here and not there: a bit at the median may turn.
    assert hamming(found, wanted) <= 2
    assert abs(quality - wanted_quality) <= 1


def test_photographs_agree_with_the_reference_program() -> None:
    pdqhash = pytest.importorskip("pdqhash", reason="the reference program is not installed")
    files = sorted(PHOTOGRAPHS.glob("*.jpg"))[::12]
    if not files:
        pytest.skip("the shared photographs are not here")
    for file in files:
        with Image.open(file) as opened:
            picture = on_white(opened)
        bits, quality = pdqhash.compute(np.asarray(picture))
        found, found_quality = pdq(picture)
        assert hamming(found, np.packbits(bits).tobytes().hex()) <= 10, file.name
        assert abs(found_quality - quality) <= 1, file.name


@pytest.mark.parametrize(
    "edited",
    [
        rings().filter(ImageFilter.GaussianBlur(2)),
        rings().resize((240, 180)),
        Image.eval(rings(), lambda value: 20 + value * 3 // 4),
    ],
    ids=["blurred", "smaller", "paler"],
)
def test_light_edits_are_the_same_picture(edited: Image.Image) -> None:
    assert hamming(pdq(rings())[0], pdq(edited)[0]) <= SAME


@pytest.mark.parametrize(
    "other", [chequers(), fog(), ImageOps.mirror(rings())], ids=["chequers", "fog", "mirror"]
)
def test_other_pictures_are_not(other: Image.Image) -> None:
    assert hamming(pdq(rings())[0], pdq(other)[0]) > SAME


@pytest.mark.parametrize("size", [(1, 1), (40, 30), (5000, 3)])
def test_blank_pictures_have_no_quality(size: tuple[int, int]) -> None:
    found, quality = pdq(Image.new("RGB", size, "teal"))
    assert len(found) == 64
    assert quality < TRUSTED
    assert quality == 0


def test_distance_counts_differing_bits() -> None:
    assert hamming("0" * 64, "f" * 64) == 256
    assert hamming("0" * 63 + "1", "0" * 63 + "4") == 2
    assert hamming(*["ab" * 32] * 2) == 0


def test_what_is_no_hash_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        hamming("zz", "00")
