"""Inside a mask: outside, each step is the source's; inside, what comes to be fits it."""

import numpy as np
import pytest
import torch
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus
from PIL import Image

from generation.engines.diffusion import outside
from tests.generation.diffusion.asking import ask, levels_apart, made, picture_of, pixels

#: Presets whose pipelines know nothing of masks, and the side of a square that they work at.
SIDES = {"klein": 64, "longcat": 1024, "qwen-edit": 128, "instruct-pix2pix": 64}
NAMES = sorted(SIDES)


@pytest.fixture(autouse=True)
def small_sources(monkeypatch):
    """Qwen sees its sources at a megapixel of its own: here at a sixteenth of that."""
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 256 * 256)


def left_half(side=64):
    plane = Image.new("L", (side, side), 0)
    plane.paste(255, (0, 0, side // 2, side))
    return plane


def masked(name, picture="rings", mask=None, **more):
    """A job of a preset inside a mask, the left half of its picture unless another is given."""
    side = SIDES[name]
    source = picture_of(picture, (side, side))
    return ask(name, "at night", source, mask=mask or left_half(side), **more)


@pytest.fixture
def steps(monkeypatch):
    """What each step ended with: what is held outside, latents, the scheduler."""
    seen, keep = [], outside.Outside.keep

    def spied(held, scheduler, latents):
        out = keep(held, scheduler, latents)
        seen.append((held, out.clone(), scheduler))
        return out

    monkeypatch.setattr(outside.Outside, "keep", spied)
    return seen


def test_a_cell_is_free_where_any_of_its_pixels_may_change():
    mask = Image.new("L", (64, 32), 0)
    mask.putpixel((17, 31), 1)
    [[plane]] = outside.cells_of([mask], (4, 2)).tolist()
    assert plane == [[0, 0, 0, 0], [0, 1, 0, 0]]
    both = outside.cells_of([mask, Image.new("L", (64, 32), 255)], (4, 2))
    assert both.shape == (2, 1, 2, 4) and both[1].all()


@pytest.mark.parametrize("name", NAMES)
def test_outside_every_step_ends_with_the_source_as_noisy_as_the_rest(load, steps, name):
    engine = load(name)
    answer = made(engine, [masked(name, steps=3)])[0]
    assert answer.recipe["outside"] == outside.STEPS
    assert len(steps) == 3
    held, latents, scheduler = steps[-1]
    sigmas = scheduler.sigmas.tolist()
    kept = (held.free == 0).expand_as(latents)
    assert 0.4 < kept.float().mean() < 0.6
    flows = outside.flows(scheduler)
    for number, (held, latents, _) in enumerate(steps, 1):
        level = sigmas[number]
        wanted = held.source * ((1 - level) if flows else 1) + held.noise * level
        assert torch.allclose(latents[kept], wanted[kept], atol=1e-4)
        assert not torch.allclose(latents[~kept], wanted[~kept], atol=1e-2)
    assert sigmas[3] == 0, "at the end it is the source itself"
    assert torch.allclose(latents[kept], held.source[kept], atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_kept_is_what_the_decoder_makes_the_source_of(load, steps, name):
    """The space is right: decoded, the latents outside are the source as the VAE sees it."""
    engine = load(name)
    made(engine, [masked(name, steps=2)])
    source, pipe = steps[-1][0].source, engine.loaded.first
    pixels_ = pipe.image_processor.preprocess(picture_of("rings", (SIDES[name],) * 2))
    again = outside.encoded(pipe, pixels_.to(pipe.vae.dtype))
    if source.ndim == 3:
        again = again.flatten(2).transpose(1, 2)
    assert torch.allclose(source, again.float(), atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_a_white_mask_is_no_mask(load, name):
    engine, side = load(name), SIDES[name]
    white = Image.new("L", (side, side), 255)
    source = picture_of("rings", (side, side))
    free = made(engine, [masked(name, mask=white)])[0]
    plain = made(engine, [ask(name, "at night", source)])[0]
    assert (free.recipe["outside"], plain.recipe["outside"]) == ("steps", None)
    assert levels_apart(free, plain) <= 1


@pytest.mark.parametrize("name", NAMES)
def test_what_is_outside_has_a_say_inside_and_stays_to_the_bit(load, name):
    """Without it, the inside is that of a picture made as if there were no mask."""
    engine, side = load(name), SIDES[name]
    source = picture_of("rings", (side, side))
    fitted = made(engine, [masked(name)])[0]
    plain = made(engine, [ask(name, "at night", source)])[0]
    inside = slice(0, side * 3 // 8)
    assert not np.array_equal(pixels(fitted)[:, inside], pixels(plain)[:, inside])
    assert np.array_equal(pixels(fitted)[:, side // 2 :], np.asarray(source)[:, side // 2 :])


@pytest.mark.parametrize("name", ["klein", "qwen-edit"])
def test_further_sources_are_seen_inside_a_mask(load, name):
    engine, side = load(name), SIDES[name]
    rings = picture_of("rings", (side, side))
    one, other = (
        made(engine, [ask(name, "both", rings, picture_of(each), mask=left_half(side))])[0]
        for each in ("fog", "chequers")
    )
    assert not np.array_equal(pixels(one), pixels(other))


@pytest.mark.parametrize("name", ["klein", "instruct-pix2pix"])
def test_every_row_has_a_mask_of_its_own_and_neighbours_change_nothing(load, name):
    engine = load(name)
    right = left_half().transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    items = [masked(name, seed=3), masked(name, seed=3, mask=right)]
    left_made, right_made = made(engine, items)
    before = np.asarray(picture_of("rings", (64, 64)))
    assert np.array_equal(pixels(left_made)[:, 32:], before[:, 32:])
    assert np.array_equal(pixels(right_made)[:, :32], before[:, :32])
    others = [masked(name, "fog", seed=9, mask=right)]
    again = made(engine, [items[0], *others])[0]
    assert np.array_equal(pixels(left_made), pixels(again))
    alone = made(engine, [items[1]])[0]
    assert levels_apart(alone, right_made) <= 2


def test_the_next_run_without_a_mask_is_as_if_none_had_been(load):
    engine = load("instruct-pix2pix")
    plain = [ask("instruct-pix2pix", "rain", picture_of("fog", (64, 64)))]
    before = made(engine, plain)[0]
    made(engine, [masked("instruct-pix2pix")])
    assert "prepare_latents" not in vars(engine.loaded.first)
    assert "step" not in vars(engine.loaded.first.scheduler)
    assert np.array_equal(pixels(before), pixels(made(engine, plain)[0]))


def test_a_source_seen_small_is_kept_at_the_size_of_the_result(load, steps):
    """klein shows its model sources above a megapixel smaller; what is kept is not."""
    engine = load("klein")
    pipe, side = engine.loaded.first, 1040
    source = picture_of("rings", (side, side))

    class Row:
        sources, mask = [source], left_half(side)

    with outside.kept_outside(pipe, [Row()]):
        pipe(
            prompt=["snow"], image=[source], width=side, height=side, num_inference_steps=1,
            generator=[torch.Generator().manual_seed(1)], max_sequence_length=64,
            text_encoder_out_layers=(1, 2, 3),
        )  # fmt: skip
    held = steps[0][0]
    assert held.source.shape == held.noise.shape == (1, 65 * 65, 16)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("klein", "steps"), ("sdxl-structure", "pipeline"), ("wan-moving", "pixels")],
)
def test_the_recipe_says_how_the_outside_was_kept(load, name, wanted):
    item = ask(name, "rain", picture_of("rings", (64, 64)), mask=left_half())
    answer = made(load(name), [item])[0]
    assert answer.recipe["outside"] == wanted
    before = np.asarray(picture_of("rings", (64, 64)))
    for frame in answer.frames or [answer.picture]:
        assert np.array_equal(np.asarray(frame)[:, 32:], before[:, 32:])


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("DDIMScheduler", {}),
        ("PNDMScheduler", {"skip_prk_steps": True}),
        ("DPMSolverMultistepScheduler", {}),
    ],
)
def test_other_schedulers_keep_it_too(load, steps, kind, words):
    """An operator's weights may come with another one."""
    import diffusers

    engine = load("instruct-pix2pix")
    pipe = engine.loaded.first
    before, pipe.scheduler = pipe.scheduler, getattr(diffusers, kind)(**words)
    try:
        answer = made(engine, [masked("instruct-pix2pix", steps=6)])[0]
    finally:
        pipe.scheduler = before
    held, latents, _ = steps[-1]
    kept = (held.free == 0).expand_as(latents)
    assert torch.allclose(latents[kept], held.source[kept], atol=1e-5)
    assert answer.recipe["scheduler"] == kind and pixels(answer).std() > 1


def test_a_scheduler_of_two_calls_a_step_leaves_it_to_the_pixels(load):
    from diffusers import HeunDiscreteScheduler

    engine = load("instruct-pix2pix")
    pipe = engine.loaded.first
    before, pipe.scheduler = pipe.scheduler, HeunDiscreteScheduler()
    try:
        answer = made(engine, [masked("instruct-pix2pix", steps=3)])[0]
    finally:
        pipe.scheduler = before
    assert answer.recipe["outside"] == outside.PIXELS
