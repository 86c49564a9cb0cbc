"""Painting as an event: scrubbed grounds, sweeps of a wide dry brush, drips and thrown paint."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.drawing import constant_flow
from generation.engines.darkroom.flow import combed
from generation.engines.darkroom.painting import small_of
from generation.engines.darkroom.pixels import (
    Picture,
    blur,
    clip,
    clouds,
    floats,
    from_bytes,
    mix,
    noise,
    saturated,
    scale_of,
    to_bytes,
)
from generation.engines.darkroom.strokes import Show
from generation.engines.darkroom.tone import exposed, graded

Canvas = NDArray[np.uint8]
Path = NDArray[np.float64]
#: Points of one sweep of the arm; the broad sweeps of a canvas, and how many are seen at a time.
POINTS, SWEEPS, SEEN = 26, 104, 18


@dataclass(frozen=True, slots=True)
class Sweep:
    """One movement of the arm with a loaded brush."""

    #: (POINTS, 2), pixels as x, y.
    path: Path
    #: Pixels across the brush, and across one bundle of its hairs.
    width: float
    hair: float
    #: (3,), 0..1.
    paint: Picture


def abstract_expressionist(
    picture: Picture, rng: Generator, *, amount: float, show: Show
) -> Picture:
    """The picture's masses and colours as gestures of the whole arm; the motif is let go."""
    scale = max(0.4, scale_of(picture))
    strong = graded(exposed(picture, 0.48, 0.5), saturation=0.55, contrast=0.2)
    inks = own_inks(strong, rng)
    canvas = to_bytes(scrubbed(strong, rng, scale))
    show(small_of(canvas))
    lean = rng.uniform(0, np.pi)
    for index in range(SWEEPS):
        gesture = sweep(strong, inks, index / SWEEPS, lean, scale * (0.7 + 0.3 * amount), rng)
        drag(canvas, gesture, rng)
        if rng.random() < 0.3:
            run_down(canvas, gesture, rng, scale)
        if index % SEEN == SEEN - 1:
            show(small_of(canvas))
    for _ in range(round(5 * amount)):
        thrown(canvas, rng, inks, scale)
    return mix(picture, from_bytes(canvas), amount * 2.5)


def scrubbed(strong: Picture, rng: Generator, scale: float) -> Picture:
    """Thin washes of the picture's own masses over primed canvas, uneven as a rag leaves them."""
    height, width = strong.shape[:2]
    masses = blur(strong, 55 * scale)
    rag = combed(noise(height, width, rng), constant_flow(height, width, rng.uniform(0, 180)), 6)
    thin = clip(clouds(height, width, rng, octaves=7, cells=5) * 3 - 1 + rag * np.float32(1.2))
    primed = np.broadcast_to(np.array([0.93, 0.9, 0.84], np.float32), strong.shape)
    return mix(floats(primed), clip(saturated(masses, 1.2)), 0.35 + 0.65 * thin)


def own_inks(picture: Picture, rng: Generator) -> Picture:
    """Eight colours (8, 3): six of the picture, pushed apart, then near-black and cream."""
    sample = cv2.resize(picture, (48, 48), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 0.01)
    _, _, found = cv2.kmeans(
        sample, 6, np.empty((0,), np.int32), criteria, 2, cv2.KMEANS_PP_CENTERS
    )
    level = found.mean(1, keepdims=True)
    own = clip(level + (found - level) * 1.6)
    return floats(np.vstack([own, [[0.06, 0.055, 0.07], [0.95, 0.93, 0.88]]]))


def sweep(
    strong: Picture, inks: Picture, share: float, lean: float, scale: float, rng: Generator
) -> Sweep:
    """One gesture, broad at the start of the work (`share` 0) and narrow towards its end."""
    height, width = strong.shape[:2]
    across = scale * (165 * (1 - share) ** 1.8 + 24) * rng.uniform(0.6, 1.2)
    reach = scale * rng.uniform(170, 520) * (1.1 - 0.4 * share)
    start = rng.random(2) * [width, height]
    # The arm has a lean of its own, and every so often goes against it.
    turn = lean + rng.normal(0, 0.55) + (np.pi / 2 if rng.random() < 0.25 else 0)
    turns = (
        turn + np.cumsum(rng.normal(0, 0.05, POINTS)) + np.linspace(0, rng.normal(0, 1.3), POINTS)
    )
    steps = np.stack([np.cos(turns), np.sin(turns)], 1) * (reach / POINTS)
    path = start + np.cumsum(steps, 0) - steps.sum(0) / 2
    column, row = np.clip(start, 0, [width - 1, height - 1]).astype(int)
    paint = blurred_at(strong, row, column, across)
    luck = rng.random()
    if luck < 0.2:
        paint = inks[rng.integers(6)]
    elif luck < 0.3 and share > 0.3:
        paint = inks[6 + rng.integers(2)]
    return Sweep(path, across, max(1.0, 2.6 * scale), paint)


