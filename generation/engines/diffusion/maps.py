"""Draws what a result must keep of its source: edges, depth, the pose of people.

What a picture does not show is not made up: a map of nobody is left out, or edges stand in for it,
and the recipe says so.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.engines.diffusion import estimating, skeletons
from generation.engines.diffusion.controls import Control
from generation.engines.diffusion.estimating import Estimators, Floats
from generation.engines.diffusion.pictures import edges


@dataclass(frozen=True, slots=True)
class Drawing:
    """A map, RGB, of the size of its picture, and what there is to say of it."""

    picture: Image.Image
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Map:
    """What one control found in a picture."""

    control: Control
    picture: Image.Image


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of one picture."""

    maps: tuple[Map, ...] = ()
    #: For the recipe, one table for each control of the preset: kind, mode, scale, and `people`
    #: that were found, what it stands `instead_of`, or `found`: false where it was left out.
    told: tuple[dict[str, Any], ...] = ()
    milliseconds: int = 0

    @property
    def controls(self) -> tuple[Control, ...]:
        """What is followed: all rows of one call follow the same."""
        return tuple(each.control for each in self.maps)


def kept(picture: Image.Image, controls: Sequence[Control], by: Estimators) -> Kept:
    """Everything that a preset keeps of a picture, an RGB picture of the size of the result."""
    begun = time.perf_counter()
    found = list(followed(picture, controls, by))
    return Kept(
        maps=tuple(each for each, _ in found if each is not None),
        told=tuple(words for _, words in found),
        milliseconds=round(1000 * (time.perf_counter() - begun)),
    )


def followed(
    picture: Image.Image, controls: Sequence[Control], by: Estimators
) -> Iterator[tuple[Map | None, dict[str, Any]]]:
    """Each control's map, or its stand-in's, with what the recipe says of it."""
    modes = {each.mode for each in controls}
    for control in controls:
        if (drawing := DRAWN[control.kind](picture, by)) is not None:
            yield Map(control, drawing.picture), said(control) | drawing.facts
            continue
        other = control.otherwise
        instead = DRAWN[other.kind](picture, by) if other and other.mode not in modes else None
        if other is None or instead is None:
            yield None, {"kind": control.kind, "found": False}
            continue
        modes.add(other.mode)
        yield Map(other, instead.picture), said(other) | {"instead_of": control.kind}


def said(control: Control) -> dict[str, Any]:
    """A control as plain data."""
    return {"kind": control.kind, "mode": control.mode, "scale": float(control.scale)}


def drawn_edges(picture: Image.Image, by: Estimators) -> Drawing:
    """Where brightness changes."""
    return Drawing(edges(picture), {})


def drawn_depth(picture: Image.Image, by: Estimators) -> Drawing | None:
    """What is near is bright."""
    grey = grey_of(estimating.depth(picture, by))
    return None if grey is None else Drawing(Image.fromarray(grey).convert("RGB"), {})


def grey_of(depth: Floats) -> NDArray[np.uint8] | None:
    """Nearness on any scale, (height, width), as 8-bit grey: farthest 0, nearest 255.

    None where there is nothing to tell apart, or numbers that are none.
    """
    low, high = float(depth.min()), float(depth.max())
    spread = high - low
    if not np.isfinite(spread) or spread <= np.finfo(np.float32).eps * max(abs(low), abs(high)):
        return None
    grey: NDArray[np.uint8] = np.rint((depth - low) * (255 / spread)).clip(0, 255).astype(np.uint8)
    return grey


def drawn_pose(picture: Image.Image, by: Estimators) -> Drawing | None:
    """Skeletons of everybody; None where nobody is seen."""
    people = skeletons.drawable(skeletons.openpose(estimating.people(picture, by)))
    if not len(people):
        return None
    return Drawing(skeletons.drawn(people, picture.size), {"people": len(people)})


DRAWN: dict[str, Callable[[Image.Image, Estimators], Drawing | None]] = {
    "canny": drawn_edges,
    "depth": drawn_depth,
    "pose": drawn_pose,
}
