"""Finds the sky without a trained network: what is smooth, light or blue, and hangs from the top edge."""

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    floats,
    luminance,
    to_bytes,
)

#: The search runs on a copy of this longer side.
SIDE = 160
#: Sky that covers less of the picture than this is taken for a mistake.
LEAST = 0.05


def sky(picture: Picture) -> Plane:
    """1 in the sky, 0 elsewhere, soft in between; all 0 where none is found."""
    height, width = picture.shape[:2]
    factor = SIDE / max(height, width)
    size = (max(2, round(width * factor)), max(2, round(height * factor)))
    small = floats(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    found = hanging(likely(small), small)
    if float(found.mean()) < LEAST:
        return np.zeros((height, width), np.float32)
    return refined(np.maximum(found, with_clouds(found, small)), small, picture)


def likely(small: Picture) -> Plane:
    """True (as 1) where a pixel could be sky: little texture, and light for its picture or blue."""
    grey = luminance(small)
    texture = blur(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), 1.2)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    light = grey > max(0.35, float(np.median(grey)) * 0.95)
    blue = (small[..., 2] > small[..., 0] * 1.08) & (small[..., 2] > small[..., 1] * 0.98)
    blue &= grey > 0.05
    # A neutral or warm thing is sky only when it is light; foliage is never sky.
    green = small[..., 1] > np.maximum(small[..., 0], small[..., 2]) * 1.04
    # Dark red, brown and purple are walls and curtains; a red evening is light.
    wall = (np.ptp(small, 2) > 0.45 * small.max(2)) & (small[..., 2] < small[..., 0]) & (grey < 0.4)
    return floats((texture < 0.045) & (slope < 0.05) & (light | blue) & ~green & ~wall)


def hanging(candidates: Plane, small: Picture) -> Plane:
    """The candidate areas that touch the top edge over a fair part of it."""
    opened = cv2.morphologyEx(
        candidates.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    top = labels[:2]
    found = np.zeros_like(candidates)
    for label in range(1, count):
        touching = float((top == label).any(0).mean())
        area = labels == label
        # What also lies along the bottom edge is a studio's backdrop or snow, unless it is sky blue.
        low = float((labels[-1] == label).mean()) > 0.2 or backdrop(area)
        if low and not day_blue(small[area]):
            continue
        if touching > 0.12 and stats[label, cv2.CC_STAT_AREA] > 0.01 * labels.size:
            found[area] = 1
    return floats(cv2.dilate(found, np.ones((3, 3), np.uint8)))


def backdrop(area: NDArray[np.bool_]) -> bool:
    """Whether an area runs down beside somebody to the floor: a studio's wall, which no sky does.

    A sky that comes so low lies across the picture; a wall is hidden by whoever stands before it.
    """
    low = area[round(0.86 * len(area)) :]
    beside = max(float(low[:, 0].mean()), float(low[:, -1].mean()))
    return beside > 0.5 and float(low.mean()) < 0.45


def day_blue(colours: Picture) -> bool:
    """Whether the mean of some colours (n, 3) is that of a clear sky by day: light, blue, not grey."""
    red, green, blue = colours.mean(0).tolist()
    return bool(blue > 1.2 * red and blue > 1.03 * green and green > red and green > 0.45)


def with_clouds(found: Plane, small: Picture) -> Plane:
    """The sky with what above its lowest row has its colours: clouds, haze, dark corners.

    GrabCut (Rother, Kolmogorov and Blake 2004); what does not reach the top edge is not sky.
    """
    clouds = hanging(np.maximum(found, dark_clouds(found, small)), small)
    rows = np.flatnonzero(np.maximum(found, clouds).mean(1) > 0.04)
    lowest = int(rows.max(initial=0))
    marks = np.full(found.shape, cv2.GC_BGD, np.uint8)
    marks[:lowest] = cv2.GC_PR_BGD
    marks[clouds > 0] = cv2.GC_PR_FGD
    marks[found > 0] = cv2.GC_PR_FGD
    marks[cv2.erode(found, np.ones((5, 5), np.uint8)) > 0] = cv2.GC_FGD
    green = small[..., 1] > np.maximum(small[..., 0], small[..., 2]) * 1.04
    marks[green & (found == 0)] = cv2.GC_BGD
    if min((marks & 1).sum(), (1 - (marks & 1)).sum()) < 16:
        return found
    cv2.setRNGSeed(1)
    models = (np.zeros((1, 65)), np.zeros((1, 65)))
    pixels = to_bytes(small)[..., ::-1].copy()
    cv2.grabCut(pixels, marks, (0, 0, 1, 1), *models, 2, cv2.GC_INIT_WITH_MASK)
    return hanging(floats(marks & 1), small)


def dark_clouds(found: Plane, small: Picture) -> Plane:
    """1 on soft grey that is darker than the sky found but of its kind: the underside of a storm."""
    grey = luminance(small)
    inside = small[found > 0]
    if float(np.ptp(inside, 1).mean()) > 0.09:
        return np.zeros_like(found)
    texture = blur(np.abs(cv2.Laplacian(grey, cv2.CV_32F)), 1.2)
    slope = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8
    neutral = np.ptp(small, 2) < 0.09
    least = max(0.12, 0.35 * float(np.median(luminance(small)[found > 0])))
    return floats(neutral & (texture < 0.03) & (slope < 0.03) & (grey > least))


def mean(plane: Plane) -> Plane:
    """The mean over 9 x 9 pixels."""
    return floats(cv2.blur(plane, (9, 9)))


def refined(found: Plane, small: Picture, picture: Picture) -> Plane:
    """The rough sky fitted to the edges of the picture: guided filter (He, Sun and Tang 2010)."""
    height, width = picture.shape[:2]
    guide = luminance(small)
    mean_guide, mean_found = mean(guide), mean(found)
    covariance = mean(floats(guide * found)) - mean_guide * mean_found
    variance = mean(floats(guide * guide)) - mean_guide * mean_guide
    slope = floats(covariance / (variance + np.float32(4e-4)))
    offset = floats(mean_found - slope * mean_guide)
    slope, offset = mean(slope), mean(offset)
    size = (width, height)
    slope = floats(cv2.resize(slope, size, interpolation=cv2.INTER_LINEAR))
    offset = floats(cv2.resize(offset, size, interpolation=cv2.INTER_LINEAR))
    return clip((slope * luminance(picture) + offset - 0.25) * 2)
