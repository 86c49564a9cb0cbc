"""What lies outside a mask stays the source's at every step, so that the inside is made to fit it.

After each step the latents outside become the source's, as noisy as the rest, as in RePaint (Lugmayr
and others 2022). That is done between a pipeline and its scheduler, so it serves every pipeline that
begins from noise and knows nothing of masks; rows of a batch have masks of their own, and do not see
one another. The noise is the row's own, the one that it began from.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import adaptive_max_pool2d

from generation.engines.diffusion.colours import cell_factor, encoded, gridded

Tensor = torch.Tensor
Size = tuple[int, int]
#: Ways in which what is outside a mask is kept, as recipes name them: the pipeline takes masks itself;
#: at every step, here; or only in the finished picture. In that, its pixels are kept in any case.
PIPELINE, STEPS, PIXELS = "pipeline", "steps", "pixels"


class Masked(Protocol):
    """A row of a batch, as far as it matters here; all of one size."""

    sources: list[Image.Image]
    mask: Image.Image | None


def way(pipe: Any, rows: Sequence[Masked]) -> str | None:
    """How `pipe` keeps what is outside the masks of these rows; None where there are none."""
    if rows[0].mask is None or not rows[0].sources:
        return None
    known = inspect.signature(pipe.__call__).parameters
    if "mask_image" in known:
        return PIPELINE
    # What begins from a source instead of noise, and what moves, cannot be held like this.
    fits = not {"strength", "num_frames"} & set(known)
    return STEPS if fits and hasattr(pipe, "prepare_latents") and says(pipe.scheduler) else PIXELS


def says(scheduler: Any) -> bool:
    """Whether a scheduler takes one call a step, and can say how noisy each one is."""
    noisy = flows(scheduler) or hasattr(scheduler, "add_noise")
    return noisy and getattr(scheduler, "order", 1) == 1


def flows(scheduler: Any) -> bool:
    """Whether it goes from noise to a picture on a straight line."""
    return type(scheduler).__name__.startswith("FlowMatch")


@dataclass(slots=True)
class Outside:
    """What lies outside the masks of a batch, in the form in which the latents travel."""

    #: 1 where a cell of the grid, or a token, may change, else 0; one channel.
    free: Tensor
    source: Tensor
    noise: Tensor
    #: Steps that are done.
    done: int = 0

    def keep(self, scheduler: Any, latents: Tensor) -> Tensor:
        """The latents after a step: inside what has come to be, outside the source, as noisy."""
        self.done += 1
        noisy = as_noisy(scheduler, self.source, self.noise, self.done)
        return torch.where(self.free > 0, latents, noisy.to(latents.dtype))


def as_noisy(scheduler: Any, source: Tensor, noise: Tensor, done: int) -> Tensor:
    """The source as it would be after `done` steps.

    Flow matching: x = (1 - sigma) source + sigma noise (Lipman and others 2023). Others add noise by
    a rule of their own; after the last step there is none.
    """
    if flows(scheduler):
        sigma: Tensor = scheduler.sigmas[done].to(source.device, torch.float32)
        return (1 - sigma) * source + sigma * noise
    if done >= len(scheduler.timesteps):
        return source
    noisy: Tensor = scheduler.add_noise(source, noise, scheduler.timesteps[done : done + 1])
    return noisy


@contextlib.contextmanager
def kept_outside(pipe: Any, rows: Sequence[Masked]) -> Iterator[None]:
    """While the block runs, each step of `pipe` keeps what is outside the masks of `rows`.

    Nothing happens where there are none, or where `way` is another one.
    """
    if way(pipe, rows) != STEPS:
        yield
        return
    scheduler, step = pipe.scheduler, pipe.scheduler.step
    held: list[Outside] = []
    pipe.prepare_latents = beginning(pipe, rows, held)
    scheduler.step = keeping(scheduler, step, held)
    try:
        yield
    finally:
        scheduler.step = step
        # It was looked up on the class before, and is again.
        del pipe.prepare_latents


def beginning(pipe: Any, rows: Sequence[Masked], held: list[Outside]) -> Callable[..., Any]:
    """`prepare_latents` that remembers the noise it gives, and lays the sources beside it."""
    prepare = pipe.prepare_latents

    @functools.wraps(prepare)
    def prepare_latents(*words: Any, **more: Any) -> Any:
        out = prepare(*words, **more)
        latents = out[0] if isinstance(out, tuple) else out
        noise = latents.float() / float(getattr(pipe.scheduler, "init_noise_sigma", 1.0))
        grid = gridded(latents, rows[0].sources[0].size)
        source = sources_of(pipe, rows, (grid.shape[3], grid.shape[2]))
        free = cells_of([row.mask for row in rows], (source.shape[3], source.shape[2]))
        free = free.to(latents.device)
        if latents.ndim == 3:
            source, free = (each.flatten(2).transpose(1, 2) for each in (source, free))
        held[:] = [Outside(free, source, noise)]
        return out

    return prepare_latents


def keeping(scheduler: Any, step: Callable[..., Any], held: list[Outside]) -> Callable[..., Any]:
    """`scheduler.step` that keeps what is outside. Its signature stays, for pipelines inspect it."""

    @functools.wraps(step)
    def kept_step(*words: Any, **more: Any) -> Any:
        out = step(*words, **more)
        if isinstance(out, tuple):
            return (held[0].keep(scheduler, out[0]), *out[1:])
        out.prev_sample = held[0].keep(scheduler, out.prev_sample)
        return out

    return kept_step


def sources_of(pipe: Any, rows: Sequence[Masked], grid: Size) -> Tensor:
    """The first source of each row as the loop's latents on their grid (rows, channels, h, w).

    A pipeline may work at a size of its own: `grid`, in cells, says at which.
    """
    factor = cell_factor(pipe)
    width, height = grid[0] * factor, grid[1] * factor
    device, dtype = pipe._execution_device, pipe.vae.dtype
    found = []
    for row in rows:
        # Made ready as pipelines do it, so that what is remembered of the source is found.
        pixels = pipe.image_processor.preprocess(row.sources[0], height, width)
        found.append(encoded(pipe, pixels.to(device, dtype)).float())
    return torch.cat(found)


def cells_of(masks: Sequence[Image.Image | None], grid: Size) -> Tensor:
    """Masks as (rows, 1, h, w) of a grid (w, h): 1 where any pixel of a cell may change, else 0."""
    planes = [torch.from_numpy(np.array(mask.convert("L"))) for mask in masks if mask is not None]
    most = adaptive_max_pool2d(torch.stack(planes)[:, None].float(), (grid[1], grid[0]))
    return (most > 0).float()
