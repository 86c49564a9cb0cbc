"""Runs a list of operations on one picture: strength, mask, previews and cancellation."""

import pkgutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from PIL import Image

from generation.engines.base import Cancelled, EngineError, Progress
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    floats,
    luminance,
    mix,
    resized,
    to_bytes,
)
from generation.engines.darkroom.table import Entry, amount_of, program
from generation.requests import Operation

#: Longer side of a preview frame, in pixels.
FRAME_SIDE = 256
#: A member sees at least as many frames of a picture.
FEWEST_FRAMES = 6


@dataclass(slots=True)
class Bench:
    """One picture under way."""

    id: str
    picture: Picture
    second: Picture | None
    #: 1 where the picture may change; None is everywhere.
    mask: Plane | None
    strength: float
    on_progress: Callable[[Progress], None]
    stopped: Callable[[], bool]
    #: Steps shown so far, and as many as are expected.
    step: int = 0
    total: int = FEWEST_FRAMES
    stage: str = ""
    #: The picture before the running operation.
    before: Picture = field(default_factory=lambda: np.zeros((1, 1, 3), np.float32))

    def show(self, picture: Picture) -> None:
        """Send a frame of the unfinished picture. Raises `Cancelled` when nobody waits for it."""
        if self.stopped():
            raise Cancelled
        self.step += 1
        self.total = max(self.total, self.step)
        frame = small(picture)
        before = small(self.before)
        if self.mask is not None and frame.shape == before.shape:
            frame = mix(before, frame, small(self.mask))
        self.on_progress(
            Progress(self.id, self.step, self.total, self.stage, Image.fromarray(to_bytes(frame)))
        )


def run(
    bench: Bench, operations: list[Operation], randomness: Callable[[int], Generator]
) -> list[dict[str, Any]]:
    """Change `bench.picture` by every operation in turn; return them as the recipe keeps them.

    Raises `Cancelled`, and `EngineError` when an operation cannot cope with the picture.
    """
    entries = [program()[operation.name] for operation in operations]
    bench.total = expected_frames(entries)
    if bench.mask is not None:
        bench.mask = feathered(bench.mask)
    done = []
    for index, (entry, operation) in enumerate(zip(entries, operations, strict=True)):
        if bench.stopped():
            raise Cancelled
        started = time.perf_counter()
        amount = amount_of(bench.strength, operation.settings.get("intensity", 1.0))
        last, rng = index == len(entries) - 1, randomness(index)
        apply(bench, entry, operation.settings, amount, rng, len(entries), last=last)
        words: dict[str, Any] = {"name": entry.name, "settings": operation.settings}
        words |= {"amount": amount} if entry.scales else {}
        done.append(words | {"milliseconds": round((time.perf_counter() - started) * 1000)})
    return done


def apply(
    bench: Bench,
    entry: Entry,
    settings: dict[str, Any],
    amount: float,
    rng: Generator,
    count: int,
    *,
    last: bool,
) -> None:
    """Run one operation of `count` on the bench, within the mask, and show it."""
    bench.before, bench.stage = bench.picture, entry.name
    call = {key: value for key, value in settings.items() if key != "intensity"}
    if entry.scales:
        call["amount"] = amount
    if entry.layered:
        call["show"] = bench.show
    if entry.second:
        call["second"] = bench.second
    function = pkgutil.resolve_name(f"{__package__}.{entry.run}")
    try:
        made = (
            reframed(bench, function, rng, call)
            if entry.stage == "frame"
            else function(bench.picture, rng, **call)
        )
    except cv2.error as error:
        raise EngineError(f"{entry.titles['en']} could not be made of this image.") from error
    share = -(-FEWEST_FRAMES // count)
    frames = list(emerging(bench.before, made, share, layered=entry.layered))
    for frame in frames[:-1]:
        bench.show(frame)
    if last:
        bench.total = bench.step + 1
    bench.show(frames[-1])
    bench.picture = within(bench, made)


def reframed(
    bench: Bench, function: Callable[..., Picture], rng: Generator, call: dict[str, Any]
) -> Picture:
    """A new frame for the picture and, as its fourth channel, for the mask."""
    if bench.mask is None:
        return function(bench.picture, rng, **call)
    both = function(np.dstack([bench.picture, bench.mask]), rng, **call)
    # The whole sheet is cut or turned, so nothing of the old frame is left to keep.
    bench.before = np.zeros((1, 1, 3), np.float32)
    bench.mask = np.ascontiguousarray(both[..., 3])
    return np.ascontiguousarray(both[..., :3])


def within(bench: Bench, made: Picture) -> Picture:
    """`made` inside the mask, the picture as it was outside."""
    if bench.mask is None or made.shape != bench.before.shape:
        return made
    return mix(bench.before, made, bench.mask)


def feathered(mask: Plane) -> Plane:
    """The mask with an edge as soft as a hundredth of the picture."""
    return clip(blur(mask, max(mask.shape) / 200))


def emerging(before: Picture, after: Picture, count: int, *, layered: bool) -> Iterator[Picture]:
    """Small pictures between two: shadows come first, as in a tray of developer.

    A layered operation has shown itself already, and only its finished state is added.
    """
    last = small(after)
    first = small(before)
    if layered or first.shape != last.shape:
        first, count = last, 1 if layered else count
    dark = 1 - luminance(last)
    for step in range(1, count):
        share = clip((step / count) * 1.8 - 0.8 * (1 - dark))
        yield mix(first, last, share)
    yield last


def small(picture: Picture) -> Picture:
    """The picture at preview size."""
    height, width = picture.shape[:2]
    factor = min(1.0, FRAME_SIDE / max(height, width))
    if factor == 1:
        return picture
    return floats(resized(picture, max(1, round(width * factor)), max(1, round(height * factor))))


def expected_frames(entries: list[Entry]) -> int:
    """How many frames these operations will show, about."""
    share = -(-FEWEST_FRAMES // len(entries))
    return sum(max(8, share) if entry.layered else share for entry in entries)
