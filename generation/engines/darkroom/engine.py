"""The darkroom: an engine without weights. Float arithmetic, strokes and noise on one core."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator, SeedSequence, default_rng
from PIL import Image

from generation.engines.base import (
    EngineError,
    Failed,
    Item,
    Made,
    NothingUnderstood,
    Preset,
    Progress,
    SourceRefused,
)
from generation.engines.darkroom import memory, running
from generation.engines.darkroom.pixels import Picture, clip, floats, from_bytes, to_bytes
from generation.engines.darkroom.refusals import MaskEmpty, NoRoom, SecondMissing
from generation.engines.darkroom.regions import FAINTEST
from generation.engines.darkroom.table import Unusable, program
from generation.engines.descriptors import on_white
from generation.prompts.planning import plan
from generation.requests import Operation
from generation.versions import installed

#: Both sides of a source must have as many pixels.
SMALLEST_SIDE = 8
#: Strips more than this many times longer than wide hold no picture that strokes could follow.
LARGEST_RATIO = 60
RANDOMNESS = "numpy PCG64, SeedSequence([seed, index of operation])"


class Darkroom:
    """Runs the operations of a plan, one picture after another."""

    name = "darkroom"
    version = "3"

    def __init__(self) -> None:
        self.preset: Preset | None = None

    def load(self, preset: Preset) -> None:
        """Nothing to fetch; OpenCV is held to one thread, for jobs run side by side."""
        cv2.setNumThreads(1)
        self.preset = preset

    def unload(self) -> None:
        """Nothing is held."""
        self.preset = None

    def edit(
        self,
        batch: Sequence[Item],
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[str], bool],
    ) -> Iterator[Made | Failed]:
        """Yield one `Made` or `Failed` for each item. Bit-equal for equal request and versions."""
        for item in batch:
            try:
                yield self.made(item, on_progress, partial(cancelled, item.id))
            except EngineError as error:
                yield Failed(item.id, error)
            memory.give_back()

    def made(
        self, item: Item, on_progress: Callable[[Progress], None], stopped: Callable[[], bool]
    ) -> Made:
        """One picture. Raises `EngineError`."""
        started = time.perf_counter()
        if not item.sources:
            raise SourceRefused("The darkroom begins from an image: answer one, or add one.")
        operations, unread = operations_for(item)
        sources = [picture_of(source) for source in item.sources]
        bench = running.Bench(
            id=item.id,
            picture=sources[0],
            others=tuple(sources[1:]),
            mask=None if item.mask is None else mask_of(item.mask, sources[0]),
            strength=item.request.strength,
            on_progress=on_progress,
            stopped=stopped,
        )
        done = running.run(bench, operations, partial(randomness, item.request.seed))
        picture = Image.fromarray(to_bytes(bench.picture))
        total = milliseconds_since(started)
        return Made(item.id, picture, self.recipe(item, done, unread, picture.size, total))

    def recipe(
        self,
        item: Item,
        done: running.Done,
        unread: tuple[str, ...],
        size: tuple[int, int],
        milliseconds: int,
    ) -> dict[str, Any]:
        """Everything needed to make this picture again; plain data."""
        request = item.request
        return {
            "engine": self.name,
            "version": self.version,
            "preset": request.preset,
            "prompt": request.prompt,
            "operations": done.operations,
            "left_out": done.left_out,
            "regions": done.regions,
            "unread": list(unread),
            "seed": request.seed,
            "strength": request.strength,
            "sources": [source.sha256 for source in request.sources],
            "mask": None if request.mask is None else request.mask.sha256,
            "size": list(size),
            "source_size": list(item.sources[0].size),
            "randomness": RANDOMNESS,
            "versions": {name: installed()[name] for name in ("numpy", "opencv", "pillow")},
            "milliseconds": milliseconds,
        }


def operations_for(item: Item) -> tuple[list[Operation], tuple[str, ...]]:
    """What to run, and the words that nothing was made of. Raises `NothingUnderstood`."""
    request = item.request
    reading = plan(request.prompt, request.preset, strength=request.strength)
    asked = request.read_as
    if asked is None:
        asked = tuple(Operation(name, settings) for name, settings in reading.operations)
    if not asked:
        raise NothingUnderstood("The darkroom understood nothing of this prompt.")
    for operation in asked:
        require_second(operation, len(item.sources))
    # Whoever sent chips may have read with a community's own words, which are not known here.
    unread = reading.unknown if request.unread is None else request.unread
    return [checked(operation) for operation in asked], unread


def require_second(operation: Operation, sources: int) -> None:
    """Raise `SecondMissing` for what takes after another image where there is none."""
    entry = program().get(operation.name)
    if entry is not None and entry.needs_second and sources < 2:
        raise SecondMissing(
            f"“{entry.titles['en']}” needs a second image to take after: add one to the reply."
        )


def checked(operation: Operation) -> Operation:
    """The operation with all its settings. Raises `NothingUnderstood` for one that is not there."""
    entry = program().get(operation.name)
    if entry is None:
        raise NothingUnderstood(f"The darkroom has no operation {operation.name!r:.60}.")
    try:
        return Operation(operation.name, entry.checked(operation.settings))
    except Unusable as error:
        raise NothingUnderstood(f"{entry.titles['en']}: {error}.") from None


def picture_of(source: Image.Image) -> Picture:
    """The source as floats. Raises `NoRoom` for what is too small or too thin."""
    shorter, longer = sorted(source.size)
    if shorter < SMALLEST_SIDE:
        raise NoRoom(
            f"This image is {source.width} × {source.height} pixels; the darkroom needs at least "
            f"{SMALLEST_SIDE} on each side."
        )
    if longer > LARGEST_RATIO * shorter:
        raise NoRoom(
            f"This image is more than {LARGEST_RATIO} times longer than wide; crop it first."
        )
    if source.mode.startswith("I"):
        # Sixteen bits: Pillow would cut off all but the darkest tones.
        grey = clip(np.asarray(source, np.float32) / np.float32(65535))
        return floats(np.repeat(grey[..., None], 3, axis=2))
    return from_bytes(np.asarray(on_white(source)))


def mask_of(mask: Image.Image, picture: Picture) -> Picture:
    """The mask as a plane (height, width) of the picture's size.

    Raises `MaskEmpty` for one that is black all over.
    """
    height, width = picture.shape[:2]
    grey = mask.convert("L")
    if int(np.asarray(grey).max(initial=0)) < 255 * FAINTEST:
        raise MaskEmpty("Nothing is painted in the mask, so nothing may change.")
    if grey.size != (width, height):
        # A smooth rule keeps a feathered edge feathered, from a small mask too.
        grey = grey.resize((width, height), Image.Resampling.BICUBIC)
    return from_bytes(np.asarray(grey))


def randomness(seed: int, index: int) -> Generator:
    """The generator of one operation."""
    return default_rng(SeedSequence([seed % 2**64, index]))


def milliseconds_since(started: float) -> int:
    """Whole milliseconds since a `time.perf_counter` value."""
    return round((time.perf_counter() - started) * 1000)
