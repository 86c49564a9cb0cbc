"""What time does to a print: scratches, dust and dark corners."""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    clouds,
    floats,
    from_bytes,
    mix,
    scale_of,
)
from generation.engines.darkroom.tone import grained, sepia


def vignetted(picture: Picture, depth: float) -> Picture:
    """Corners darkened by the fourth power of the cosine, as a simple lens does it."""
    height, width = picture.shape[:2]
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    fall = 1 / (1 + np.float32(0.5) * (xs * xs + ys * ys)) ** 2
    return floats(picture * (1 - np.float32(depth) * (1 - fall))[..., None])


def scratches(height: int, width: int, rng: Generator, count: int, scale: float) -> Plane:
    """Thin, slightly bent, broken lines that run mostly downwards; 0..1."""
    plane = np.zeros((height, width), np.uint8)
    for _ in range(count):
        x, y = rng.uniform(0, width), rng.uniform(-0.2, 0.9) * height
        steps = rng.normal(0, 1.4 * scale, 24).cumsum()
        ys = y + np.linspace(0, rng.uniform(0.04, 0.35) * height, 24)
        path = np.stack([x + steps, ys], 1)
        light = int(rng.uniform(70, 210))
        cv2.polylines(plane, [(path * 16).astype(np.int32)], False, light, 1, cv2.LINE_AA, 4)
    return blur(from_bytes(plane), 0.5 * scale)


def dust(height: int, width: int, rng: Generator, count: int, scale: float) -> Plane:
    """Specks and a few hairs; 0..1."""
    plane = np.zeros((height, width), np.uint8)
    for x, y, size in rng.random((count, 3)):
        centre = (int(x * width * 16), int(y * height * 16))
        radius = int(16 * scale * (0.5 + 1.6 * size**3))
        cv2.circle(plane, centre, radius, int(90 + 140 * size), -1, cv2.LINE_AA, 4)
    for _ in range(count // 30):
        turn = rng.normal(0, 0.5, 16).cumsum() + rng.uniform(0, 6.3)
        steps = np.stack([np.cos(turn), np.sin(turn)], 1) * 4 * scale
        path = steps.cumsum(0) + rng.random(2) * [width, height]
        cv2.polylines(plane, [(path * 16).astype(np.int32)], False, 150, 1, cv2.LINE_AA, 4)
    return blur(from_bytes(plane), 0.5 * scale)


def blemished(picture: Picture, rng: Generator, amount: float) -> Picture:
    """Light scratches and dust on the picture; more of them with a larger amount."""
    height, width = picture.shape[:2]
    scale = max(0.5, scale_of(picture))
    lines = scratches(height, width, rng, round(12 * amount), scale)
    specks = dust(height, width, rng, round(160 * amount), scale)
    pale = np.array([0.96, 0.93, 0.86], np.float32)
    marks = clip(lines * 0.5 + specks * 0.7)[..., None]
    return floats(picture + (pale - picture) * marks)


def old_photograph(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """An album print of about 1900: warm, faded, uneven, scratched and dark at the corners."""
    height, width = picture.shape[:2]
    soft = blur(picture, 0.8 * scale_of(picture))
    made = sepia(soft, rng, amount=1)
    stains = clouds(height, width, rng, octaves=4, cells=2.5)[..., None]
    level = float(np.quantile(made[::4, ::4], 0.9))
    made = clip(np.float32(0.11) + made * np.float32(0.8 * min(1.5, 0.95 / max(0.3, level))))
    made = made + (stains - np.float32(0.5)) * np.array([0.06, 0.075, 0.11], np.float32)
    made = vignetted(clip(made), 0.42)
    made = blemished(grained(made, rng, 0.022), rng, amount)
    return mix(picture, made, amount * 1.5)
