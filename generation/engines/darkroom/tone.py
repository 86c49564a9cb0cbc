"""Tone and colour: what a print gets from its paper, its filters and its toner."""

import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.pixels import (
    Picture,
    blur,
    clip,
    curve,
    floats,
    luminance,
    mix,
    noise,
    powered,
    saturated,
    scale_of,
    screen,
)


def graded(
    picture: Picture,
    *,
    warmth: float = 0,
    saturation: float = 0,
    contrast: float = 0,
    exposure: float = 0,
) -> Picture:
    """One grade. Each setting is 0 for no change; exposure is in stops, the others are shares."""
    balance = np.array([1 + 0.18 * warmth, 1 + 0.02 * warmth, 1 - 0.18 * warmth], np.float32)
    made = clip(picture * (np.float32(2**exposure) * balance))
    made = saturated(made, 1 + saturation)
    return clip(0.5 + (made - np.float32(0.5)) * np.float32(1 + contrast))


def grey(picture: Picture, red: float = 0.34, green: float = 0.5, blue: float = 0.16) -> Picture:
    """Black and white through a filter: shares of the three channels, as three equal channels."""
    plane = picture @ np.array([red, green, blue], np.float32)
    return floats(np.repeat(plane[..., None], 3, axis=2))


def grained(picture: Picture, rng: Generator, level: float) -> Picture:
    """Silver grain: soft noise, strongest in the middle tones."""
    height, width = picture.shape[:2]
    grain = blur(noise(height, width, rng), 0.7 * max(1, scale_of(picture)))[..., None]
    middle = 1 - np.abs(2 * luminance(picture) - 1)[..., None] ** 2
    return clip(picture + grain * np.float32(level * 2) * (np.float32(0.35) + middle))


def black_and_white(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Panchromatic film behind a yellow-orange filter, printed with rich blacks and fine grain."""
    plain = grey(picture, 0.42, 0.46, 0.12)
    local = plain + (plain - blur(plain, 24 * scale_of(picture))) * np.float32(0.25)
    print_ = curve(clip(local), [(0, 0), (0.2, 0.13), (0.5, 0.5), (0.8, 0.87), (1, 1)])
    return mix(picture, grained(print_, rng, 0.016), amount)


def sepia(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Silver turned to silver sulphide: brown shadows, cream lights."""
    plain = curve(grey(picture), [(0, 0.02), (0.25, 0.2), (0.75, 0.8), (1, 0.98)])
    toned = [powered(plain[..., 0], exponent) for exponent in (0.78, 1.0, 1.32)]
    made = np.stack(toned, -1) * np.array([0.97, 0.93, 0.84], np.float32)
    return mix(picture, clip(made + np.float32(0.025)), amount)


def warm(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A warmer balance; skin and sun gain, the lights stay clean."""
    return graded(picture, warmth=0.85 * amount, saturation=0.06 * amount)


def cold(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A cooler balance with a little less colour."""
    return graded(picture, warmth=-0.85 * amount, saturation=-0.08 * amount)


def vivid(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Colours that are dull gain most (vibrance), with a firmer curve."""
    strongest, weakest = picture.max(-1, keepdims=True), picture.min(-1, keepdims=True)
    dull = 1 - (strongest - weakest)
    plain = luminance(picture)[..., None]
    made = plain + (picture - plain) * (1 + np.float32(0.75) * dull)
    firm = curve(clip(made), [(0, 0), (0.25, 0.21), (0.75, 0.8), (1, 1)])
    return clip(picture + (firm - picture) * np.float32(amount))


def muted(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Less colour, lifted shadows, softened lights: a matt print."""
    soft = saturated(picture, 0.5)
    matt = curve(clip(soft), [(0, 0.09), (0.3, 0.33), (0.7, 0.69), (1, 0.93)])
    return mix(picture, matt, amount)


def golden_hour(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """The last hour of sun: amber lights, blue-violet shadows, a glow from the brightest side."""
    height, width = picture.shape[:2]
    plain = luminance(picture)[..., None]
    amber = np.array([1.14, 0.98, 0.7], np.float32)
    dusk = np.array([0.92, 0.88, 0.98], np.float32)
    made = picture * (dusk + (amber - dusk) * np.clip(plain * 1.5, 0, 1))
    bright = powered(clip(blur(luminance(picture), 60 * scale_of(picture))), 2)
    left = float(bright[:, : max(1, width // 2)].mean()) >= float(bright[:, width // 2 :].mean())
    across = np.linspace(1, 0, width, dtype=np.float32) ** 2
    side = across if left else across[::-1]
    haze = side[None, :, None] * np.linspace(0.55, 0.25, height, dtype=np.float32)[:, None, None]
    made = screen(clip(made), haze * np.array([0.85, 0.48, 0.16], np.float32) * np.float32(0.8))
    made = screen(made, blur(clip(plain - 0.6), 12 * scale_of(picture))[..., None] * amber * 0.5)
    return mix(picture, clip(saturated(made, 1.12)), amount)
