"""A picture comes into being before one's eyes, at almost no cost."""

import time

import numpy as np
import pytest
import torch
from PIL import Image

from generation.engines.diffusion import batches
from generation.engines.diffusion.colours import Colours, encoded, fitted, gridded, pictures
from tests.generation.diffusion.asking import ask, made, picture_of
from tests.generation.diffusion.tiny import KINDS


def test_pictures_to_fit_with_are_the_same_everywhere():
    one, two = pictures(3, 32), pictures(3, 32)
    assert all(np.array_equal(*pair) for pair in zip(one, two, strict=True))
    assert len({each.tobytes() for each in one}) == 3
    assert all(each.min() >= 0 and each.max() <= 1 and each.std() > 0.05 for each in one)


def test_a_linear_vae_is_understood_completely():
    """Where latents are the colours of the cells under another name, the map finds them."""

    class Linear(torch.nn.Module):
        dtype = torch.float32

        class config:
            shift_factor, scaling_factor = 0.5, 2.0

        def encode(self, pixels):
            cells = torch.nn.functional.interpolate(pixels, scale_factor=1 / 8, mode="area")
            mixed = torch.einsum("bchw,cd->bdhw", cells, torch.tensor(MIXING))

            class Dist:
                class latent_dist:
                    mode = staticmethod(lambda: mixed)

            return Dist

    class Pipe:
        vae, vae_scale_factor = Linear(), 8

    MIXING = [[1.0, 0.2, 0.0, 0.5], [0.1, 1.0, 0.4, 0.0], [0.0, 0.3, 1.0, 0.7]]
    colours = fitted(Pipe(), torch.device("cpu"))
    assert colours.fit > 0.98
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1).expand(1, 3, 64, 64)
    shown = colours.project(encoded(Pipe(), red))
    assert shown.shape == (1, 8, 8, 3)
    assert torch.allclose(shown.float().mean((0, 1, 2)), torch.tensor([255.0, 0, 0]), atol=25)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_map_explains_something_even_of_a_random_vae(load, name):
    assert 0 < load(name).loaded.colours.fit <= 1


def test_the_last_frame_is_like_the_result(load):
    """With nothing left to remove, the estimate is the latent that is decoded."""
    engine, steps = load("klein"), []
    made(engine, [ask("klein", "rain", picture_of("rings"))], on_progress=steps.append)
    colours, latents = engine.loaded.colours, []
    hook = engine.loaded.first.vae.decoder.register_forward_pre_hook(
        lambda _, words: latents.append(words[0].clone())
    )
    try:
        made(engine, [ask("klein", "rain", picture_of("rings"))])
    finally:
        hook.remove()
    pipe = engine.loaded.first
    patches = pipe._patchify_latents(latents[0])
    mean = pipe.vae.bn.running_mean.view(1, -1, 1, 1)
    spread = torch.sqrt(pipe.vae.bn.running_var.view(1, -1, 1, 1) + 1e-4)
    wanted = colours.project((patches - mean) / spread)[0].numpy()
    assert np.abs(np.asarray(steps[-1].frame).astype(int) - wanted.astype(int)).max() <= 2


@pytest.mark.parametrize(
    ("shape", "size", "grid"),
    [
        ((2, 4, 8, 12), (96, 64), (2, 4, 8, 12)),
        ((2, 16, 3, 8, 12), (96, 64), (2, 16, 8, 12)),
        ((2, 24, 16), (96, 64), (2, 16, 4, 6)),
        ((1, 4096, 64), (1024, 1024), (1, 64, 64, 64)),
        ((1, 4070, 64), (1184, 880), (1, 64, 55, 74)),
    ],
)
def test_latents_of_every_form_become_a_grid(shape, size, grid):
    assert tuple(gridded(torch.zeros(shape), size).shape) == grid


def test_tokens_lie_row_by_row():
    latents = torch.arange(6.0).reshape(1, 6, 1)
    assert gridded(latents, (96, 64))[0, 0].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_at_most_five_frames_a_second(load, monkeypatch):
    """Steps come faster than frames are of use."""
    clock = iter(np.arange(0, 100, 0.05))
    monkeypatch.setattr(batches.time, "monotonic", lambda: next(clock))
    steps = []
    item = ask("klein", "rain", picture_of("rings"), steps=16)
    made(load("klein"), [item], on_progress=steps.append)
    shown = [each.step for each in steps if each.frame is not None]
    assert shown[0] == 1 and shown[-1] == 16
    assert len(shown) <= 6


@pytest.mark.parametrize("channels", [4, 16, 128])
def test_a_frame_at_full_size_takes_milliseconds(channels):
    fineness = 2 if channels == 128 else 1
    colours = Colours(torch.randn(channels + 1, 3 * fineness**2), fineness, 1.0)
    side = 64 if channels == 128 else 128
    grid = torch.randn(1, channels, side, side)
    best = 1.0
    for _ in range(5):
        begun = time.perf_counter()
        Image.fromarray(colours.project(grid)[0].numpy())
        best = min(best, time.perf_counter() - begun)
    assert best < 0.1
