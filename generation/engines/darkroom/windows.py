"""Finds dark windows in what people built, to be lit at night."""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.pixels import Picture, Plane, blur, clip, floats, luminance
from generation.engines.darkroom.saliency import faces

#: The search runs on a copy of this longer side, in whose pixels sizes are given.
SIDE = 448
#: Shares of the edges around a window that stand upright, lie level, and do either; a tenth each is
#: chance. Stalks and trunks stand only.
UPRIGHT, LEVEL, EITHER = 0.2, 0.07, 0.4
FEWEST = 3
#: Rows and columns of the larger of the shapes that are looked for, one search each.
REACHES = ((15, 11), (31, 19))
#: Largest width and height, least share of its box that a window fills.
WIDEST, HIGHEST, FULL = 40, 48, 0.66


def lit_windows(picture: Picture, above: Plane, leaves: Plane, rng: Generator) -> Plane:
    """How brightly each pixel is a lit window, 0..1; all 0 without sky, or with somebody near by."""
    height, width = picture.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    small, open_, green = (
        floats(cv2.resize(each, size, interpolation=cv2.INTER_AREA))
        for each in (picture, above, leaves)
    )
    dark = np.zeros(small.shape[:2], np.float32)
    if above.any() and not faces(clip(small)).any():
        plain = luminance(small)
        walls, straight = (open_ < 0.05) & (blur(green, 1) < 0.5), built(plain)
        found = [
            area for reach in REACHES for area in windows(hollow(plain, reach) & walls, straight)
        ]
        for area in found if len(found) >= FEWEST else []:
            # Not everybody is at home.
            light = rng.uniform(0.55, 1) * (rng.random() < 0.8)
            dark[area] = np.maximum(dark[area], np.float32(light))
    return clip(cv2.resize(blur(dark, 0.6), (width, height), interpolation=cv2.INTER_LINEAR) * 1.2)


def hollow(plain: Plane, reach: tuple[int, int]) -> NDArray[np.bool_]:
    """Where something smaller than `reach` rows and columns is darker than all around it."""
    closed = cv2.morphologyEx(plain, cv2.MORPH_CLOSE, np.ones(reach, np.uint8))
    return np.asarray((closed - plain > 0.08) & (plain < 0.42))


def built(plain: Plane) -> NDArray[np.bool_]:
    """Where edges stand upright and lie level, within some eleven degrees, as in what people build."""
    across = np.abs(cv2.Sobel(plain, cv2.CV_32F, 1, 0))
    along = np.abs(cv2.Sobel(plain, cv2.CV_32F, 0, 1))
    edges = floats(across + along)
    around = blur(edges, 7) + np.float32(1e-3)
    standing = blur(floats(edges * (along < 0.2 * across)), 7) / around
    lying = blur(floats(edges * (across < 0.2 * along)), 7) / around
    return np.asarray((standing > UPRIGHT) & (lying > LEVEL) & (standing + lying > EITHER))


def windows(hollows: NDArray[np.bool_], straight: NDArray[np.bool_]) -> Iterator[NDArray[np.bool_]]:
    """The areas that are as large and full as a window, among straight edges."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        hollows.astype(np.uint8), connectivity=4
    )
    for label in range(1, count):
        x, y, wide, high, area = (int(each) for each in stats[label])
        fits = 2 <= wide <= WIDEST and 3 <= high <= HIGHEST and 0.6 <= high / wide <= 5
        full = area >= 9 and area >= FULL * wide * high
        if fits and full and straight[y + high // 2, x + wide // 2]:
            yield np.asarray(labels == label)
