"""Mosaic: stones set in courses along the forms, small ones where the motif is rich."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.divisionism import detail
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
    noise,
    saturated,
    scale_of,
    to_bytes,
)
from generation.engines.darkroom.strokes import Show
from generation.engines.darkroom.tone import exposed

#: Colour of the mortar: grey lime.
MORTAR = np.array([0.34, 0.32, 0.3], np.float32)
Places = NDArray[np.float64]


def mosaic(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Courses of stones parallel to the contours (andamento), cut smaller for faces and detail.

    Contours, distance to them and stones along its level lines: Artificial Mosaics (Di Blasi and
    Gallo 2005).
    """
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    side = max(5.0, (11 + 6 * amount) * scale)
    light = clip(saturated(exposed(picture, 0.5, 0.4), 1.35))
    far = distance_from_forms(luminance(light), side)
    rich = detail(luminance(light), side) > 0.5
    # Mortar takes on dust of the stones around it.
    canvas = to_bytes(clip(MORTAR * np.float32(0.55) + blur(light, side) * np.float32(0.3)))
    level, taken = np.zeros((height, width), np.uint8), np.zeros((height, width), np.uint8)
    for share, wanted in ((0.54, rich), (1.0, ~rich)):
        stones = courses(far, side * share, wanted)
        lay(canvas, level, taken, stones, side * share, light, rng, show)
    gaps = fillers(taken, side * 0.55)
    lay(canvas, level, taken, gaps, side * 0.5, light, rng, show)
    return mix(picture, set_in_light(canvas, level, rng, scale), amount * 4)


def distance_from_forms(plain: Plane, side: float) -> Plane:
    """Pixels to the nearest contour of the motif, or to the frame."""
    height, width = plain.shape
    soft = to_bytes(blur(plain, 0.28 * side))
    middle = float(np.median(soft))
    forms = cv2.Canny(soft, max(18.0, 0.35 * middle), max(40.0, 0.75 * middle))
    forms[[0, -1]] = 255
    forms[:, [0, -1]] = 255
    far = cv2.distanceTransform(255 - forms, cv2.DIST_L2, 5)
    return floats(far)


