"""Runs a list of operations on one picture: strength, mask, regions, previews and cancellation."""

import pkgutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator, default_rng
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
from generation.engines.darkroom.refusals import NothingThere
from generation.engines.darkroom.regions import LOOKED_FOR, Region, drawn, looked_for
from generation.engines.darkroom.table import Entry, amount_of, program, regions
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
    #: Further sources, each of a size of its own.
    others: tuple[Picture, ...]
    #: 1 where the picture may change; None is everywhere.
    mask: Plane | None
    strength: float
    on_progress: Callable[[Progress], None]
    stopped: Callable[[], bool]
    #: Regions that were looked for, by name; they are cut and turned with the picture.
    regions: dict[str, Region] = field(default_factory=dict)
    #: Where the running operation may change the picture; None is everywhere.
    area: Plane | None = None
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
        if before.size > 3:
            # A painter may show a canvas of another size; the frames of one strip are alike.
            frame = clip(resized(frame, before.shape[1], before.shape[0]))
            if self.area is not None:
                frame = mix(before, frame, small(self.area))
        self.on_progress(
            Progress(self.id, self.step, self.total, self.stage, Image.fromarray(to_bytes(frame)))
        )


@dataclass(slots=True)
class Done:
    """What was done, as a recipe keeps it."""

    operations: list[dict[str, Any]] = field(default_factory=list)
    #: Operations that found nothing to work on, each with the reason.
    left_out: list[dict[str, Any]] = field(default_factory=list)
    #: Regions that were looked for: share of the picture, and whether they were found.
    regions: dict[str, dict[str, Any]] = field(default_factory=dict)


def run(bench: Bench, operations: list[Operation], randomness: Callable[[int], Generator]) -> Done:
    """Change `bench.picture` by every operation in turn.

    Raises `Cancelled`, `NothingThere` when no operation has a place to work, and `EngineError` when
    one cannot cope with the picture.
    """
    bench.total = expected_frames([program()[operation.name] for operation in operations])
    if bench.mask is not None:
        bench.mask = feathered(bench.mask)
    done = Done()
    look(bench, operations, done)
    possible = sift(bench, operations, done)
    entries = [program()[operation.name] for operation in possible]
    for index, (entry, operation) in enumerate(zip(entries, possible, strict=True)):
        if bench.stopped():
            raise Cancelled
        started = time.perf_counter()
        amount = amount_of(bench.strength, operation.settings.get("intensity", 1.0))
        last, rng = index == len(entries) - 1, randomness(index)
        apply(bench, entry, operation.settings, amount, rng, len(entries), last=last)
        words: dict[str, Any] = {"name": entry.name, "settings": operation.settings}
        words |= {"amount": amount} if entry.scales else {}
        milliseconds = round((time.perf_counter() - started) * 1000)
        done.operations.append(words | {"milliseconds": milliseconds})
    return done


def look(bench: Bench, operations: list[Operation], done: Done) -> None:
    """Look for every region that an operation names, and show what was found."""
    names = {operation.settings.get("region") for operation in operations}
    for name in (name for name in LOOKED_FOR if name in names):
        region = bench.regions[name] = looked_for(name, bench.picture)
        done.regions[name] = {"share": region.share, "found": region.found}
        bench.stage, bench.total = "region", bench.total + 1
        bench.show(lit(small(bench.picture), small(region.plane)))


def lit(picture: Picture, area: Plane) -> Picture:
    """The picture with everything outside an area dimmed and greyed."""
    dim = luminance(picture)[..., None] * np.array([0.3, 0.34, 0.42], np.float32)
    return mix(floats(dim), picture, area)


def sift(bench: Bench, operations: list[Operation], done: Done) -> list[Operation]:
    """The operations that have a place to work; the others are left out, with the reason.

    Raises `NothingThere` when there is none.
    """
    possible, reason = [], ""
    for operation in operations:
        why = nowhere(bench, operation.settings.get("region", ""))
        if why:
            reason = reason or why
            words = {"name": operation.name, "settings": operation.settings, "why": why}
            done.left_out.append(words)
        else:
            possible.append(operation)
    if not possible:
        raise NothingThere(reason)
    return possible


