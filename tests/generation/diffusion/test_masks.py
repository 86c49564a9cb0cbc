"""What lies outside a mask stays what it was, to the last bit; inside, something comes to be."""

import numpy as np
import pytest
from PIL import Image

from generation.engines.base import SourceRefused
from generation.engines.diffusion.pictures import cut_for, edges, feathered, mask_for
from tests.generation.diffusion.asking import ask, made, picture_of, pixels, run


def left_half(size):
    plane = Image.new("L", size, 0)
    plane.paste(255, (0, 0, size[0] // 2, size[1]))
    return plane


@pytest.mark.parametrize("name", ["klein", "sdxl-structure", "sd-turbo", "instruct-pix2pix"])
def test_outside_the_mask_nothing_changes(load, name):
    source = picture_of("rings", (64, 64))
    item = ask(name, "at night", source, mask=left_half((64, 64)))
    answer = made(load(name), [item])[0]
    before, after = np.asarray(source), pixels(answer)
    assert np.array_equal(before[:, 32:], after[:, 32:])
    assert not np.array_equal(before[:, :16], after[:, :16])
    assert answer.recipe["mask"] == "b" * 64


def test_a_mask_follows_the_cut_of_its_source(load):
    source = picture_of("chequers", (160, 64))
    answer = made(load("klein"), [ask("klein", "rain", source, mask=left_half((160, 64)))])[0]
    assert answer.picture.size == (96, 64)
    kept = np.asarray(source.crop((32, 0, 128, 64)))
    assert np.array_equal(kept[:, 48:], pixels(answer)[:, 48:])


def test_previews_of_a_mask_show_the_source_outside(load):
    source = Image.new("RGB", (64, 64), (10, 200, 30))
    steps = []
    item = ask("sd-turbo", "rain", source, mask=left_half((64, 64)))
    made(load("sd-turbo"), [item], on_progress=steps.append)
    frame = next(each.frame for each in steps if each.frame is not None)
    assert frame.getpixel((frame.width - 1, 0)) == (10, 200, 30)


def test_a_feather_reaches_inward_only():
    mask = left_half((400, 400))
    soft = np.asarray(feathered(mask))
    assert soft[:, 200:].max() == 0
    assert soft[:, :190].min() == 255
    assert 0 < soft[0, 199] < 255


def test_a_mask_of_another_size_is_fitted_to_its_source():
    source = Image.new("RGB", (200, 100))
    cut = cut_for(source, (96, 64))
    fitted = mask_for(left_half((50, 25)), source, cut)
    assert fitted.size == (96, 64)
    assert fitted.getpixel((10, 30)) == 255 and fitted.getpixel((90, 30)) == 0


@pytest.mark.parametrize(
    ("size", "box"),
    [
        ((96, 64), (0, 0, 96, 64)),
        ((192, 128), (0, 0, 192, 128)),
        ((192, 192), (0, 32, 192, 160)),
        ((384, 128), (96, 0, 288, 128)),
    ],
)
def test_the_middle_is_taken_and_nothing_is_stretched(size, box):
    assert cut_for(Image.new("RGB", size), (96, 64)).box == pytest.approx(box)


def test_a_source_of_the_right_size_is_not_touched():
    picture = picture_of("rings", (96, 64))
    assert cut_for(picture, (96, 64)).of(picture) is picture


def test_a_thin_strip_is_refused(load):
    item = ask("klein", "rain", Image.new("RGB", (900, 100)))
    assert isinstance(run(load("klein"), [item])[item.id].error, SourceRefused)


def test_edges_are_drawn_in_white_on_black():
    drawn = np.asarray(edges(picture_of("fog", (200, 200))))
    assert drawn.shape == (200, 200, 3)
    assert set(np.unique(drawn)) == {0, 255}


def test_structure_reaches_the_result(load):
    """The same noise and prompt over another map of edges gives another picture."""
    engine = load("sdxl-structure")
    answers = [
        made(engine, [ask("sdxl-structure", "stone", source, seed=4, strength=1.0)])[0]
        for source in (picture_of("rings", (64, 64)), picture_of("fog", (64, 64)))
    ]
    assert not np.array_equal(pixels(answers[0]), pixels(answers[1]))
    assert answers[0].recipe["control"][0]["kind"] == "canny"
