"""Wet media: watercolour and ink on absorbent paper."""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.drawing import contours, paper, without_specks
from generation.engines.darkroom.flow import combed, edge_flow
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    clouds,
    curve,
    floats,
    luminance,
    mix,
    noise,
    resized,
    saturated,
    scale_of,
)
from generation.engines.darkroom.tone import exposed

#: How sharply the calmest sector wins over the others.
SECTOR_POWER = 8


def kuwahara(picture: Picture, radius: float) -> Picture:
    """Each pixel takes the mean of the calmest of eight soft sectors around it.

    Generalised Kuwahara filter (Papari and others 2007): flat areas, firm edges.
    """
    height, width = picture.shape[:2]
    mean = blur(picture, radius * 0.55)
    spread = blur(picture * picture, radius * 0.55) - mean * mean
    restless = np.sqrt(np.maximum(spread.sum(-1), 1e-7))
    both = np.dstack([mean, restless])
    total, weights = np.zeros_like(mean), np.zeros((height, width, 1), np.float32)
    for turn in np.arange(8) * np.pi / 4:
        shift = np.array([[1, 0, -np.cos(turn) * radius], [0, 1, -np.sin(turn) * radius]])
        moved = cv2.warpAffine(both, shift, (width, height), borderMode=cv2.BORDER_REFLECT)
        weight = (np.float32(0.02) / (np.float32(0.004) + moved[..., 3:])) ** SECTOR_POWER
        total += moved[..., :3] * weight
        weights += weight
    return floats(total / np.maximum(weights, 1e-20))


def wandering(picture: Picture, rng: Generator, reach: float, cells: float) -> Picture:
    """The picture with edges that wander by up to `reach` pixels, as wet colour does."""
    height, width = picture.shape[:2]
    xs = (clouds(height, width, rng, octaves=4, cells=cells) - np.float32(0.5)) * np.float32(
        2 * reach
    )
    ys = (clouds(height, width, rng, octaves=4, cells=cells) - np.float32(0.5)) * np.float32(
        2 * reach
    )
    xs += np.arange(width, dtype=np.float32)[None, :]
    ys += np.arange(height, dtype=np.float32)[:, None]
    return floats(cv2.remap(picture, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT))


