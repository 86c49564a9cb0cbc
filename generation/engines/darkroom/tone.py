"""Tone and colour: what a print gets from its paper, its filters and its toner."""

import cv2
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


def beyond(amount: float) -> float:
    """How far a strength lies past the designed one: 0 up to it, 1 at the heaviest.

    Where an effect is complete as designed, more strength is a harder hand: deeper filter, firmer paper.
    """
    return min(1.0, max(0.0, 2 * (amount - 1)))


def opened(picture: Picture, middle: float, share: float) -> Picture:
    """`exposed`, but only upwards: a dark picture is opened, a light one keeps its light."""
    dark = float(np.median(luminance(picture)[::4, ::4])) < middle
    return exposed(picture, middle, share) if dark else picture


def strongest_and_weakest(picture: Picture) -> tuple[Plane, Plane]:
    """The largest and the smallest channel of each pixel; five times as fast as along an axis."""
    red, green, blue = cv2.split(picture)
    high = cv2.max(cv2.max(red, green), blue)
    return floats(high), floats(cv2.min(cv2.min(red, green), blue))


def within_gamut(picture: Picture) -> Picture:
    """Colours outside 0..1 drawn towards their own grey until they fit: hue and light stay."""
    plain = clip(luminance(picture))
    high, low = strongest_and_weakest(picture)
    above = (1 - plain) / np.maximum(high - plain, np.float32(1e-4))
    below = plain / np.maximum(plain - low, np.float32(1e-4))
    share = np.minimum(np.minimum(above, below), np.float32(1))
    if float(share.min()) >= 1:
        return picture
    return clip(plain[..., None] + (picture - plain[..., None]) * share[..., None])


