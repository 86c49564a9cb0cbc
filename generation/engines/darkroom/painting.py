"""Looks painted with strokes: oil, in its historical manners."""

from dataclasses import replace

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.drawing import contours
from generation.engines.darkroom.pixels import (
    Picture,
    blur,
    clip,
    from_bytes,
    luminance,
    mix,
    scale_of,
)
from generation.engines.darkroom.strokes import Brushes, Show, painted
from generation.engines.darkroom.tone import exposed, graded

IMPRESSIONIST = Brushes(
    radii=(17, 9, 4.5),
    lengths=(4, 4, 3),
    threshold=0.05,
    jitter=0.035,
    broken=0.055,
    wildness=0.28,
    saturation=1.1,
    impasto=0.55,
    density=0.72,
    drift=0.5,
)
POST_IMPRESSIONIST = Brushes(
    radii=(14, 8, 3.8),
    lengths=(10, 7, 4),
    threshold=0.045,
    jitter=0.06,
    broken=0.05,
    wildness=0.1,
    curl=0.02,
    saturation=1.25,
    impasto=0.85,
    density=0.54,
    reach=11,
    drift=2.6,
)
#: Colour of the shade and of the light out of doors, as the impressionists saw them.
VIOLET_SHADE = np.array([0.3, 0.3, 0.58], np.float32)
SUN = np.array([1.02, 0.99, 0.89], np.float32)
PRUSSIAN = np.array([0.06, 0.1, 0.24], np.float32)


def sized(brushes: Brushes, amount: float) -> Brushes:
    """Finer brushes for a light touch, broader ones for a heavy one."""
    factor = 0.55 + 0.45 * amount
    return replace(brushes, radii=tuple(radius * factor for radius in brushes.radii))


def impressionist(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Short touches of broken colour in a light key: sun in the lights, violet in the shade."""
    made = painted(open_air(picture), rng, sized(IMPRESSIONIST, amount), show)
    return mix(picture, made, amount * 2.5)


def open_air(picture: Picture) -> Picture:
    """The picture as if painted out of doors: no black, cream lights, blue-violet shadows."""
    light = graded(exposed(picture, 0.58, 0.65), saturation=0.35, contrast=0.1)
    plain = luminance(light)[..., None]
    shaded = light + (VIOLET_SHADE - light) * (np.float32(0.62) * (1 - plain) ** 2)
    return clip(shaded * (1 + (SUN - 1) * plain) + np.float32(0.02))


def post_impressionist(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Long strokes that flow with the forms, strong complementary colours, dark blue outlines."""
    scale = max(0.5, scale_of(picture))
    strong = graded(exposed(picture, 0.48, 0.6), saturation=0.45, contrast=0.12)
    plain = luminance(strong)[..., None]
    # Chrome yellow in the lights against Prussian blue in the shadows.
    strong = strong * (1 + np.array([0.06, 0.03, -0.2], np.float32) * plain)
    strong = strong + (PRUSSIAN * 2 - strong) * (np.float32(0.5) * (1 - plain) ** 3)
    lines = contours(blur(luminance(picture), 1.6 * scale), 3.4 * scale, 9, 0.44)[..., None]
    outlined = clip(PRUSSIAN + (strong - PRUSSIAN) * (np.float32(0.25) + np.float32(0.75) * lines))
    made = painted(outlined, rng, sized(POST_IMPRESSIONIST, amount), show)
    return mix(picture, made, amount * 2.5)


def small_of(canvas: NDArray[np.uint8]) -> Picture:
    """An 8-bit canvas at preview size, as floats."""
    height, width = canvas.shape[:2]
    factor = max(1, max(height, width) // 256)
    size = (max(1, width // factor), max(1, height // factor))
    return from_bytes(cv2.resize(canvas, size, interpolation=cv2.INTER_AREA))
