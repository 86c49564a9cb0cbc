"""Dry media on paper: pencil and charcoal."""

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


def contours(plain: Plane, scale: float, firmness: float) -> Plane:
    """1 on paper, 0 on a line: extended difference of Gaussians (XDoG, Winnemöller 2012)."""
    fine, wide = blur(plain, 0.9 * scale), blur(plain, 1.6 * 0.9 * scale)
    sharp = (1 + firmness) * fine - firmness * wide
    return clip(1 + np.tanh((sharp - 0.42) * 7) * (sharp < 0.42))


def paper(height: int, width: int, rng: Generator, scale: float) -> Plane:
    """Tooth of drawing paper, about 1 with small hollows."""
    tooth = blur(noise(height, width, rng), 0.8 * scale)
    fibre = clouds(height, width, rng, octaves=3, cells=20)
    return floats(1 + np.float32(0.03) * tooth + np.float32(0.03) * (fibre - np.float32(0.5)))


def pencil(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Contours, three tones of hatching and the tooth of the paper."""
    height, width = picture.shape[:2]
    scale = max(0.5, scale_of(picture))
    plain = luminance(picture)
    # Dodging with the blurred negative keeps light skins and skies as bare paper.
    dodged = clip(plain / (blur(plain, 16 * scale) + np.float32(0.02)))
    tone = clip(plain * np.float32(0.55) + dodged * np.float32(0.45))
    drawn = np.ones_like(plain)
    for level, degrees, weight in ((0.72, 62, 0.34), (0.5, 40, 0.4), (0.28, 118, 0.5)):
        dark = clip((level - tone) / 0.22)
        drawn = drawn * (1 - weight * dark * hatching(height, width, rng, degrees))
    lines = clip((dodged - 0.55) / 0.4) * contours(plain, scale, 14)
    graphite = clip(drawn * (0.25 + 0.75 * lines))
    sheet = paper(height, width, rng, scale)
    # Graphite catches on the high points of the paper.
    graphite = clip(graphite + (1 - graphite) * (1 - sheet) * 3)
    ground = np.array([0.975, 0.965, 0.94], np.float32) * sheet[..., None]
    lead = np.array([0.17, 0.17, 0.19], np.float32)
    made = lead + (ground - lead) * graphite[..., None]
    return mix(picture, clip(made), amount * 1.5)
