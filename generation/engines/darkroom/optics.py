"""Lenses, mirrors and signals: what happens to the light or the data on its way."""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.composition import attention
from generation.engines.darkroom.pixels import (
    Picture,
    blur,
    clip,
    curve,
    floats,
    mix,
    powered,
    saturated,
    scale_of,
    screen,
)


def tilt_shift(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A tilted lens: one sharp band where the eye is drawn, toy colours, everything else soft."""
    height = picture.shape[0]
    weight = blur(attention(picture), 4).sum(1)
    middle = (float((weight * np.arange(len(weight))).sum() / weight.sum()) + 0.5) / len(weight)
    rows = np.abs(
        np.linspace(0, 1, height, dtype=np.float32) - np.float32(0.3 + 0.4 * middle + 0.05)
    )
    far = clip((rows - 0.1) / 0.3)[:, None, None]
    scale = scale_of(picture)
    bright = powered(picture, 2.2)
    slight = powered(blur(bright, 4 * scale * amount + 0.3), 1 / 2.2)
    strong = powered(blur(bright, 12 * scale * amount + 0.3), 1 / 2.2)
    made = picture + (slight - picture) * clip(far * 3)
    made = made + (strong - made) * clip(far * 1.6 - 0.4)
    toy = curve(clip(saturated(made, 1.35)), [(0, 0), (0.25, 0.22), (0.7, 0.77), (1, 1)])
    return mix(picture, toy, amount * 2)


def dreamy(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A soft-focus lens: lights bloom over a sharp picture (Orton effect)."""
    light = curve(picture, [(0, 0.04), (0.5, 0.62), (1, 1)])
    bloom = blur(powered(light, 1.6), 20 * scale_of(picture))
    made = screen(light * np.float32(0.86), bloom * np.array([0.52, 0.48, 0.5], np.float32))
    return mix(picture, clip(made), amount)


def mirror(picture: Picture, rng: Generator, *, side: str) -> Picture:
    """One half of the picture and its reflection."""
    height, width = picture.shape[:2]
    if side in ("top", "bottom"):
        half = picture[: -(-height // 2)] if side == "top" else picture[height // 2 :][::-1]
        return np.ascontiguousarray(np.vstack([half, half[::-1]])[:height])
    half = picture[:, : -(-width // 2)] if side == "left" else picture[:, width // 2 :][:, ::-1]
    return np.ascontiguousarray(np.hstack([half, half[:, ::-1]])[:, :width])


def kaleidoscope(picture: Picture, rng: Generator, *, amount: float, sectors: float) -> Picture:
    """Three mirrors: a wedge of the picture around its liveliest place, reflected all round."""
    height, width = picture.shape[:2]
    weight = attention(picture)
    row, column = np.unravel_index(int(blur(weight, 6).argmax()), weight.shape)
    centre_y, centre_x = (
        (row + 0.5) / weight.shape[0] * height,
        (column + 0.5) / weight.shape[1] * width,
    )
    ys = (np.arange(height, dtype=np.float32) - np.float32((height - 1) / 2))[:, None]
    xs = (np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2))[None, :]
    radius, angle = np.hypot(ys, xs), np.arctan2(ys, xs)
    wedge = np.float32(np.pi / max(2, round(sectors)))
    start = liveliest_wedge(picture, (centre_y, centre_x), float(wedge), rng)
    folded = np.abs(np.mod(angle, 2 * wedge) - wedge) + np.float32(start)
    # The wedge reaches over the edge for some angles; reflection at the border keeps it whole.
    at_x = floats(np.float32(centre_x) + radius * np.cos(folded) * np.float32(0.85))
    at_y = floats(np.float32(centre_y) + radius * np.sin(folded) * np.float32(0.85))
    made = cv2.remap(picture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return mix(picture, clip(saturated(floats(made), 1.15)), amount * 2)


def liveliest_wedge(
    picture: Picture, centre: tuple[float, float], wedge: float, rng: Generator
) -> float:
    """Start, in radians, of the wedge around `centre` (y, x) with most contrast, of 24 tried."""
    height, width = picture.shape[:2]
    reach = 0.45 * min(height, width)
    radii, turns = np.meshgrid(np.linspace(0.05, 1, 24) * reach, np.linspace(0, wedge, 8))
    starts = rng.uniform(0, 2 * np.pi, 24)
    contrasts = []
    for start in starts:
        ys = np.abs(centre[0] + radii * np.sin(turns + start)) % (2 * height - 1)
        xs = np.abs(centre[1] + radii * np.cos(turns + start)) % (2 * width - 1)
        rows = np.minimum(ys, 2 * height - 1 - ys).astype(int).clip(0, height - 1)
        columns = np.minimum(xs, 2 * width - 1 - xs).astype(int).clip(0, width - 1)
        contrasts.append(float(np.abs(np.diff(picture[rows, columns], axis=1)).mean()))
    return float(starts[int(np.argmax(contrasts))])


def planet(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """The ground rolled up into a ball: a stereographic view from above, joined without a seam."""
    height, width = picture.shape[:2]
    side = min(height, width)
    join = max(1, width // 8)
    ring = picture.copy()
    fade = np.linspace(0, 1, join, dtype=np.float32)[None, :, None]
    # The right end dissolves into what lies left of the left end: its reflection.
    ring[:, -join:] = picture[:, -join:] * (1 - fade) + picture[:, :join][:, ::-1] * fade
    ys = (np.arange(height, dtype=np.float32) - np.float32((height - 1) / 2))[:, None]
    xs = (np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2))[None, :]
    radius = np.hypot(ys, xs) / np.float32(0.5 * side)
    turn = np.arctan2(xs, -ys) / np.float32(2 * np.pi) + np.float32(0.5)
    at_x = floats(turn * np.float32(width - 1))
    up = np.arctan(radius * np.float32(1.55)) / np.float32(np.arctan(1.55 * 1.42))
    at_y = floats(np.float32(height - 1) * (1 - up))
    made = cv2.remap(ring, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return mix(picture, floats(made), amount * 2)


def glitch(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A broken signal: torn rows, split colours, repeated blocks, scan lines."""
    height, width = picture.shape[:2]
    made = picture.copy()
    for _ in range(round(9 * amount)):
        top, rows = int(rng.integers(0, height)), max(1, int(rng.exponential(0.035) * height))
        made[top : top + rows] = np.roll(
            made[top : top + rows], int(rng.normal(0, 0.07) * width), 1
        )
    split = max(1, round(7 * scale_of(picture) * amount))
    made = np.dstack(
        [np.roll(made[..., 0], split, 1), made[..., 1], np.roll(made[..., 2], -split, 1)]
    )
    for _ in range(round(6 * amount)):
        rows, columns = (
            max(1, int(height * rng.uniform(0.01, 0.05))),
            max(1, int(width * rng.uniform(0.1, 0.4))),
        )
        top, left = rng.integers(0, max(1, height - rows)), rng.integers(0, max(1, width - columns))
        block = made[top : top + rows, left : left + columns]
        block[:] = np.roll(block, 1, 2) if rng.random() < 0.5 else clip(block[:, :1] * 1.2)
    period = max(2, round(4 * scale_of(picture)))
    lines = (np.arange(height) % period < period / 2).astype(np.float32)[:, None, None]
    made = made * (np.float32(1.04) - np.float32(0.12) * lines)
    return mix(picture, clip(made), amount * 3)


def long_exposure(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A shutter open for seconds: all that is soft flows sideways, what draws the eye stays."""
    height, width = picture.shape[:2]
    reach = max(3, round(110 * scale_of(picture) * amount)) | 1
    flowing = cv2.blur(picture, (reach, 1), borderType=cv2.BORDER_REFLECT)
    flowing = floats(cv2.blur(flowing, (reach // 2 | 1, 1), borderType=cv2.BORDER_REFLECT))
    light = cv2.blur(powered(picture, 4), (reach, 1), borderType=cv2.BORDER_REFLECT)
    flowing = screen(clip(flowing), floats(light) * np.float32(0.5))
    held = cv2.resize(blur(attention(picture), 3), (width, height), interpolation=cv2.INTER_CUBIC)
    held = clip(held / np.quantile(held[::8, ::8], 0.97) * 1.4 - 0.35)
    return mix(picture, clip(flowing), (1 - held) * np.float32(min(1, amount * 1.5)))
