"""Tone and colour: what a print gets from its paper, its filters and its toner."""

import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.pixels import (
    LUMINANCE,
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
    powered,
    saturated,
    scale_of,
    screen,
    to_bytes,
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


def exposed(picture: Picture, middle: float, share: float = 1.0) -> Picture:
    """The picture with its median tone moved to `middle`, or a share of the way, by a power.

    What comes out dull or black in a medium is most often a picture that was dark to begin with.
    """
    median = float(np.clip(np.median(luminance(picture)[::4, ::4]), 0.02, 0.98))
    exponent = float(np.clip(np.log(middle) / np.log(median), 0.42, 2.4))
    return powered(picture, 1 + (exponent - 1) * share)


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
    glow = blur(clip(plain[..., 0] - 0.6), 12 * scale_of(picture))[..., None]
    made = screen(made, glow * amber * np.float32(0.5))
    return mix(picture, clip(saturated(made, 1.12)), amount)


def cyanotype(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Iron salts in sunlight: Prussian blue on white, slightly soft, with the brush's edge tones."""
    even = exposed(picture, 0.5, 0.6)
    plain = curve(grey(even), [(0, 0.03), (0.3, 0.25), (0.7, 0.78), (1, 0.99)])[..., 0]
    deep, white = np.array([0.03, 0.13, 0.3], np.float32), np.array([0.95, 0.97, 0.965], np.float32)
    middle = np.array([0.2, 0.46, 0.68], np.float32)
    made = three_tones(plain, deep, middle, white)
    height, width = plain.shape
    cotton = (clouds(height, width, rng, octaves=6, cells=12) - np.float32(0.5))[..., None]
    return mix(picture, clip(made + cotton * np.float32(0.035)), amount)


def three_tones(plain: Plane, dark: Picture, middle: Picture, light: Picture) -> Picture:
    """Each grey in its colour: from dark through middle to light."""
    grid = np.linspace(0, 1, 256)
    ends = np.stack([dark, middle, light])
    table = np.stack([np.interp(grid, (0, 0.5, 1), ends[:, each]) for each in range(3)], -1)
    return table.astype(np.float32)[to_bytes(plain)]


def colour_of(code: str) -> Picture:
    """#rrggbb as three floats."""
    return np.array([int(code[at : at + 2], 16) for at in (1, 3, 5)], np.float32) / np.float32(255)


def duotone(picture: Picture, rng: Generator, *, amount: float, dark: str, light: str) -> Picture:
    """Two inks: the darker colour for shadows, the lighter for lights, whichever was named first."""
    first, second = sorted(
        (colour_of(dark), colour_of(light)), key=lambda ink: float(ink @ LUMINANCE[0])
    )
    plain = grey(picture)[..., 0]
    low, high = np.quantile(plain[::4, ::4], (0.01, 0.99))
    plain = curve(
        clip((plain - low) / max(0.1, high - low)), [(0, 0), (0.3, 0.25), (0.7, 0.76), (1, 1)]
    )
    deep = first * np.float32(min(1.0, 0.22 / max(0.05, float(first @ LUMINANCE[0]))))
    pale = second + (1 - second) * np.float32(0.3)
    middle = floats((first + second) / 2)
    return mix(picture, three_tones(plain, deep, saturated_colour(middle), pale), amount)


def saturated_colour(colour: Picture) -> Picture:
    """A colour a little further from grey, so that two inks do not turn to mud between them."""
    level = np.float32(colour @ LUMINANCE[0])
    return clip(level + (colour - level) * np.float32(1.35))


def tint(picture: Picture, rng: Generator, *, amount: float, colour: str) -> Picture:
    """The light of one coloured lamp; the picture's own colours still show through."""
    ink = colour_of(colour)
    plain = luminance(picture)
    toned = three_tones(plain, ink * np.float32(0.1), ink, ink + (1 - ink) * np.float32(0.85))
    return mix(picture, picture * np.float32(0.25) + toned * np.float32(0.75), amount * 0.85)


def invert(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """The negative."""
    return mix(picture, floats(1 - picture), amount)


def solarise(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """The Sabattier effect: a print lit while it develops; lights turn back, edges keep a pale line."""
    plain = grey(picture)
    turned = curve(plain, [(0, 0.02), (0.3, 0.42), (0.55, 0.78), (0.75, 0.4), (1, 0.12)])
    around = blur(luminance(picture), 3 * scale_of(picture))[..., None]
    line = clip((np.abs(plain - around) - 0.03) * 3)
    silver = turned * np.array([0.96, 0.98, 1.02], np.float32)
    return mix(picture, screen(clip(silver), line * np.float32(0.5)), amount)


def high_key(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Almost everything light, soft and airy."""
    light = exposed(picture, 0.55) if float(np.median(picture[::4, ::4])) < 0.55 else picture
    lifted = curve(light, [(0, 0.16), (0.25, 0.46), (0.6, 0.84), (1, 1)])
    glow = screen(lifted, blur(clip(lifted - 0.5), 16 * scale_of(picture)) * np.float32(0.5))
    return mix(picture, saturated(glow, 0.85).clip(0, 1), amount)


def low_key(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Almost everything dark; only what is lit stands out."""
    # A dark picture is lifted a little first: something must stand out.
    even = exposed(picture, 0.33, 0.35)
    sunk = curve(even, [(0, 0), (0.35, 0.1), (0.65, 0.36), (1, 0.97)])
    return mix(picture, clip(saturated(sunk, 0.9)), amount)


def infrared(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Infrared film: leaves turn white and glow, blue skies turn black, everything is grainy."""
    red, green, blue = (picture[..., each] for each in range(3))
    leaves = clip((green - np.maximum(red * np.float32(0.92), blue)) * 5)
    heaven = clip((blue - red) * 2.2)
    plain = luminance(picture)
    made = plain * (1 - np.float32(0.75) * heaven) + leaves * np.float32(0.5) * (1 - plain)
    made = made + blur(clip(made - 0.55), 10 * scale_of(picture)) * np.float32(0.8)
    made = curve(clip(made), [(0, 0), (0.25, 0.18), (0.7, 0.8), (1, 1)])
    return mix(picture, grained(floats(np.repeat(made[..., None], 3, 2)), rng, 0.028), amount)


def brighten(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """More light, most of it in the shadows and the middle tones."""
    return mix(
        picture,
        curve(picture, [(0, 0.03), (0.2, 0.36), (0.5, 0.7), (0.8, 0.91), (1, 1)]),
        amount * 0.8,
    )


def darken(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Less light; the whites stay white."""
    return mix(picture, curve(picture, [(0, 0), (0.3, 0.14), (0.6, 0.38), (1, 0.93)]), amount * 0.8)


def contrast(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Deeper shadows, brighter lights, and crisper forms."""
    local = picture + (picture - blur(picture, 30 * scale_of(picture))) * np.float32(0.35)
    firm = curve(clip(local), [(0, 0), (0.25, 0.16), (0.5, 0.5), (0.75, 0.85), (1, 1)])
    return mix(picture, firm, amount)


def film(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Cinema print stock: teal shadows, amber lights, gentle contrast, fine grain."""
    plain = luminance(picture)[..., None]
    push = (plain - np.float32(0.45)) * np.array([0.3, 0.04, -0.3], np.float32)
    made = clip(picture + push + np.array([-0.03, 0.01, 0.025], np.float32))
    made = curve(made, [(0, 0.035), (0.25, 0.2), (0.75, 0.8), (1, 0.98)])
    return mix(picture, grained(made, rng, 0.012), amount)