def blurred_at(strong: Picture, row: int, column: int, across: float) -> Picture:
    """The mean colour (3,) of a square as wide as the brush."""
    half = max(1, round(across / 2))
    part = strong[max(0, row - half) : row + half, max(0, column - half) : column + half]
    return clip(saturated(part.mean((0, 1))[None, None].astype(np.float32), 1.25)[0, 0])


def drag(canvas: Canvas, gesture: Sweep, rng: Generator) -> None:
    """Drag the brush over the canvas, in place: every bundle of hairs leaves its own furrow.

    Some bundles touch late, some run dry early; colour varies slowly across the brush.
    """
    along = np.gradient(gesture.path, axis=0)
    normal = np.stack([-along[:, 1], along[:, 0]], 1)
    normal /= np.maximum(np.hypot(*normal.T), 1e-6)[:, None]
    count = max(3, round(gesture.width / gesture.hair * 1.5))
    offsets = np.linspace(-0.5, 0.5, count) + rng.normal(0, 0.5 / count, count)
    # A walk across the brush: neighbouring bundles carry like paint.
    shades = np.cumsum(rng.normal(0, 0.22 / np.sqrt(count), count)) + rng.normal(0, 0.05, count)
    paints = np.clip(gesture.paint * (1 + (shades - shades.mean())[:, None]) * 255, 0, 255)
    begins = np.abs(rng.normal(0, 1.3, count)).astype(int).clip(0, POINTS // 3)
    ends = POINTS - np.abs(rng.exponential(3.5, count)).astype(int).clip(0, POINTS - 9)
    widths = np.maximum(1, gesture.hair * rng.uniform(0.5, 1.5, count)).astype(int).tolist()
    for at in rng.permutation(count):
        hair = gesture.path + normal * (offsets[at] * gesture.width)
        fixed = (hair[begins[at] : ends[at]] * 16).astype(np.int32)
        paint = tuple(paints[at].tolist())
        cv2.polylines(canvas, [fixed], False, paint, widths[at], cv2.LINE_AA, 4)


def run_down(canvas: Canvas, gesture: Sweep, rng: Generator, scale: float) -> None:
    """Wet paint runs down from a sweep in thin drips, in place."""
    paint = tuple((gesture.paint * 235).tolist())
    for _ in range(int(rng.integers(1, 5))):
        x, y = gesture.path[rng.integers(POINTS)] + [rng.normal(0, gesture.width / 5), 0]
        long, thick = rng.exponential(75 * scale), max(1, round(rng.uniform(1.2, 3.4) * scale))
        ends = np.array([[x, y], [x + rng.normal(0, 1), y + long]])
        fixed = (ends * 16).astype(np.int32)
        cv2.polylines(canvas, [fixed], False, paint, thick, cv2.LINE_AA, 4)
        cv2.circle(canvas, fixed[1].tolist(), round(thick * 0.8 * 16), paint, -1, cv2.LINE_AA, 4)


def thrown(canvas: Canvas, rng: Generator, inks: Picture, scale: float) -> None:
    """One line of paint flung from a stick: it swings, thins where it is fast, and spatters."""
    height, width = canvas.shape[:2]
    steps = 160
    push = rng.normal(0, 0.22, (steps, 2))
    speed = rng.normal(0, 1.2, 2)
    speeds = np.empty((steps, 2))
    for step in range(steps):
        speed = 0.95 * speed + push[step]
        speeds[step] = speed
    path = rng.random(2) * [width, height] + (speeds * 6 * scale).cumsum(0)
    paint = (inks[rng.integers(len(inks))] * 255).tolist()
    fast = np.hypot(*speeds.T)
    widths = np.maximum(1, (4.5 * scale / (0.6 + 0.5 * fast)) * rng.uniform(0.6, 1.5)).astype(int)
    fixed = (path * 16).astype(np.int32)
    for step in range(0, steps - 3, 3):
        cv2.polylines(
            canvas, [fixed[step : step + 4]], False, paint, int(widths[step]), cv2.LINE_AA, 4
        )
    drops = path[rng.integers(0, steps, 40)] + rng.normal(0, 30 * scale, (40, 2))
    sizes = np.abs(rng.normal(0, 2.0 * scale, 40)) + 0.4
    for drop, size in zip((drops * 16).astype(np.int32).tolist(), sizes, strict=True):
        cv2.circle(canvas, drop, int(size * 16), paint, -1, cv2.LINE_AA, 4)
