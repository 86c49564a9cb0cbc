"""Pictures that are rounded on their device are those that diffusers would round afterwards."""

import contextlib

import numpy as np
import pytest
import torch
from diffusers.image_processor import VaeImageProcessor

from generation.engines.diffusion import batches
from generation.engines.diffusion.finishing import rounding
from tests.generation.diffusion.asking import ask, made, picture_of, pixels


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_every_value_is_rounded_alike(dtype):
    """Beyond both ends too, and at the halves between two bytes."""
    processor = VaeImageProcessor()
    line = torch.linspace(-1.2, 1.2, 3 * 96 * 64).to(dtype)
    halves = ((torch.arange(255) + 0.5) / 255 * 2 - 1).to(dtype)
    line[: len(halves)] = halves
    pixels = line.reshape(1, 3, 96, 64).repeat(2, 1, 1, 1)
    one, other = processor.postprocess(pixels), rounding(processor.postprocess)(pixels)
    assert len(one) == len(other) == 2
    for left, right in zip(one, other, strict=True):
        assert left.mode == right.mode == "RGB" and left.tobytes() == right.tobytes()
    some = [True, False]
    kept = rounding(processor.postprocess)(pixels.clamp(0, 1), do_denormalize=some)
    assert (
        kept[1].tobytes()
        == processor.postprocess(pixels.clamp(0, 1), do_denormalize=some)[1].tobytes()
    )


def test_what_is_no_picture_goes_the_usual_way():
    processor = VaeImageProcessor()
    grey = torch.zeros(1, 1, 8, 8)
    quick = rounding(processor.postprocess)
    assert quick(grey)[0].mode == processor.postprocess(grey)[0].mode
    assert torch.equal(quick(grey, "pt"), processor.postprocess(grey, "pt"))


@pytest.mark.parametrize("name", ["klein", "sdxl-structure", "sd-turbo", "z-image", "qwen-edit"])
def test_a_preset_makes_the_same_picture_either_way(load, monkeypatch, name):
    item = ask(name, "rain", picture_of("rings"))
    engine = load(name)
    [quick] = made(engine, [item])
    monkeypatch.setattr(batches, "rounded_there", lambda pipe: contextlib.nullcontext())
    [usual] = made(engine, [item])
    assert np.array_equal(pixels(quick), pixels(usual))
    assert "postprocess" not in vars(engine.loaded.first.image_processor)
