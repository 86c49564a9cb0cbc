"""Finds the sky without a trained network: what is smooth, light or blue, and hangs from the top edge."""

import cv2
import numpy as np

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
    found = hanging(likely(small))
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
    return floats((texture < 0.045) & (slope < 0.05) & (light | blue) & ~green)


def hanging(candidates: Plane) -> Plane:
    """The candidate areas that touch the top edge over a fair part of it."""
    opened = cv2.morphologyEx(
        candidates.astype(np.uint8), cv2.MORPH_OPEN, np.ones((3, 3), np.uint8)
    )
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    top = labels[:2]
    found = np.zeros_like(candidates)
    for label in range(1, count):
        touching = float((top == label).any(0).mean())
        # What also lies along the bottom edge is a studio's backdrop or snow.
        if float((labels[-1] == label).mean()) > 0.2:
            continue
        if touching > 0.12 and stats[label, cv2.CC_STAT_AREA] > 0.01 * labels.size:
            found[labels == label] = 1
    return floats(cv2.dilate(found, np.ones((3, 3), np.uint8)))


def with_clouds(found: Plane, small: Picture) -> Plane:
    """The sky with what above its lowest row has its colours: clouds, haze, dark corners.

    GrabCut (Rother, Kolmogorov and Blake 2004); what does not reach the top edge is not sky.
    """
    rows = np.flatnonzero(found.mean(1) > 0.04)
    lowest = int(rows.max(initial=0))
    marks = np.full(found.shape, cv2.GC_BGD, np.uint8)
    marks[:lowest] = cv2.GC_PR_BGD
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
    return hanging(floats(marks & 1))


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
