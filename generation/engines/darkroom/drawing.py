"""Dry media on paper: pencil and charcoal."""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.flow import Flow, combed, edge_flow
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    clouds,
    floats,
    luminance,
    mix,
    noise,
    powered,
    scale_of,
)


def constant_flow(height: int, width: int, degrees: float) -> Flow:
    """One direction everywhere."""
    turn = np.deg2rad(degrees)
    ones = np.ones((height, width), np.float32)
    return Flow(ones * np.float32(np.cos(turn)), ones * np.float32(np.sin(turn)), ones)


def hatching(height: int, width: int, rng: Generator, degrees: float) -> Plane:
    """Combed noise stretched to 0..1: hatch lines at one angle."""
    lines = combed(noise(height, width, rng), constant_flow(height, width, degrees), 5)
    return clip(0.5 + lines * 1.6)


def contours(plain: Plane, scale: float, firmness: float = 9, level: float = 0.42) -> Plane:
    """1 on paper, 0 on a line: extended difference of Gaussians (XDoG, Winnemöller 2012).

    The local mean is taken out first, so that dark places are not lines as a whole.
    """
    even = clip(0.5 + (plain - blur(plain, 14 * scale)) * np.float32(0.9))
    fine, wide = blur(even, 0.8 * scale), blur(even, 1.3 * scale)
    sharp = fine + firmness * (fine - wide)
    return clip(1 + np.tanh(np.minimum(sharp - np.float32(level), 0) * 9))


def without_specks(lines: Plane, least: float) -> Plane:
    """Lines (0 on a line, 1 on paper) without connected marks of fewer than `least` pixels."""
    marks = (lines < 0.6).astype(np.uint8)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(marks, connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] < least
    small[0] = False
    # The soft rim of a speck goes with it.
    gone = cv2.dilate(small[labels].astype(np.uint8), np.ones((5, 5), np.uint8))
    kept = cv2.dilate((~small[labels] & (marks > 0)).astype(np.uint8), np.ones((3, 3), np.uint8))
    return floats(np.where((gone > 0) & (kept == 0), np.float32(1), lines))


def paper(height: int, width: int, rng: Generator, scale: float) -> Plane:
    """Tooth of drawing paper, about 1 with small hollows."""
    tooth = blur(noise(height, width, rng), 0.8 * scale)
    fibre = clouds(height, width, rng, octaves=3, cells=20)
    return floats(1 + np.float32(0.03) * tooth + np.float32(0.03) * (fibre - np.float32(0.5)))


def pencil(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Contours, three tones of hatching and the tooth of the paper."""
    height, width = picture.shape[:2]
    scale = max(0.5, scale_of(picture) * (0.6 + 0.4 * amount))
    plain = luminance(picture)
    # Dodging with the blurred negative keeps light skins and skies as bare paper.
    dodged = clip(plain / (blur(plain, 18 * scale) + np.float32(0.03)))
    tone = clip(powered(plain, 0.85) * np.float32(0.7) + dodged * np.float32(0.3))
    drawn = 1 - np.float32(0.35) * clip(0.75 - blur(tone, 3 * scale))
    for level, degrees, weight in ((0.74, 62, 0.32), (0.52, 38, 0.36), (0.3, 118, 0.42)):
        dark = clip((level - blur(tone, 1.2 * scale)) / 0.3)
        drawn = drawn * (1 - weight * dark * hatching(height, width, rng, degrees))
    lines = clip((dodged - 0.3) / 0.6) * np.float32(0.6) + np.float32(0.4) * contours(plain, scale)
    graphite = clip(drawn * (0.22 + 0.78 * lines))
    sheet = paper(height, width, rng, scale)
    # Graphite catches on the high points of the paper.
    graphite = clip(graphite + (1 - graphite) * (1 - sheet) * 3)
    ground = np.array([0.975, 0.965, 0.94], np.float32) * sheet[..., None]
    lead = np.array([0.17, 0.17, 0.19], np.float32)
    made = lead + (ground - lead) * graphite[..., None]
    return mix(picture, clip(made), amount * 1.5)


def charcoal(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Broad dark strokes rubbed into rough paper along the forms, lights left or wiped out."""
    height, width = picture.shape[:2]
    scale = max(0.5, scale_of(picture) * (0.6 + 0.4 * amount))
    flow = edge_flow(picture, 10 * scale)
    plain = luminance(picture)
    low, high = np.quantile(plain[::4, ::4], (0.02, 0.97))
    tone = clip((blur(plain, 1.5 * scale) - low) / max(0.1, high - low))
    # Half the sheet stays light: a picture in dark tones would end as one black field.
    median = float(np.clip(np.median(tone[::4, ::4]), 0.05, 0.6))
    tone = powered(tone, float(np.clip(np.log(0.5) / np.log(median), 0.5, 1.0)))
    grain = noise(height, width, rng)
    rough = combed(grain, flow, 4) * np.float32(1.6)
    # The same grain turned over serves as the tooth of the paper.
    tooth = blur(floats(grain[::-1, ::-1]), 0.9 * scale) * np.float32(1.4)
    rubbed = powered(combed(tone, flow, 4), 1.15)
    dark = clip(1 - rubbed)
    coal = clip(
        dark * (1.1 + 0.35 * rough) + np.float32(0.3) * dark * (1 - dark) * tooth * 2 - 0.06
    )
    lines = (1 - contours(plain, 2.2 * scale, firmness=7, level=0.44)) * (0.7 + 0.3 * rough)
    coal = clip(coal * np.float32(0.9) + clip(lines) * np.float32(0.65))
    ground = np.array([0.93, 0.905, 0.86], np.float32) * paper(height, width, rng, scale)[..., None]
    black = np.array([0.09, 0.085, 0.085], np.float32)
    made = ground + (black - ground) * coal[..., None]
    return mix(picture, clip(made), amount * 1.5)