def nowhere(bench: Bench, name: str) -> str:
    """Why an operation has no place to work; empty when it has one."""
    if not name:
        return ""
    region = bench.regions.get(name)
    if name == "sky" and region is not None and not region.found:
        return "No sky was found in this image. Name a half of the picture, or paint the part."
    area = area_of(bench, name)
    if area is not None and Region(area).empty:
        place = regions()[name]["en"]
        return f"There is nothing of the picture in this place: {place}, within what was painted."
    return ""


def area_of(bench: Bench, name: str) -> Plane | None:
    """Where an operation for a region may change the picture: the region within the mask."""
    if not name:
        return bench.mask
    height, width = bench.picture.shape[:2]
    region = bench.regions.get(name)
    plane = drawn(name, height, width) if region is None else region.plane
    return plane if bench.mask is None else floats(plane * bench.mask)


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
    """Run one operation of `count` on the bench, within its area, and show it."""
    bench.before, bench.stage = bench.picture, entry.name
    bench.area = None if entry.stage == "frame" else area_of(bench, settings.get("region", ""))
    call = {key: value for key, value in settings.items() if key not in ("intensity", "region")}
    if entry.scales:
        call["amount"] = amount
    if entry.layered:
        call["show"] = bench.show
    if entry.second:
        call["others"] = bench.others
    function = pkgutil.resolve_name(f"{__package__}.{entry.run}")
    share = -(-FEWEST_FRAMES // count)
    try:
        if entry.stage == "frame":
            frames = list(turning(bench.picture, function, call, share))
            made = reframed(bench, function, rng, call)
        else:
            made = function(bench.picture, rng, **call)
            frames = list(emerging(bench.before, made, share, layered=entry.layered))
    except cv2.error as error:
        raise EngineError(f"{entry.titles['en']} could not be made of this image.") from error
    for frame in frames[:-1]:
        bench.show(frame)
    if last:
        bench.total = bench.step + 1
    bench.show(frames[-1])
    bench.picture = within(bench, made)


def reframed(
    bench: Bench, function: Callable[..., Picture], rng: Generator, call: dict[str, Any]
) -> Picture:
    """A new frame for the picture and, as a fourth channel, for the mask and each region."""

    def framed(plane: Plane) -> Plane:
        both = function(np.dstack([bench.picture, plane]), rng, **call)
        return np.ascontiguousarray(both[..., 3])

    made = function(bench.picture, rng, **call)
    if bench.mask is not None:
        bench.mask = framed(bench.mask)
    for name, region in bench.regions.items():
        bench.regions[name] = replace(region, plane=framed(region.plane))
    # The whole sheet is cut or turned, so nothing of the old frame is left to keep.
    bench.before = np.zeros((1, 1, 3), np.float32)
    return made


def turning(
    picture: Picture, function: Callable[..., Picture], call: dict[str, Any], count: int
) -> Iterator[Picture]:
    """Small pictures on the way to a new frame: a little of it, then more."""
    start = small(picture)
    end = function(start, default_rng(0), **call)
    for step in range(1, count):
        share = step / count
        way = {key: call[key] * share for key in ("amount", "degrees") if key in call}
        if way:
            yield function(start, default_rng(0), **call | way)
        else:
            yield mix(start, end, share)
    yield end


def within(bench: Bench, made: Picture) -> Picture:
    """`made` inside the area, the picture as it was outside."""
    if bench.area is None or made.shape != bench.before.shape:
        return made
    return mix(bench.before, made, bench.area)


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
    light = luminance(last)[..., None]
    for step in range(1, count):
        # Dark places run ahead of light ones, and none arrives before the end.
        share = floats(
            np.power(np.float32(step / count), np.float32(0.6) + np.float32(1.2) * light)
        )
        yield floats(first + (last - first) * share)
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
    share = -(-FEWEST_FRAMES // max(1, len(entries)))
    return sum(max(8, share) if entry.layered else share for entry in entries)
