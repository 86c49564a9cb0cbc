"""Dream: patterns that grow out of the picture's own forms, without a network.

Multi-scale Turing patterns (McCabe 2010, Cyclic Symmetric Multi-Scale Turing Patterns) seeded by the
picture, which then bend, colour and outline it.
"""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    floats,
    luminance,
    mix,
    noise,
    resized,
    saturated,
    scale_of,
)

#: Activator and inhibitor radii, and the step, of each scale; pixels of the growing plane.
SCALES = ((72, 36, 0.06), (36, 18, 0.045), (18, 9, 0.03), (9, 4, 0.014))
GROWING_SIDE = 320
ROUNDS = 28


def grown(seed: Plane, rng: Generator) -> Plane:
    """A pattern, about -1..1, grown from a plane of zero mean."""
    height, width = seed.shape
    plane = seed + noise(height, width, rng) * np.float32(0.05)
    for _ in range(ROUNDS):
        best = np.full(seed.shape, np.inf, np.float32)
        move = np.zeros_like(seed)
        for wide, narrow, step in SCALES:
            activator = box(plane, narrow)
            gap = activator - box(plane, wide)
            calm = box(np.abs(gap), max(1, narrow // 2))
            quieter = calm < best
            best = np.where(quieter, calm, best)
            move = np.where(quieter, np.where(gap > 0, np.float32(step), np.float32(-step)), move)
        plane = plane + move + seed * np.float32(0.03)
        low, high = float(plane.min()), float(plane.max())
        plane = floats((plane - low) * np.float32(2 / max(high - low, 1e-6)) - 1)
    return plane


def box(plane: Plane, radius: int) -> Plane:
    """The mean over a square of side 2·radius + 1."""
    side = (2 * radius + 1, 2 * radius + 1)
    return floats(cv2.blur(plane, side, borderType=cv2.BORDER_REFLECT))


def dream(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """The picture bent along the pattern's slopes, in shifted colours of its own, with fine contour rings."""
    height, width = picture.shape[:2]
    factor = min(1.0, GROWING_SIDE / max(height, width))
    small = resized(
        luminance(picture), max(8, round(width * factor)), max(8, round(height * factor))
    )
    seed = small - blur(small, 14)
    pattern = grown(floats(seed * np.float32(3)), rng)
    pattern = floats(cv2.resize(blur(pattern, 1.6), (width, height), interpolation=cv2.INTER_CUBIC))
    bent = bent_by(picture, pattern, 34 * scale_of(picture) * amount)
    smooth = smooth_of(pattern, picture)
    phase = smooth * np.float32(2.6) + luminance(bent) * np.float32(2.0)
    made = turned(saturated(bent, 1.3).clip(0, 1), floats(phase))
    relief = blur(pattern, 2 * scale_of(picture))
    slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0) + cv2.Sobel(relief, cv2.CV_32F, 0, 1)
    made = made * (1 + np.clip(slope, -0.3, 0.3) * np.float32(0.4))[..., None]
    # Rings run all over calm places and spare the forms of the picture.
    busy = blur(np.abs(luminance(picture) - blur(luminance(picture), 6 * scale_of(picture))), 8)
    rings = powered_cosine(smooth * np.float32(20)) * clip(1 - busy * 9)
    made = made * (1 - np.float32(0.3) * rings[..., None])
    return mix(picture, clip(made), np.minimum(1, np.float32(amount * 0.85)))


def turned(picture: Picture, phase: Plane) -> Picture:
    """Colours turned around the grey axis by the phase, most where there is colour, with a little of
    every hue where there is none, and lightness lifted at the crests."""
    lab = floats(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB))
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.arctan2(lab[..., 2], lab[..., 1])
    waves = np.sin(phase)
    # Strong colours sway to both sides of themselves; grey takes the hue of the phase itself.
    own = clip(chroma / 18)
    swayed = hue + waves * np.float32(0.75)
    angle = np.arctan2(
        own * np.sin(swayed) + (1 - own) * np.sin(phase * 2),
        own * np.cos(swayed) + (1 - own) * np.cos(phase * 2),
    )
    reach = np.maximum(chroma * np.float32(1.25), np.float32(22))
    lab[..., 0] = np.clip(lab[..., 0] + waves * np.float32(9), 0, 100)
    lab[..., 1], lab[..., 2] = reach * np.cos(angle), reach * np.sin(angle)
    return clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def bent_by(picture: Picture, pattern: Plane, reach: float) -> Picture:
    """The picture with each pixel fetched from up the slope of the pattern."""
    height, width = picture.shape[:2]
    smooth = blur(pattern, 5 * scale_of(picture))
    along = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    most = max(1e-6, float(np.quantile(np.hypot(along, down)[::4, ::4], 0.98)))
    push = np.float32(reach / most / 2)
    at_x = np.arange(width, dtype=np.float32)[None, :] + along * push
    at_y = np.arange(height, dtype=np.float32)[:, None] + down * push
    moved = cv2.remap(
        picture, floats(at_x), floats(at_y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    return floats(moved)


def smooth_of(pattern: Plane, picture: Picture) -> Plane:
    """The pattern without its finest cells: what colours and rings follow."""
    return blur(pattern, 4 * scale_of(picture))


def soft_light(picture: Picture, light: Picture) -> Picture:
    """Darkens where `light` is below one half, lightens where it is above (Pegtop's formula)."""
    return floats((1 - 2 * light) * picture * picture + 2 * light * picture)


def powered_cosine(phase: Plane) -> Plane:
    """Thin rings: 1 at the crests of a cosine, 0 elsewhere."""
    crest = clip(0.5 + 0.5 * np.cos(phase))
    square = crest * crest
    return floats(square * square * square)
