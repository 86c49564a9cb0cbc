"""wf1: known vectors, unit length, and what must and must not change it."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from generation.engines.descriptors import BLOCKS, Wf1, lab
from tests.generation.pictures import ALL, chequers, rings

GOLDEN = json.loads((Path(__file__).parent / "golden" / "wf1.json").read_text())
ENGINE = Wf1()


@pytest.mark.parametrize("name", ALL)
def test_known_pictures_have_their_known_vectors(name: str) -> None:
    vector = ENGINE.embed(ALL[name]())
    # The golden numbers come from another program, written separately from the same recipe.
    np.testing.assert_allclose(vector, GOLDEN[name], atol=1e-3)


def test_a_vector_is_float32_of_475_numbers_and_unit_length() -> None:
    vector = ENGINE.embed(rings())
    assert vector.dtype == np.float32
    assert vector.shape == (ENGINE.dimensions,) == (475,)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-6)


def test_block_sizes_and_weights_add_up() -> None:
    assert sum(size for _, size, _ in BLOCKS) == ENGINE.dimensions
    assert sum(weight for _, _, weight in BLOCKS) == pytest.approx(1)


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "RGBA", "I;16", "1"])
def test_every_mode_of_picture_is_taken(mode: str) -> None:
    picture = chequers()
    picture = picture.convert("L") if mode == "I;16" else picture
    vector = ENGINE.embed(picture.convert(mode))
    assert np.isfinite(vector).all()


@pytest.mark.parametrize("size", [(1, 1), (3, 500), (2000, 30)])
@pytest.mark.parametrize("colour", ["black", "white", "red"])
def test_blank_and_tiny_pictures_have_finite_vectors(size: tuple[int, int], colour: str) -> None:
    vector = ENGINE.embed(Image.new("RGB", size, colour))
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_transparency_counts_as_white_paper() -> None:
    veiled = rings().convert("RGBA")
    veiled.paste((0, 0, 0, 0), (0, 0, 160, 240))
    plain = rings()
    plain.paste("white", (0, 0, 160, 240))
    np.testing.assert_array_equal(ENGINE.embed(veiled), ENGINE.embed(plain))


def test_the_exif_turn_is_applied(tmp_path: Path) -> None:
    lying = rings().transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    lying.save(tmp_path / "phone.png", exif=exif)
    with Image.open(tmp_path / "phone.png") as turned:
        np.testing.assert_allclose(ENGINE.embed(turned), ENGINE.embed(rings()), atol=1e-6)


def test_an_edit_stays_nearer_than_another_picture() -> None:
    first, other = ENGINE.embed(rings()), ENGINE.embed(chequers())
    darker = ENGINE.embed(Image.eval(rings(), lambda value: value * 2 // 3))
    cropped = ENGINE.embed(rings().crop((20, 15, 300, 225)))
    assert first @ darker > 0.9
    assert first @ cropped > first @ other + 0.2


def test_a_mirror_is_another_vector() -> None:
    assert ENGINE.embed(rings()) @ ENGINE.embed(ImageOps.mirror(rings())) < 0.9


def test_lab_of_known_colours() -> None:
    """White, mid grey and pure red under D65, as colour tables give them."""
    rgb = np.array([[[255, 255, 255], [119, 119, 119], [255, 0, 0]]], np.uint8)
    values = np.stack(lab(rgb), axis=-1)[0]
    np.testing.assert_allclose(
        values, [[100, 0, 0], [50.03, 0, 0], [53.24, 80.09, 67.2]], atol=0.05
    )
