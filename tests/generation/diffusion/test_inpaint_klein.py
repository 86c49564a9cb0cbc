"""klein inside a mask: outside, each step is the source's; inside, what comes to be fits it."""

import inspect

import numpy as np
import pytest
import torch
from PIL import Image

from generation.engines.diffusion.klein import InpaintKlein, tokens_of
from tests.generation.diffusion.asking import ask, levels_apart, made, picture_of, pixels


def left_half(size=(64, 64)):
    plane = Image.new("L", size, 0)
    plane.paste(255, (0, 0, size[0] // 2, size[1]))
    return plane


@pytest.fixture
def steps(monkeypatch):
    """What each step ended with: its number, latents and the noise level that follows."""
    seen = []
    call = InpaintKlein.__call__

    def spied(pipe, **words):
        outer = pipe.scheduler.step

        def step(*given, **more):
            seen.append((pipe._outside, given[2].clone(), pipe.scheduler.sigmas.clone()))
            return outer(*given, **more)

        pipe.scheduler.step = step
        try:
            return call(pipe, **words)
        finally:
            pipe.scheduler.step = outer

    monkeypatch.setattr(InpaintKlein, "__call__", spied)
    spied.__signature__ = inspect.signature(call)
    return seen


def test_a_token_is_free_where_any_of_its_pixels_may_change():
    mask = Image.new("L", (64, 32), 0)
    mask.putpixel((17, 31), 1)
    assert tokens_of([mask], (64, 32)).tolist() == [[[0], [0], [0], [0], [0], [1], [0], [0]]]
    both = tokens_of([mask, Image.new("L", (64, 32), 255)], (64, 32))
    assert both.shape == (2, 8, 1) and both[1].all()


def test_outside_every_step_begins_from_the_source_as_noisy_as_the_rest(load, steps):
    item = ask("klein", "at night", picture_of("rings", (64, 64)), mask=left_half(), steps=4)
    made(load("klein"), [item])
    assert len(steps) == 4
    for number, (outside, latents, sigmas) in enumerate(steps):
        kept = outside.free[0, :, 0] == 0
        assert kept.sum() == 8 and len(kept) == 16
        level = sigmas[number]
        wanted = (1 - level) * outside.source + level * outside.noise
        assert torch.allclose(latents[0, kept], wanted[0, kept], atol=1e-5)
        if number:
            assert not torch.allclose(latents[0, ~kept], wanted[0, ~kept], atol=1e-2)


def test_a_white_mask_is_no_mask(load):
    engine = load("klein")
    source = picture_of("rings", (64, 64))
    free = made(engine, [ask("klein", "snow", source, mask=Image.new("L", (64, 64), 255))])[0]
    plain = made(engine, [ask("klein", "snow", source)])[0]
    assert free.recipe["task"] == "inpaint" and plain.recipe["task"] == "edit"
    assert levels_apart(free, plain) <= 1


def test_what_is_outside_has_a_say_inside(load, monkeypatch):
    """Without it, the inside is that of a picture made as if there were no mask."""
    engine = load("klein")
    source = picture_of("rings", (64, 64))
    fitted = made(engine, [ask("klein", "snow", source, mask=left_half())])[0]
    plain = made(engine, [ask("klein", "snow", source)])[0]
    inside = slice(0, 24)
    assert not np.array_equal(pixels(fitted)[:, inside], pixels(plain)[:, inside])
    assert np.array_equal(pixels(fitted)[:, 32:], np.asarray(source)[:, 32:])


def test_further_sources_are_seen_inside_a_mask(load):
    engine = load("klein")
    one, other = (
        made(engine, [
            ask("klein", "both", picture_of("rings", (64, 64)), picture_of(name), mask=left_half())
        ])[0]
        for name in ("fog", "chequers")
    )  # fmt: skip
    assert not np.array_equal(pixels(one), pixels(other))


def test_every_row_has_a_mask_of_its_own(load):
    engine = load("klein")
    source = picture_of("rings", (64, 64))
    right = left_half().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    items = [ask("klein", "snow", source, seed=3, mask=mask) for mask in (left_half(), right)]
    left_made, right_made = made(engine, items)
    before = np.asarray(source)
    assert np.array_equal(pixels(left_made)[:, 32:], before[:, 32:])
    assert np.array_equal(pixels(right_made)[:, :32], before[:, :32])
    others = [ask("klein", "rain", picture_of("fog", (64, 64)), seed=9, mask=right)]
    again = made(engine, [items[0], *others])[0]
    assert np.array_equal(pixels(left_made), pixels(again)), "neighbours change nothing"


def test_sources_above_a_megapixel_are_kept_in_full_size(load, steps):
    """The pipeline shows the model a smaller one; tokens outside still are the source's."""
    engine = load("klein")
    pipe = engine.loaded.pipelines["inpaint"]
    source = picture_of("rings", (1040, 1040))
    pipe(
        prompt=["snow"], image=[source], mask_image=[left_half((1040, 1040))], width=1040,
        height=1040, generator=[torch.Generator().manual_seed(1)], num_inference_steps=1,
        max_sequence_length=64, text_encoder_out_layers=(1, 2, 3),
    )  # fmt: skip
    outside = steps[0][0]
    assert outside.source.shape == outside.noise.shape == (1, 65 * 65, 16)
