"""Pictures made in code, the same on every machine, whose vectors and hashes are known."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def rings() -> Image.Image:
    """Coloured rings over a slope of light, 320 x 240."""
    y, x = np.mgrid[0:240, 0:320]
    distance = ((x - 110) ** 2 + (y - 90) ** 2) // 97 % 256
    return _rgb(distance, x * 255 // 319, 255 - y * 255 // 239)


def chequers() -> Image.Image:
    """Saturated squares with grain from a small linear congruence, 200 x 200."""
    y, x = np.mgrid[0:200, 0:200]
    grain = (x * 1103 + y * 12345 + x * y * 7) % 41
    square = (x // 25 + y // 40) % 3
    return _rgb(square * 100 + grain, 220 - square * 80, 30 + square * 60 + grain)


def fog() -> Image.Image:
    """Three grey discs in a nearly grey gradient, 300 x 400."""
    y, x = np.mgrid[0:400, 0:300]
    grey = 90 + x * 80 // 299
    for cx, cy, r, level in ((80, 100, 60, 200), (200, 180, 45, 60), (150, 320, 70, 140)):
        grey = np.where((x - cx) ** 2 + (y - cy) ** 2 < r * r, level, grey)
    return _rgb(grey, grey, grey + 3)


def _rgb(*channels: NDArray[np.int64]) -> Image.Image:
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


ALL: dict[str, Callable[[], Image.Image]] = {"rings": rings, "chequers": chequers, "fog": fog}
