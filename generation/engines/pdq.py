"""PDQ: a perceptual hash that answers "is this the same picture again?".

Written from the published description (Facebook, "The TMK+PDQF video-hashing algorithm and the PDQ
image-hashing algorithm", 2019). numpy and Pillow only. Two hashes within a Hamming distance of 31,
both of quality 50 or more, are the same picture for all practical purposes; crops, turns and
mirrors are not found.
"""

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.engines.descriptors import on_white

#: Largest Hamming distance, of 256 bits, at which two pictures count as the same.
SAME: Final = 31
#: Least quality, of 100, at which a hash says anything. Blank and blurred pictures stay below.
TRUSTED: Final = 50

_GRID: Final = 64
_WAVES: Final = 16
#: Longer sides are shrunk first, for speed. Smaller values move the samples: at 512 every third
#: photograph comes out more than 10 bits away from the reference program, at 1024 none.
_MOST: Final = 1024


def pdq(picture: Image.Image) -> tuple[str, int]:
    """The hash as 64 hex digits, first bit last, and its quality from 0 to 100. About 3 ms."""
    grid = _grid(picture)
    waves = _cosines() @ grid @ _cosines().T
    # The lower of the two middle values, so that exactly half of the bits can be set.
    middle = np.partition(waves.ravel(), 127)[127]
    bits = waves.ravel() > middle
    return np.packbits(bits[::-1]).tobytes().hex(), _quality(grid)


def hamming(a: str, b: str) -> int:
    """How many of the 256 bits of two hashes, each 64 hex digits, differ."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


def _grid(picture: Image.Image) -> NDArray[np.float32]:
    """Brightness, 0 to 255, softened and sampled on a grid of 64 x 64."""
    # Grey first: a third of the work, and the same numbers but for rounding.
    picture = on_white(picture).convert("L")
    shrink = _MOST / max(picture.size)
    if shrink < 1:
        size = tuple(max(1, round(side * shrink)) for side in picture.size)
        picture = picture.resize((size[0], size[1]), Image.Resampling.BILINEAR)
    luma = np.asarray(picture, np.float32)
    return np.asarray(_softened(luma.shape[0]) @ luma @ _softened(luma.shape[1]).T, np.float32)


def _quality(grid: NDArray[np.float32]) -> int:
    """How much there is to hash: the sum of steps between neighbours, in whole per cent."""
    steps = [np.trunc(np.diff(grid, axis=axis) * 100 / 255) for axis in (0, 1)]
    total = int(sum(np.abs(each).sum() for each in steps))
    return min(total // 90, 100)


@cache
def _cosines() -> NDArray[np.float32]:
    """Rows 1 to 16 of the DCT-II of length 64; the constant row 0 is left out."""
    k, i = np.arange(1, _WAVES + 1)[:, None], np.arange(_GRID)
    waves = np.sqrt(2 / _GRID) * np.cos(np.pi / (2 * _GRID) * k * (2 * i + 1))
    return np.asarray(waves, np.float32)


@cache
def _softened(n: int) -> NDArray[np.float32]:
    """Matrix (64, n): the Jarosz filter (two box filters in a row), then 64 samples.

    Both steps are linear, so that one small matrix on each side of the picture does the whole work.
    """
    window = (n + 2 * _GRID - 1) // (2 * _GRID)
    half = (window + 2) // 2
    at = np.arange(n)
    # The window reaches further forward than back when its size is even, and is cut at the borders.
    offset = at - at[:, None]
    box = ((offset >= half - window) & (offset < half)).astype(np.float64)
    box /= box.sum(axis=1, keepdims=True)
    samples = ((np.arange(_GRID) + 0.5) * n / _GRID).astype(np.intp)
    return (box[samples] @ box).astype(np.float32)