def half_kuwahara(picture: Picture, radius: float) -> Picture:
    """The filter at half size: its result holds no finer detail."""
    height, width = picture.shape[:2]
    small = resized(picture, max(2, width // 2), max(2, height // 2))
    return clip(resized(kuwahara(small, max(1.0, radius / 2)), width, height))


def pooled(plain: Plane, scale: float) -> Plane:
    """Pigment that drying water leaves at the rim of each wash; 0..1."""
    along = cv2.Sobel(plain, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(plain, cv2.CV_32F, 0, 1)
    return clip(blur(floats(np.hypot(along, down)), 0.8 * scale) * 2.2)


def watercolour(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Transparent washes: wet into wet where it is calm, darker rims, granulation, white paper."""
    height, width = picture.shape[:2]
    scale = max(0.4, scale_of(picture))
    wash = half_kuwahara(exposed(picture, 0.6, 0.6), (4 + 4 * amount) * scale)
    wash = wandering(wash, rng, 5 * scale, 14)
    wash = clip(
        saturated(curve(wash, [(0, 0.17), (0.3, 0.46), (0.65, 0.82), (0.9, 1), (1, 1)]), 1.4)
    )
    # Colours run into each other in skies and backgrounds, and stay put on the motif.
    calm = clip(1.1 - 3.2 * blur(pooled(luminance(wash), scale), 12 * scale))[..., None]
    wash = wash + (blur(wash, 12 * scale) - wash) * (calm * np.float32(0.75))
    made = np.exp(np.log(np.maximum(wash, 0.03)) * thickness(wash, rng, scale)[..., None])
    # A drawing under the wash keeps eyes and windows.
    lines = contours(blur(luminance(picture), 0.9 * scale), 1.5 * scale, 9, 0.43)
    drawn = (1 - without_specks(lines, 60 * scale * scale))[..., None]
    graphite = np.array([0.4, 0.36, 0.36], np.float32)
    made = made + (made * graphite - made) * (drawn * np.float32(0.62))
    margin = border(height, width, rng)
    sheet = (
        np.array([0.985, 0.975, 0.955], np.float32) * paper(height, width, rng, scale)[..., None]
    )
    made = sheet * (1 - margin * (1 - made))
    return mix(picture, clip(made), amount * 2)


def thickness(wash: Picture, rng: Generator, scale: float) -> Plane:
    """How much pigment lies where, about 1: pools and backruns, grains in the paper, dried rims.

    Beer and Lambert: a thicker layer of colour is the colour to the power of its thickness.
    """
    height, width = wash.shape[:2]
    flood = clouds(height, width, rng, octaves=4, cells=5) - np.float32(0.5)
    # Backruns: where a puddle crept into damp colour it pushed the pigment into a crinkled rim.
    puddle = clouds(height, width, rng, octaves=5, cells=3)
    rim = np.exp(-(((puddle - np.float32(0.62)) / np.float32(0.012)) ** 2))
    tooth = blur(noise(height, width, rng), 1.0 * scale)
    settled = np.float32(0.11) * tooth * clip(1.3 - luminance(wash))
    rims = pooled(luminance(wash), scale) * np.float32(1.1)
    lifted = np.float32(0.2) * clip((puddle - 0.62) * 8)
    made = 1 + np.float32(0.6) * flood + settled + rims + np.float32(0.22) * rim - lifted
    return np.maximum(floats(made), np.float32(0.3))


def border(height: int, width: int, rng: Generator) -> Plane:
    """1 inside, 0 at the unpainted edge of the sheet, with a wandering rim; shape (h, w, 1)."""
    ys = np.minimum(np.arange(height), np.arange(height)[::-1]).astype(np.float32)[:, None]
    xs = np.minimum(np.arange(width), np.arange(width)[::-1]).astype(np.float32)[None, :]
    reach = np.float32(0.035 * min(height, width)) + np.float32(1)
    far = np.minimum(ys, xs) / reach
    wander = clouds(height, width, rng, octaves=5, cells=10) * np.float32(1.6)
    return clip((far - wander + np.float32(0.35)) * 5)[..., None]


def ink_wash(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """水墨: washes from pale to burnt ink, wet into wet where it is calm, brush lines, empty paper."""
    height, width = picture.shape[:2]
    scale = max(0.4, scale_of(picture) * (0.6 + 0.4 * amount))
    plain = luminance(exposed(picture, 0.58, 0.6))
    low, high = np.quantile(plain[::4, ::4], (0.01, 0.93))
    even = clip((plain - low) / max(0.12, high - low))
    wash = washes(even, rng, scale)
    ink = np.float32(0.95) * (1 - wash)
    # A brush line is drawn where washes meet; what is dark already needs none.
    ink = np.maximum(ink, brushed(even, picture, rng, scale) * (np.float32(0.35) + 0.6 * wash))
    ink = ink * (1 - np.float32(0.5) * clip(ramp_of_mist(height, width, rng)))
    sheet = np.array([0.955, 0.94, 0.905], np.float32) * paper(height, width, rng, scale)[..., None]
    black = np.array([0.085, 0.09, 0.1], np.float32)
    return mix(picture, clip(sheet + (black - sheet) * clip(ink)[..., None]), amount * 2)


def washes(even: Plane, rng: Generator, scale: float) -> Plane:
    """Lightness of the ink laid flat: four tones that bleed, with rims where water dried."""
    height, width = even.shape
    grey = half_kuwahara(floats(np.repeat(even[..., None], 3, 2)), 8 * scale)
    grey = wandering(grey, rng, 6 * scale, 11)[..., 0]
    busy = blur(np.abs(even - blur(even, 9 * scale)), 14 * scale)
    calm = clip(1 - busy / max(0.02, float(np.quantile(busy[::4, ::4], 0.85))))
    wet = grey + (blur(grey, 13 * scale) - grey) * (np.float32(0.2) + np.float32(0.65) * calm)
    # A third of the tones is left to the paper: emptiness is part of the picture.
    shade = curve(clip(wet), [(0, 0.02), (0.18, 0.2), (0.42, 0.6), (0.68, 0.93), (0.8, 1), (1, 1)])
    flood = clouds(height, width, rng, octaves=5, cells=6) - np.float32(0.5)
    fibre = blur(noise(height, width, rng), 1.1 * scale) * np.float32(0.1)
    density = 1 + np.float32(0.8) * flood + fibre + pooled(shade, scale) * np.float32(1.1)
    return clip(floats(np.power(np.maximum(shade, 0.03), np.maximum(density, 0.3))))


def brushed(even: Plane, picture: Picture, rng: Generator, scale: float) -> Plane:
    """Brush lines, 1 on a line: they swell, taper and break off dry, and leave no crumbs."""
    height, width = even.shape
    flow = edge_flow(picture, 8 * scale)
    lines = contours(blur(even, 1.2 * scale), 2.2 * scale, 9, 0.425)
    lines = without_specks(combed(lines, flow, 2), 150 * scale * scale)
    # Flying white: hairs of a dry brush leave streaks of paper.
    dry = combed(noise(height, width, rng), flow, 4)
    return clip((1 - lines) * np.float32(1.1) - np.float32(0.55) * np.maximum(dry, 0))


def ramp_of_mist(height: int, width: int, rng: Generator) -> Plane:
    """Bands of mist that hide parts of the middle distance."""
    wide = clouds(height, width, rng, octaves=3, cells=3)
    ys = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    band = np.exp(-(((ys - np.float32(0.55)) / np.float32(0.16)) ** 2))
    return floats((wide * np.float32(1.5) - np.float32(0.45)) * band)
