"""Weather and the hour of the day, put over a picture that was taken in other light."""

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
    luminance,
    mix,
    noise,
    powered,
    ramp,
    saturated,
    scale_of,
    screen,
)


def night(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Day for night: rods see little colour, and what is bright becomes a lamp.

    Scotopic shift as in Thompson, Shirley and Ferwerda (2002).
    """
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    plain = luminance(picture)[..., None]
    dim = powered(plain * np.float32(0.75) + picture * np.float32(0.25), 1.6)
    dim = dim * np.array([0.275, 0.4, 0.69], np.float32)
    dim = dim * ramp(height, width, 0.75, 1.1)[..., None]
    # Only what is bright against its surroundings shines; a white sky does not.
    around = blur(luminance(picture), 50 * scale)
    stands_out = clip((luminance(picture) - 0.62) / 0.38) * clip((luminance(picture) - around) * 6)
    lamps = stands_out[..., None] * np.array([1.0, 0.78, 0.42], np.float32)
    glow = (
        blur(floats(lamps), 22 * scale) * 1.5 + blur(floats(lamps), 5 * scale) * 0.7 + lamps * 0.6
    )
    made = screen(clip(dim), clip(glow))
    grain = noise(height, width, rng)[..., None] * np.float32(0.01)
    return mix(picture, clip(made + grain), amount)


def flakes(
    height: int, width: int, rng: Generator, count: int, radius: float, smear: float
) -> Plane:
    """Soft discs of varied size and light; 0..1."""
    plane = np.zeros((height, width), np.uint8)
    for x, y, size in rng.random((count, 3)):
        centre = (int(x * width * 16), int(y * height * 16))
        reach = max(8, int(16 * radius * (0.5 + size)))
        cv2.circle(plane, centre, reach, int(255 * (0.5 + 0.5 * size)), -1, cv2.LINE_AA, 4)
    return blur(from_bytes(plane), smear)


def snow(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Snow lies on what faces the sky, the air turns pale, flakes fall in three depths."""
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    plain = luminance(picture)
    slope = -cv2.Sobel(blur(plain, 2 * scale), cv2.CV_32F, 0, 1, ksize=3)
    upper = blur(clip(slope * 4), 2.5 * scale) * np.float32(1.8)
    drifts = clip((plain - 0.42) * 2) * clouds(height, width, rng) * np.float32(0.45)
    lying = clip((upper + drifts) * min(1.3, amount))[..., None] * np.float32(0.8)
    cool = saturated(picture, 1 - 0.35 * min(1, amount)) * np.array([0.93, 0.98, 1.05], np.float32)
    made = cool + (np.float32(0.97) - cool) * lying
    air = ramp(height, width, 0.5, 0.1)[..., None] * np.float32(min(1.2, amount))
    made = made + (np.array([0.86, 0.9, 0.95], np.float32) - made) * air
    area = height * width / 2**20
    for count, radius, smear, light in (
        (1500, 1.1, 0.5, 0.85),
        (500, 2.2, 1.2, 0.8),
        (80, 6, 3.5, 0.6),
    ):
        falling = flakes(
            height, width, rng, round(count * amount * area), radius * scale, smear * scale
        )
        made = screen(clip(made), falling[..., None] * np.float32(light))
    return mix(picture, clip(made), amount * 3)


def streaks(
    height: int, width: int, rng: Generator, count: int, length: float, thickness: int
) -> Plane:
    """Falling drops as slanted lines, all at nearly the same angle; 0..1."""
    plane = np.zeros((height, width), np.uint8)
    starts = rng.random((count, 2)) * [width * 1.2, height * 1.2] - [width * 0.1, height * 0.15]
    lengths = length * rng.uniform(0.5, 1.4, count)
    slants = 0.22 + rng.normal(0, 0.012, count)
    ends = starts + np.stack([lengths * slants, lengths], 1)
    lights = rng.integers(60, 230, count).tolist()
    paths = (np.stack([starts, ends], 1) * 16).astype(np.int32)
    for path, light in zip(paths, lights, strict=True):
        cv2.polylines(plane, [path], False, light, thickness, cv2.LINE_AA, 4)
    return from_bytes(plane)


def rain(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Grey light, a veil, and drops in two depths that stay visible at every size."""
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    area = height * width / 2**20
    grey_light = saturated(picture, 0.55) * np.array([0.68, 0.75, 0.82], np.float32)
    veil = blur(floats(grey_light), 14 * scale)
    made = grey_light * np.float32(0.72) + veil * np.float32(0.24) + np.float32(0.05)
    far = streaks(height, width, rng, round(2600 * amount * area), 34 * scale, 1)
    near = streaks(
        height, width, rng, round(380 * amount * area), 90 * scale, max(1, round(2 * scale))
    )
    near = blur(near, 0.9 * scale)
    colour = np.array([0.82, 0.88, 0.96], np.float32)
    drops = clip(far * 0.38 + near * 0.5)[..., None] * colour
    mist = (
        clouds(height, width, rng, octaves=4, cells=3)[..., None]
        * ramp(height, width, 0.16, 0.05)[..., None]
    )
    made = screen(clip(made), mist * colour)
    return mix(picture, screen(made, drops), amount * 2)


def fog(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Fog thickens with distance, taken here as height in the picture, and drifts in banks."""
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    banks = clouds(height, width, rng, octaves=5, cells=3)
    depth = clip(ramp(height, width, 0.78, 0.02) + np.float32(0.5) * banks - np.float32(0.08))
    depth = (depth * np.float32(min(1, 0.9 * amount)))[..., None]
    soft = blur(picture, (1.5 + 2.5 * amount) * scale)
    made = picture + (soft - picture) * depth
    air = np.array([0.83, 0.86, 0.88], np.float32)
    return clip(made + (air - made) * depth)