def black_and_white(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Panchromatic film behind an orange filter, red when pressed; rich blacks and fine grain."""
    past = beyond(amount)
    shares = 0.42 + 0.2 * past, 0.46 - 0.12 * past, 0.12 - 0.08 * past
    plain = grey(opened(picture, 0.4, 0.5), *shares)
    local = plain + (plain - blur(plain, 24 * scale_of(picture))) * np.float32(0.25 + 0.2 * past)
    knots = [(0, 0), (0.2, 0.14 - 0.06 * past), (0.5, 0.5), (0.8, 0.86 + 0.05 * past), (1, 1)]
    print_ = curve(clip(local), knots)
    return mix(picture, grained(print_, rng, 0.014 + 0.014 * past), amount)


def sepia(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Silver turned to silver sulphide: red-brown shadows, cream lights; pressed, the print fades."""
    past = beyond(amount)
    knots = [(0, 0.015 + 0.06 * past), (0.25, 0.2 + 0.06 * past), (0.75, 0.8), (1, 0.98)]
    plain = curve(grey(opened(picture, 0.4, 0.35)), knots)[..., 0]
    exponents = 0.75 - 0.07 * past, 1.03, 1.4 + 0.25 * past
    toned = np.stack([powered(plain, exponent) for exponent in exponents], -1)
    made = toned * np.array([0.965, 0.915, 0.825], np.float32)
    return mix(picture, clip(made + np.array([0.035, 0.02, 0.015], np.float32)), amount)


def balanced(picture: Picture, warmth: float) -> Picture:
    """White balance from open shade (-1) over no change (0) to candle light (1).

    Powers turn the middle tones and leave black and white where they are, small losses turn the lights
    to peach or to ice. Gains would clip red first and leave lemon yellow.
    """
    share = abs(warmth)
    fuller, thinner = 1 / (1 + 0.3 * share), 1 + 0.3 * share
    powers = (fuller, 1.0, thinner) if warmth > 0 else (thinner, 1.0, fuller)
    lost = (0.0, 0.05, 0.16) if warmth > 0 else (0.13, 0.035, 0.0)
    turned = [
        powered(picture[..., each], powers[each]) * np.float32(1 - lost[each] * share)
        for each in range(3)
    ]
    return floats(np.stack(turned, -1))


def warm(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A warmer balance; skin and sun gain, white turns to peach."""
    return within_gamut(saturated(balanced(picture, 0.8 * amount), 1 + 0.06 * amount))


def cold(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A cooler balance with a little less colour."""
    return clip(saturated(balanced(picture, -0.8 * amount), 1 - 0.1 * amount))


def vivid(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Colours that are dull gain most (vibrance), with a firmer curve of the light alone."""
    strongest, weakest = strongest_and_weakest(picture)
    dull = 1 - (strongest - weakest)
    plain = luminance(picture)
    knots = [(0, 0), (0.25, 0.21), (0.75, 0.8), (1, 1)]
    firm = plain + (curve(plain, knots) - plain) * np.float32(amount)
    more = 1 + np.float32(0.85 * amount) * dull
    made = firm[..., None] + (picture - plain[..., None]) * more[..., None]
    return within_gamut(floats(made))


def muted(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Less colour, lifted shadows, softened lights: a matt print; pressed, hardly any colour is left."""
    past = beyond(amount)
    soft = saturated(picture, 0.52 - 0.27 * past)
    lift = 0.09 + 0.06 * past
    matt = curve(clip(soft), [(0, lift), (0.3, 0.25 + lift), (0.7, 0.7), (1, 0.94 - 0.04 * past)])
    # Matt paper is never quite neutral: its shadows are a little blue, its lights a little cream.
    tone = np.array([0.012, 0.002, -0.014], np.float32) * (2 * luminance(matt)[..., None] - 1)
    return mix(picture, clip(matt + tone), amount)


def cyanotype(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Iron salts in sunlight: Prussian blue on white cotton; pressed, a longer and deeper print."""
    past = beyond(amount)
    even = exposed(picture, 0.5 - 0.06 * past, 0.6)
    knots = [(0, 0.03), (0.3, 0.25 - 0.08 * past), (0.7, 0.78), (1, 0.99)]
    plain = curve(grey(even), knots)[..., 0]
    deep, white = np.array([0.03, 0.13, 0.3], np.float32), np.array([0.95, 0.97, 0.965], np.float32)
    deep = deep * np.float32(1 - 0.35 * past)
    middle = np.array([0.2, 0.46, 0.68], np.float32) * np.float32(1 - 0.1 * past)
    made = three_tones(plain, deep, middle, white)
    height, width = plain.shape
    cotton = (clouds(height, width, rng, octaves=6, cells=12) - np.float32(0.5))[..., None]
    return mix(picture, clip(made + cotton * np.float32(0.035 + 0.02 * past)), amount)


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
    past = beyond(amount)
    plain = grey(picture)[..., 0]
    low, high = np.quantile(plain[::4, ::4], (0.01, 0.99))
    knots = [(0, 0), (0.3, 0.28 - 0.08 * past), (0.7, 0.74 + 0.06 * past), (1, 1)]
    plain = curve(clip((plain - low) / max(0.1, high - low)), knots)
    return mix(picture, inked(plain, first, second), amount)


def inked(plain: Plane, dark: Picture, light: Picture) -> Picture:
    """Greys (h, w) printed with two inks on white paper, (h, w, 3).

    Between the inks the way leads through Lab, where halves of two colours keep their light, and a
    little further from grey: the mean of two screens would be mud.
    """
    deep = dark * np.float32(min(1.0, 0.09 / max(0.05, float(dark @ LUMINANCE[0]))))
    pale = light + (1 - light) * np.float32(0.4)
    stops = np.stack([deep, dark, light, pale])[None]
    lab = cv2.cvtColor(floats(stops), cv2.COLOR_RGB2LAB)[0]
    grid = np.linspace(0, 1, 256)
    way = [np.interp(grid, (0, 0.26, 0.78, 1), lab[:, each]) for each in range(3)]
    between = 1 + 0.35 * np.clip(1 - np.abs(grid - 0.52) / 0.26, 0, 1)
    table = np.stack([way[0], way[1] * between, way[2] * between], -1).astype(np.float32)
    return clip(cv2.cvtColor(table[None], cv2.COLOR_LAB2RGB)[0])[to_bytes(plain)]


def tint(picture: Picture, rng: Generator, *, amount: float, colour: str) -> Picture:
    """The light of one coloured lamp; the picture's own colours still show through."""
    ink = colour_of(colour)
    plain = luminance(picture)
    toned = three_tones(plain, ink * np.float32(0.1), ink, ink + (1 - ink) * np.float32(0.85))
    own = np.float32(0.25 - 0.2 * beyond(amount))
    return mix(picture, picture * own + toned * (1 - own), min(1.0, amount * 0.85))


def invert(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """The negative. On the way to it the lights turn first, so that no strength is a grey sheet.

    A tent of tones: below its peak the picture, above it the negative; strength moves the peak from
    white to black. Pressed, the negative is copied on harder paper.
    """
    if amount >= 1:
        hard = curve(floats(1 - picture), [(0, 0), (0.25, 0.16), (0.75, 0.84), (1, 1)])
        return mix(floats(1 - picture), hard, beyond(amount))
    peak = np.float32(max(0.02, 1 - amount))
    plain = luminance(picture)
    tent = np.minimum(plain / peak, (1 - plain) / max(np.float32(0.02), 1 - peak))
    turned = 1 - 2 * clip((plain - peak) * 4 + np.float32(0.5))
    made = tent[..., None] + (picture - plain[..., None]) * turned[..., None]
    # A narrow tent is steep: the first tenths are laid over the picture, not put in its place.
    return mix(picture, within_gamut(floats(made)), 2 * amount)


def solarise(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """The Sabattier effect: a print lit while it develops; lights turn back, edges keep a pale line."""
    past = beyond(amount)
    # Only a print with lights has something to turn back.
    plain = grey(exposed(picture, 0.5, 0.5))
    turned = curve(
        plain, [(0, 0.01), (0.25, 0.36), (0.5, 0.9), (0.72, 0.5 - 0.2 * past), (1, 0.05)]
    )
    scale = scale_of(picture)
    around = blur(plain[..., 0], 3 * scale)[..., None]
    line = blur(clip((np.abs(plain - around) - np.float32(0.025)) * 4), 0.5 * scale)
    line = line if line.ndim == 3 else line[..., None]
    silver = clip(turned + (turned - blur(turned, 20 * scale)) * np.float32(0.25))
    silver = silver * np.array([0.95, 0.97, 1.0], np.float32)
    return mix(picture, screen(silver, line * np.float32(0.55 + 0.35 * past)), amount)


def high_key(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Almost everything light, soft and airy."""
    past = beyond(amount)
    light = opened(picture, 0.55 + 0.1 * past, 1)
    knots = [(0, 0.2 + 0.14 * past), (0.25, 0.48 + 0.1 * past), (0.6, 0.82 + 0.05 * past), (1, 1)]
    lifted = curve(light, knots)
    bloom = blur(clip(lifted - np.float32(0.5)), 16 * scale_of(picture))
    glow = screen(lifted, bloom * np.float32(0.45))
    return mix(picture, clip(saturated(glow, 0.88)), amount)


def low_key(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Almost everything dark; only what is lit stands out."""
    past = beyond(amount)
    # A dark picture is lifted a little first: something must stand out.
    even = exposed(picture, 0.33 - 0.06 * past, 0.4)
    knots = [(0, 0), (0.35, 0.1 - 0.03 * past), (0.65, 0.36 - 0.08 * past), (1, 0.97)]
    sunk = curve(even, knots)
    # Less light is also less colour: deep blue and red would glow in the dark.
    return mix(picture, within_gamut(saturated(sunk, 0.84 - 0.2 * past)), amount)


def infrared(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Infrared film: leaves turn white and glow, blue skies turn black, everything is grainy."""
    past = beyond(amount)
    red, green, blue = (picture[..., each] for each in range(3))
    plain = luminance(picture)
    # Against the lightness, for leaves in the shade are as green as those in the sun.
    depth = plain + np.float32(0.12)
    scale = scale_of(picture)
    green = green - np.maximum(red * np.float32(0.93), blue * np.float32(1.02))
    # What is nearly white is no leaf, whatever its tinge: sky between branches.
    leaves = clip(green / depth * 4 - np.float32(0.1)) * clip((np.float32(0.85) - plain) * 5)
    leaves = blur(floats(leaves), 1.2 * scale)
    heaven = clip((blue - red) / depth * np.float32(1.5)) * (1 - leaves)
    dark = plain * (1 - np.float32(0.72 + 0.1 * past) * heaven)
    made = dark + (powered(plain, 0.42) - dark) * leaves * np.float32(0.85 + 0.15 * past)
    # Film without a backing scatters its lights (halation); screened, they never burn out.
    halo = blur(clip(made - np.float32(0.5)), (9 + 4 * past) * scale) * np.float32(
        0.55 + 0.2 * past
    )
    made = curve(screen(made, halo), [(0, 0), (0.25, 0.18), (0.7, 0.76), (1, 0.98)])
    grain = grained(floats(np.repeat(made[..., None], 3, 2)), rng, 0.022 + 0.014 * past)
    return mix(picture, grain, amount)


def brighten(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """More light, most of it in the shadows and the middle tones."""
    past = beyond(amount)
    knots = [(0, 0.03), (0.2, 0.35 + 0.13 * past), (0.5, 0.67 + 0.1 * past), (0.8, 0.9), (1, 1)]
    return mix(picture, curve(picture, knots), min(1.0, amount * 0.85))


def darken(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Less light; the whites stay nearly white."""
    past = beyond(amount)
    knots = [(0, 0), (0.3, 0.15 - 0.07 * past), (0.6, 0.4 - 0.12 * past), (1, 0.94 - 0.06 * past)]
    return mix(picture, curve(picture, knots), min(1.0, amount * 0.85))


def contrast(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Deeper shadows, brighter lights, and crisper forms; hues stay."""
    past = beyond(amount)
    plain = luminance(picture)
    around = blur(plain, 30 * scale_of(picture))
    local = plain + (plain - around) * np.float32(0.35 + 0.25 * past)
    knots = [(0, 0), (0.25, 0.15 - 0.06 * past), (0.5, 0.5), (0.75, 0.86 + 0.04 * past), (1, 1)]
    firm = curve(clip(local), knots)
    # The eye expects colour to grow with the light: half as much as curves in each channel do.
    own = (picture - plain[..., None]) * np.float32(1.18 + 0.12 * past)
    return mix(picture, within_gamut(floats(firm[..., None] + own)), amount)


def film(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Cinema print stock: teal shadows, amber lights, gentle contrast, fine grain."""
    past = beyond(amount)
    plain = luminance(picture)[..., None]
    teal, amber = np.array([[-0.07, 0.035, 0.06], [0.05, -0.045, -0.14]], np.float32)
    shift = teal + (amber - teal) * plain
    made = clip(picture + shift * np.float32(1 + 0.5 * past))
    made = curve(made, [(0, 0.035), (0.25, 0.2), (0.75, 0.8), (1, 0.98)])
    return mix(picture, grained(made, rng, 0.012 + 0.01 * past), amount)