def courses(far: Plane, side: float, wanted: NDArray[np.bool_]) -> Places:
    """Stones (n, 3) as x, y and angle, one after another along lines of equal distance."""
    height, width = far.shape
    made = []
    for row in range(int(far.max() / side) + 1):
        inside = (far > (row + 0.5) * side).astype(np.uint8)
        lines, _ = cv2.findContours(inside, cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        made += [spaced(line[:, 0].astype(np.float64), side) for line in lines if len(line) > side]
    if not made:
        return np.zeros((0, 3))
    places = np.vstack(made)
    columns, rows = places[:, 0].astype(int), places[:, 1].astype(int)
    there = wanted[rows.clip(0, height - 1), columns.clip(0, width - 1)]
    return np.asarray(places[there], np.float64)


def spaced(line: Places, side: float) -> Places:
    """Points a stone apart along a closed line (n, 2), each with the line's angle there."""
    reach = max(2, round(side / 2))
    padded = np.vstack([line[-reach:], line, line[:reach]])
    along = padded[2 * reach :] - padded[: -2 * reach]
    steps = np.hypot(*np.diff(line, axis=0, append=line[:1]).T)
    count = max(1, round(steps.sum() / side))
    at = np.searchsorted(np.cumsum(steps), np.arange(count) * (steps.sum() / count))
    at = at.clip(0, len(line) - 1)
    return np.column_stack([line[at], np.arctan2(along[at, 1], along[at, 0])])


def fillers(taken: NDArray[np.uint8], side: float) -> Places:
    """Places (n, 3) of small stones for the holes that the courses leave."""
    height, width = taken.shape
    hole = cv2.distanceTransform(255 - taken, cv2.DIST_L2, 3)
    pitch = max(3, round(side * 0.8))
    rows, columns = np.mgrid[pitch // 2 : height : pitch, pitch // 2 : width : pitch]
    rows, columns = rows.ravel(), columns.ravel()
    open_ = hole[rows, columns] > 0.2 * side
    rows, columns = rows[open_], columns[open_]
    return np.column_stack([columns, rows, np.zeros(len(rows))]).astype(np.float64)


def lay(
    canvas: NDArray[np.uint8],
    level: NDArray[np.uint8],
    taken: NDArray[np.uint8],
    stones: Places,
    side: float,
    light: Picture,
    rng: Generator,
    show: Show,
) -> None:
    """Set stones one by one, in place; one that would lie half on others is left away."""
    height, width = taken.shape
    if not len(stones):
        return
    shapes = cut_stones(stones, side, rng)
    columns = stones[:, 0].astype(int).clip(0, width - 1)
    rows = stones[:, 1].astype(int).clip(0, height - 1)
    colours = blur(light, side * 0.25)[rows, columns] * rng.normal(1, 0.07, (len(stones), 1))
    colours = colours + rng.normal(0, 0.018, (len(stones), 3))
    paints = (np.clip(colours, 0.03, 1) * 255).tolist()
    rims = (np.clip(colours * 0.7, 0.02, 1) * 255).tolist()
    heights = rng.integers(150, 255, len(stones)).tolist()
    probes = shapes.mean(1, keepdims=True) * 0.42 + shapes * 0.58
    xs = probes[..., 0].astype(int).clip(0, width - 1)
    ys = probes[..., 1].astype(int).clip(0, height - 1)
    fixed = (shapes * 16).astype(np.int32)
    for at in range(len(stones)):
        if at % (len(stones) // 4 + 1) == len(stones) // 4:
            show(small_of(canvas))
        if taken[rows[at], columns[at]] or (taken[ys[at], xs[at]] > 0).sum() > 1:
            continue
        cv2.fillConvexPoly(canvas, fixed[at], paints[at], cv2.LINE_AA, 4)
        cv2.polylines(canvas, [fixed[at]], True, rims[at], 1, cv2.LINE_AA, 4)
        cv2.fillConvexPoly(level, fixed[at], heights[at], cv2.LINE_AA, 4)
        cv2.fillConvexPoly(taken, fixed[at], 255, cv2.LINE_8, 4)


def cut_stones(stones: Places, side: float, rng: Generator) -> Places:
    """Outlines (n, 4, 2): squares along their course, as uneven as a hammer leaves them."""
    long = side * rng.uniform(0.86, 1.0, (len(stones), 1)) / 2
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * 0.93
    cosine, sine = np.cos(stones[:, 2]), np.sin(stones[:, 2])
    frame = np.stack([np.stack([cosine, -sine], 1), np.stack([sine, cosine], 1)], 1)
    shapes = np.einsum("nij,kj->nki", frame, corners) * long[:, None] + stones[:, None, :2]
    return np.asarray(shapes + rng.normal(0, side * 0.045, shapes.shape), np.float64)


def set_in_light(
    canvas: NDArray[np.uint8], level: NDArray[np.uint8], rng: Generator, scale: float
) -> Picture:
    """The finished mosaic under light from the upper left: each stone tilts its own way."""
    relief = blur(from_bytes(level), max(0.6, 1.1 * scale))
    slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0) + cv2.Sobel(relief, cv2.CV_32F, 0, 1)
    shade = np.clip(slope * np.float32(0.14), -0.2, 0.28)[..., None]
    height, width = level.shape
    grain = noise(height, width, rng)[..., None] * np.float32(0.016)
    gleam = (from_bytes(level) - np.float32(0.79))[..., None] * np.float32(0.22)
    laid = (level > 0)[..., None]
    return clip(from_bytes(canvas) * (1 + shade + gleam * laid) + shade * np.float32(0.12) + grain)
