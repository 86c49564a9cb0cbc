"""Points of pure colour that the eye adds up: the pictures of Seurat, Signac and Cross."""

from functools import cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.painting import small_of
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    floats,
    from_bytes,
    luminance,
    mix,
    saturated,
    scale_of,
    to_bytes,
)
from generation.engines.darkroom.strokes import Show
from generation.engines.darkroom.tone import exposed

#: Cadmium yellow, orange, vermilion, madder, violet, ultramarine, cobalt, viridian, emerald, lime.
#: There is no black and no brown among them.
TUBES = [
    "#f9d71c",
    "#f48c1b",
    "#e0452c",
    "#c42a63",
    "#6d3a91",
    "#26358f",
    "#2f78c4",
    "#0f7d63",
    "#2f9e4b",
    "#a9c934",
]
#: Shares of white in a tint, and of ultramarine violet in a shade.
TINTS, SHADES = (0.0, 0.3, 0.55, 0.78, 0.92), (0.4, 0.72)
DEEP = np.array([0.07, 0.06, 0.16], np.float32)
#: Cells along each side of the cube of colours for which a mixture is kept, dots in a mixture.
CELLS, DOTS = 14, 8
#: How much a dot may differ in lightness from what it stands for, against how well the dots add up.
CALM = 0.55


@cache
def paintbox() -> Picture:
    """All paints (n, 3): the tubes pure, tinted with white, and deepened; cream white last."""
    tubes = floats([[int(tube[at : at + 2], 16) for at in (1, 3, 5)] for tube in TUBES]) / 255
    tinted = [tubes + (1 - tubes) * np.float32(share) for share in TINTS]
    shaded = [tubes + (DEEP - tubes) * np.float32(share) for share in SHADES]
    white = np.array([[0.99, 0.97, 0.92]], np.float32)
    return floats(np.vstack([*tinted, *shaded, DEEP[None], white]))


@cache
def mixtures() -> NDArray[np.uint8]:
    """For each cell of the cube of colours the paints (cells³, DOTS) whose mean is that colour.

    Chosen one after another, each to make good what those before it left: ordered dithering to an
    arbitrary palette (Yliluoma 2011), with a preference for paints of about the right lightness, so
    that hues are broken up and forms are not.
    """
    paints = paintbox()
    axis = (np.arange(CELLS, dtype=np.float32) + np.float32(0.5)) / CELLS
    wanted = floats(np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), -1).reshape(-1, 3))
    weights = np.array([0.2126, 0.7152, 0.0722], np.float32)
    apart = np.abs(wanted @ weights - (paints @ weights)[:, None]).T * np.float32(CALM)
    total = np.zeros_like(wanted)
    chosen = np.empty((len(wanted), DOTS), np.uint8)
    for count in range(1, DOTS + 1):
        means = (total[:, None] + paints) / np.float32(count)
        gap = np.sqrt(((means - wanted[:, None]) ** 2).sum(-1))
        best = (gap + apart).argmin(1)
        chosen[:, count - 1] = best
        total += paints[best]
    return chosen


def divided(colours: Picture, rng: Generator, purity: float) -> Picture:
    """Colours (n, 3) each replaced by one paint of its mixture, `purity` of the way."""
    # Without the scatter a sky would step from one mixture to the next along a line.
    strayed = colours + rng.uniform(-0.6, 0.6, colours.shape) / CELLS
    cells = (np.clip(strayed, 0, 0.9999) * CELLS).astype(np.int32)
    at = (cells[:, 0] * CELLS + cells[:, 1]) * CELLS + cells[:, 2]
    pure = paintbox()[mixtures()[at, rng.integers(0, DOTS, len(at))]]
    return clip(colours + (pure - colours) * np.float32(purity))


def detail(plain: Plane, reach: float) -> Plane:
    """0 on calm ground, 1 where the picture is busy within `reach` pixels."""
    busy = blur(np.abs(plain - blur(plain, reach)), reach)
    return clip(busy / max(0.02, float(np.quantile(busy[::4, ::4], 0.9))))


def scattered(height: int, width: int, pitch: float, rng: Generator) -> NDArray[np.float64]:
    """Places (n, 2) as x, y in random order, one in each cell of a grid: none bare, none crowded."""
    ys, xs = np.mgrid[pitch / 2 : height + pitch / 2 : pitch, pitch / 2 : width + pitch / 2 : pitch]
    places = np.stack([xs.ravel(), ys.ravel()], 1)
    places += rng.uniform(-0.42, 0.42, places.shape) * pitch
    shuffled = places[rng.permutation(len(places))]
    return np.asarray(np.clip(shuffled, 0, [width - 1, height - 1]), np.float64)


def pointillist(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Dots of pure paint, large on calm ground and small on detail; the eye mixes them."""
    height, width = picture.shape[:2]
    scale = scale_of(picture) * (0.55 + 0.45 * amount)
    light = exposed(clip(saturated(picture, 1.35)), 0.52, 0.55)
    light = clip(light * np.float32(0.88) + np.float32(0.09))
    fine = detail(luminance(light), max(2.0, 9 * scale))
    primed = np.array([0.95, 0.92, 0.85], np.float32)
    # The priming shows between the dots of the lights only: in the darks it would look like snow.
    under = blur(light, 9 * scale)
    canvas = to_bytes(mix(under, np.broadcast_to(primed, under.shape), luminance(under) * 0.5))
    layers = ((7.5, 0.85, 0.0), (6.0, 0.85, 0.0), (4.4, 0.7, 0.42), (2.9, 0.5, 0.72))
    for radius, purity, least in layers:
        radius = max(1.4, radius * scale)
        places = scattered(height, width, radius * 1.75, rng)
        columns, rows = places.astype(np.int32).T
        places = places[fine[rows, columns] >= least]
        dab(canvas, places, blur(light, radius * 0.45), radius, purity, rng, show)
    return mix(picture, from_bytes(canvas), amount * 2.5)


def dab(
    canvas: NDArray[np.uint8],
    places: NDArray[np.float64],
    light: Picture,
    radius: float,
    purity: float,
    rng: Generator,
    show: Show,
) -> None:
    """Set one layer of dots on the canvas, in place."""
    columns, rows = places.astype(np.int32).T
    paints = (divided(light[rows, columns], rng, purity) * 255).tolist()
    reaches = (radius * rng.uniform(0.72, 1.0, len(places)) * 16).astype(np.int32).tolist()
    centres = (places * 16).astype(np.int32).tolist()
    for index, (centre, reach, paint) in enumerate(zip(centres, reaches, paints, strict=True)):
        if index % (len(centres) // 4 + 1) == len(centres) // 4:
            show(small_of(canvas))
        cv2.circle(canvas, centre, reach, paint, -1, cv2.LINE_AA, 4)
