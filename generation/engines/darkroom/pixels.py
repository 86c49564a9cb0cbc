"""Arithmetic on float pictures, shared by all operations of the darkroom.

A *picture* is float32 of shape (height, width, 3), sRGB-encoded, 0..1. A *plane* is float32 of shape
(height, width). Nothing here changes its arguments.
"""

from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Picture = NDArray[np.float32]
Plane = NDArray[np.float32]

#: Weights of red, green and blue in luminance (ITU-R BT.709).
LUMINANCE = np.array([[0.2126, 0.7152, 0.0722]], np.float32)


def floats(values: Any) -> NDArray[np.float32]:
    """The same numbers as a contiguous float32 array."""
    return np.ascontiguousarray(values, np.float32)


def clip(values: Any) -> NDArray[np.float32]:
    """Float32 limited to 0..1."""
    return floats(np.clip(values, 0, 1, dtype=np.float32, casting="unsafe"))


def luminance(picture: Picture) -> Plane:
    """Luma of shape (height, width), BT.709 weights on encoded values."""
    return floats(cv2.transform(picture, LUMINANCE))


def to_bytes(picture: NDArray[np.float32]) -> NDArray[np.uint8]:
    """8-bit numbers, rounded."""
    return np.asarray(cv2.convertScaleAbs(np.clip(picture, 0, 1), alpha=255), np.uint8)


def from_bytes(pixels: Any) -> NDArray[np.float32]:
    """Float32 0..1 of 8-bit numbers."""
    return floats(np.multiply(pixels, np.float32(1 / 255), dtype=np.float32))


def blur(values: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Gaussian blur, mirrored at the edges; wide ones are made on a smaller copy.

    A blurred picture holds no detail that the smaller copy could lose: the error stays below one
    8-bit level, and a sigma of 40 costs as little as one of 4.
    """
    if sigma < 0.2:
        return values
    height, width = values.shape[:2]
    factor = int(min(sigma / 4, min(height, width) / 16))
    if factor < 2:
        return floats(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REFLECT))
    size = (max(1, width // factor), max(1, height // factor))
    small = cv2.resize(values, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, borderType=cv2.BORDER_REFLECT)
    return floats(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def resized(values: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Scaled to (height, width): area averages when smaller, cubic when larger."""
    shrinks = width < values.shape[1]
    rule = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return floats(cv2.resize(values, (max(1, width), max(1, height)), interpolation=rule))


def mix(before: Picture, after: Picture, amount: Any) -> Picture:
    """`before` at amount 0, `after` at 1 and beyond; a plane mixes pixel by pixel."""
    share = np.clip(np.asarray(amount, np.float32), 0, 1)
    if share.ndim == 2:
        share = share[..., None]
    return floats(before + (after - before) * share)


def screen(picture: Picture, light: Any) -> Picture:
    """Light added as by a second projector: 1 - (1 - a)(1 - b)."""
    return floats(1 - (1 - picture) * (1 - light))


def saturated(picture: Picture, factor: float) -> Picture:
    """Distance from grey multiplied by `factor`; not clipped."""
    grey = luminance(picture)[..., None]
    return floats(grey + (picture - grey) * np.float32(factor))


def powered(values: NDArray[np.float32], exponent: float) -> NDArray[np.float32]:
    """Values 0..1 raised to a power."""
    return floats(cv2.pow(np.maximum(values, 0), exponent))


def curve(picture: Picture, knots: list[tuple[float, float]]) -> Picture:
    """A tone curve through (input, output) knots, monotone between them, for all channels."""
    xs, ys = zip(*knots, strict=True)
    grid = np.linspace(0, 1, 1025)
    table = np.interp(grid, xs, ys)
    # A short running mean takes the corners off the broken line; the ends keep their values.
    padded = np.pad(table, 64, mode="reflect", reflect_type="odd")
    smooth = np.convolve(padded, np.ones(129) / 129, mode="valid").astype(np.float32)
    places = (np.clip(picture, 0, 1) * 1024).astype(np.uint16)
    return clip(smooth[places])


def ramp(height: int, width: int, top: float, bottom: float) -> Plane:
    """A plane that changes evenly from the top edge to the bottom edge."""
    column = np.linspace(top, bottom, height, dtype=np.float32)[:, None]
    return floats(np.broadcast_to(column, (height, width)))


def noise(height: int, width: int, rng: Generator) -> Plane:
    """Normal noise of variance 1."""
    return rng.standard_normal((height, width), dtype=np.float32)


def clouds(height: int, width: int, rng: Generator, *, octaves: int = 5, cells: float = 4) -> Plane:
    """Fractal value noise stretched to 0..1: `cells` lumps along the longer side, then halves."""
    total = np.zeros((height, width), np.float32)
    longer = max(height, width)
    for octave in range(octaves):
        count = cells * 2**octave
        rows = max(2, round(count * height / longer) + 1)
        columns = max(2, round(count * width / longer) + 1)
        lumps = rng.random((rows, columns), dtype=np.float32)
        layer = cv2.resize(lumps, (width, height), interpolation=cv2.INTER_CUBIC)
        total += layer * np.float32(0.5**octave)
    low, high = float(total.min()), float(total.max())
    return floats((total - low) / max(high - low, 1e-6))


def scale_of(picture: NDArray[np.float32]) -> float:
    """How large this picture is against one of 1024 px: radii in pixels are multiplied by it."""
    height, width = picture.shape[:2]
    return float(np.sqrt(height * width) / 1024)
