"""Looks painted with strokes: oil, in its historical manners."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.pixels import (
    Picture,
    blur,
    clip,
    floats,
    from_bytes,
    mix,
    scale_of,
    to_bytes,
)
from generation.engines.darkroom.strokes import Brushes, Show, painted
from generation.engines.darkroom.tone import graded

IMPRESSIONIST = Brushes(
    radii=(16, 8, 4),
    lengths=(4, 4, 3),
    jitter=0.07,
    wildness=0.35,
    saturation=1.2,
    impasto=0.6,
    density=0.72,
)
POST_IMPRESSIONIST = Brushes(
    radii=(12, 6),
    lengths=(9, 8),
    threshold=0.02,
    jitter=0.09,
    wildness=0.12,
    curl=0.05,
    saturation=1.35,
    impasto=0.9,
    density=0.58,
    follow=0.8,
)


def sized(brushes: Brushes, amount: float) -> Brushes:
    """Finer brushes for a light touch, broader ones for a heavy one."""
    factor = 0.55 + 0.45 * amount
    return replace(brushes, radii=tuple(radius * factor for radius in brushes.radii))


def impressionist(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Short, broken touches in a light key."""
    ground = graded(picture, warmth=0.15, saturation=0.25, exposure=0.12)
    made = painted(ground, rng, sized(IMPRESSIONIST, amount), show)
    return mix(picture, made, amount * 2.5)


def post_impressionist(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Long, curling, saturated strokes with heavy relief."""
    ground = graded(picture, saturation=0.35, contrast=0.12)
    made = painted(ground, rng, sized(POST_IMPRESSIONIST, amount), show)
    return mix(picture, made, amount * 2.5)


def pointillist(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Dots of pure colour in three sizes on a pale ground; the eye mixes them."""
    height, width = picture.shape[:2]
    scale = scale_of(picture) * (0.6 + 0.4 * amount)
    ground = graded(picture, saturation=0.5, exposure=0.12)
    # The ground is toned: bare paper between dark dots would look like snow.
    paper = np.array([0.93, 0.9, 0.83], np.float32)
    canvas = to_bytes(floats(paper * np.float32(0.3) + blur(ground, 10 * scale) * np.float32(0.7)))
    for radius in (8.0, 5.5, 3.6):
        radius = max(1.5, radius * scale)
        count = int(height * width / (radius * radius * 1.7))
        places = rng.random((count, 2)) * [width, height]
        columns, rows = places.astype(np.int32).T
        colours = blur(ground, radius * 0.5)[rows, columns]
        colours = divided(colours, rng)
        paints = (np.clip(colours, 0, 1) * 255).tolist()
        reaches = (radius * rng.uniform(0.5, 0.72, count) * 16).astype(np.int32).tolist()
        centres = (places * 16).astype(np.int32).tolist()
        for index, (centre, reach, paint) in enumerate(zip(centres, reaches, paints, strict=True)):
            if index % (count // 3 + 1) == count // 3:
                show(small_of(canvas))
            cv2.circle(canvas, centre, reach, paint, -1, cv2.LINE_AA, 4)
    return mix(picture, from_bytes(canvas), amount * 2.5)


def divided(colours: Picture, rng: Generator) -> NDArray[np.float64]:
    """Colours (n, 3) scattered as a divisionist does it: lighter, darker, warmer and cooler dots."""
    count = len(colours)
    warmth = rng.normal(0, 0.09, (count, 1)) * np.array([[1.0, 0.1, -1.0]])
    green = rng.normal(0, 0.05, (count, 1)) * np.array([[-0.6, 1.0, -0.6]])
    light = rng.normal(0, 0.07, (count, 1))
    return np.asarray(colours + warmth + green + light, np.float64)


def small_of(canvas: NDArray[np.uint8]) -> Picture:
    """An 8-bit canvas at preview size, as floats."""
    height, width = canvas.shape[:2]
    factor = max(1, max(height, width) // 256)
    size = (max(1, width // factor), max(1, height // factor))
    return from_bytes(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA))


GESTURES = Brushes(
    radii=(84, 48, 26),
    lengths=(4, 5, 6),
    threshold=0.1,
    jitter=0.13,
    wildness=0.7,
    curl=0.08,
    saturation=1.5,
    impasto=1.0,
    density=1.1,
    follow=0.5,
)


def abstract_expressionist(
    picture: Picture, rng: Generator, *, amount: float, show: Show
) -> Picture:
    """Wide gestures in the picture's own colours, then thrown lines and splashes of paint."""
    ground = graded(picture, saturation=0.5, contrast=0.2)
    base = painted(ground, rng, sized(GESTURES, amount), show)
    canvas = to_bytes(base)
    inks = own_inks(ground, rng)
    lines = round(26 * min(1.5, amount))
    for index in range(lines):
        thrown(canvas, rng, inks, max(0.5, scale_of(picture)))
        if index % 8 == 7 and index < lines - 1:
            show(small_of(canvas))
    return mix(picture, from_bytes(canvas), amount * 2.5)


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
    return floats(np.vstack([own, [[0.05, 0.05, 0.06], [0.94, 0.92, 0.88]]]))


def thrown(canvas: NDArray[np.uint8], rng: Generator, inks: Picture, scale: float) -> None:
    """One line of paint flung from a stick: it swings, thins where it is fast, and spatters."""
    height, width = canvas.shape[:2]
    steps = 70
    push = rng.normal(0, 0.5, (steps, 2))
    speed = rng.normal(0, 1.2, 2)
    speeds = np.empty((steps, 2))
    for step in range(steps):
        speed = 0.9 * speed + push[step]
        speeds[step] = speed
    path = rng.random(2) * [width, height] + (speeds * 11 * scale).cumsum(0)
    paint = (inks[rng.integers(len(inks))] * 255).tolist()
    fast = np.hypot(*speeds.T)
    widths = np.maximum(1, (5.5 * scale / (0.6 + 0.5 * fast)) * rng.uniform(0.6, 1.5)).astype(int)
    fixed = (path * 16).astype(np.int32)
    for step in range(0, steps - 3, 3):
        cv2.polylines(
            canvas, [fixed[step : step + 4]], False, paint, int(widths[step]), cv2.LINE_AA, 4
        )
    drops = path[rng.integers(0, steps, 18)] + rng.normal(0, 22 * scale, (18, 2))
    sizes = np.abs(rng.normal(0, 2.2 * scale, 18)) + 0.5
    for drop, size in zip((drops * 16).astype(np.int32).tolist(), sizes, strict=True):
        cv2.circle(canvas, drop, int(size * 16), paint, -1, cv2.LINE_AA, 4)
