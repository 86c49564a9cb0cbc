"""The hour of the day: where the sun stands, and what its light makes of sky and ground."""

import cv2
import numpy as np
from numpy.random import Generator, default_rng

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
    ramp,
    saturated,
    scale_of,
    screen,
)
from generation.engines.darkroom.sky import sky
from generation.engines.darkroom.tone import balanced, beyond


def colour(red: float, green: float, blue: float) -> Picture:
    """Three floats of one light."""
    return np.array([red, green, blue], np.float32)


def horizon(above: Plane, least: float = 0.03) -> int:
    """The row below which there is hardly any sky; the middle of the picture without one."""
    return int(np.flatnonzero(above.mean(1) > least).max(initial=above.shape[0] // 2)) + 1


def downwards(height: int, bottom: int) -> Plane:
    """0 at the top edge, 1 from the horizon on; shape (height, 1)."""
    return clip(np.arange(height, dtype=np.float32) / max(1, bottom))[:, None]


def split(picture: Picture, shade: Picture, light: Picture) -> Picture:
    """The picture under two lights: one in its shadows, the other where it is lit."""
    plain = luminance(picture)[..., None]
    return floats(picture * (shade + (light - shade) * np.minimum(plain * np.float32(1.4), 1)))


def dither(picture: Picture) -> Picture:
    """Noise of one 8-bit level, (h, w, 1), so that a soft gradient shows no bands; always the same."""
    return noise(picture.shape[0], picture.shape[1], default_rng(0))[..., None] * np.float32(0.004)


def low_sun(
    picture: Picture, above: Plane, zenith: Picture, low: Picture, ground: tuple[Picture, Picture]
) -> Picture:
    """A sky graded from `zenith` to `low` at the horizon; ground under two lights; haze between."""
    height = picture.shape[0]
    bottom = horizon(above)
    down = downwards(height, bottom)[..., None] ** 1.3
    plain = luminance(picture)[..., None]
    # The sky's own clouds stay as lights and darks of the gradient.
    heaven = (zenith + (low - zenith) * down) * (np.float32(0.6) + np.float32(0.5) * plain)
    lit = split(picture, *ground)
    made = lit + (heaven + dither(picture) - lit) * (above * np.float32(0.86))[..., None]
    if not above.any():
        return clip(made)
    rows = (np.arange(height, dtype=np.float32) - bottom) / np.float32(0.16 * height)
    return screen(clip(made), np.exp(-(rows**2))[:, None, None] * low * np.float32(0.22))


def dawn(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """First light: a pale blue sky, rose at the horizon, soft cool ground; pressed, ground mist."""
    past = beyond(amount)
    height, width = picture.shape[:2]
    above = sky(picture)
    soft = saturated(picture, 0.76) * np.float32(0.86 - 0.06 * past)
    pale = clip(soft + np.float32(0.07 + 0.03 * past))
    lights = colour(0.86, 0.86, 1.04), colour(1.04, 0.9, 0.92)
    rose = colour(1.0, 0.72 - 0.05 * past, 0.68 - 0.02 * past)
    made = low_sun(pale, above, colour(0.55, 0.67, 0.92), rose, lights)
    if not above.any():
        return mix(picture, made, amount)
    bottom = horizon(above)
    # Mist lies on low ground and thins upwards and towards the feet.
    rows = (np.arange(height, dtype=np.float32) - bottom) / np.float32(0.3 * height)
    lying = np.where(rows > 0, np.exp(-(rows**2) * 2), np.exp(-(rows**2) * 30))[:, None]
    banks = clouds(height, width, rng, octaves=4, cells=4) * np.float32(0.7) + np.float32(0.3)
    mist = lying * banks * (1 - above) * np.float32(0.3 + 0.35 * past)
    made = made + (colour(0.93, 0.86, 0.9) - made) * mist[..., None]
    return mix(picture, clip(made), amount)


def dusk(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """After sunset: violet above, orange at the horizon, the ground nearly in silhouette."""
    past = beyond(amount)
    knots = [(0, 0), (0.4, 0.25 - 0.11 * past), (0.75, 0.62 - 0.2 * past), (1, 0.94 - 0.14 * past)]
    firm = curve(picture, knots)
    lights = colour(0.74, 0.64, 0.92), colour(1.0, 0.72, 0.58)
    zenith = colour(0.24, 0.22, 0.5) * np.float32(1 - 0.35 * past)
    made = low_sun(firm, sky(picture), zenith, colour(1.0, 0.5 - 0.06 * past, 0.24), lights)
    return mix(picture, made, amount)


def golden_hour(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """The last hour of sun: amber lights, violet shadows, a sky that glows towards the sun's side."""
    past = beyond(amount)
    height, width = picture.shape[:2]
    above = sky(picture)
    bottom = horizon(above)
    lit = split(
        balanced(picture, 0.5 + 0.3 * past), colour(0.97, 0.89, 0.95), colour(1.04, 0.92, 0.79)
    )
    plain = luminance(picture)[..., None]
    down = downwards(height, bottom)[..., None] ** 1.5
    zenith, low = colour(0.62, 0.68, 0.8), colour(1.0, 0.76 - 0.06 * past, 0.46 - 0.1 * past)
    heaven = (zenith + (low - zenith) * down) * (np.float32(0.5) + np.float32(0.58) * plain)
    # A sky that is warm already is left nearly as it is, with its sun.
    share = np.float32(0.78) * (1 - np.float32(0.8) * warmth_of(picture, above))
    made = lit + (heaven + dither(picture) - lit) * (above * share)[..., None]
    glow = from_the_side(picture, bottom) * np.float32(0.55 + 0.25 * past)
    made = screen(clip(made), glow[..., None] * colour(1.0, 0.6, 0.22))
    bloom = blur(clip(luminance(made) - np.float32(0.62)), 12 * scale_of(picture))[..., None]
    made = screen(made, bloom * colour(1.0, 0.8, 0.5) * np.float32(0.4))
    return mix(picture, clip(saturated(made, 1.1)), amount)


def warmth_of(picture: Picture, above: Plane) -> float:
    """How warm a sky is already: 0 for grey and blue ones, 1 for one of a sunset."""
    weights = above[::4, ::4, None]
    red, _, blue = ((picture[::4, ::4] * weights).sum((0, 1)) / max(1.0, weights.sum())).tolist()
    return float(min(1.0, max(0.0, 5 * (red - blue))))


def from_the_side(picture: Picture, bottom: int) -> Plane:
    """Haze around a sun that stands at the horizon just outside the brighter side; 0..1."""
    height, width = picture.shape[:2]
    bright = cv2.resize(luminance(picture), (16, 16), interpolation=cv2.INTER_AREA) ** 4
    left = float(bright[:, :8].mean()) >= float(bright[:, 8:].mean())
    across = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    across = across if left else across[:, ::-1]
    rows = (np.arange(height, dtype=np.float32)[:, None] - bottom) / np.float32(height)
    return floats(np.exp(-2.4 * across**2 - 2.2 * across - 5 * rows**2))


def sun_rays(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Shafts of light from the sun, the brightest place of the sky, or from beyond the top edge.

    The light is zoomed outwards in doublings, so that what stands before it cuts shadows into it.
    """
    height, width = picture.shape[:2]
    size = (max(2, width // 3), max(2, height // 3))
    above = floats(cv2.resize(sky(picture), size, interpolation=cv2.INTER_AREA))
    small = floats(cv2.resize(luminance(picture), size, interpolation=cv2.INTER_AREA))
    row, column = sun(small, above)
    level = float(np.quantile(small, 0.75))
    bright = clip((small - level * 0.9) / max(0.15, 1 - level * 0.9))
    source = bright * np.maximum(above, np.float32(0.35)) if above.any() else bright
    # Motes and leaves break the light up: without them rays would be an even haze.
    broken = (clouds(size[1], size[0], rng, octaves=4, cells=14) - np.float32(0.36)) * 3
    rays = zoomed(floats(source * clip(broken)), row, column)
    rays = clip((rays - float(np.quantile(rays, 0.3))) / max(0.02, float(np.quantile(rays, 0.99))))
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    far = np.hypot(ys - row, xs - column) / np.hypot(*size)
    fans = shafts(np.arctan2(ys - row, xs - column), rng) * np.exp(-far * np.float32(1.2))
    fans = fans * np.float32(0.8 if above.any() else 1.5)
    disc = np.exp(-far * np.float32(13)) * (above if above.any() else np.float32(1))
    rays = rays * np.exp(-far * np.float32(1.0)) * np.float32(0.6)
    total = rays + fans * (rays + np.float32(0.4)) + disc * np.float32(0.75)
    shone = cv2.resize(blur(floats(total), 1), (width, height), interpolation=cv2.INTER_CUBIC)
    # Between the shafts it is darker: under a bright sky nothing else would show them.
    light = clip(shone)[..., None]
    deeper = picture * (1 - np.float32(0.34 * min(1, amount)) * (1 - clip(light * 1.6)))
    gold = colour(1.0, 0.87, 0.62)
    made = screen(deeper, light * gold * np.float32(min(1.0, 0.8 * amount)))
    return mix(picture, clip(made), amount * 2)


def sun(small: Plane, above: Plane) -> tuple[float, float]:
    """Row and column of the brightest place of the sky; above the brightest column without one."""
    rows, columns = small.shape
    bright = blur(small, max(0.8, columns / 45)) ** 5
    if above.any():
        weight = bright * above * ramp(rows, columns, 1, 0.6)
        row, column = np.unravel_index(int(weight.argmax()), weight.shape)
        return float(row), float(column)
    middle = int(blur(bright * ramp(rows, columns, 1, 0), max(0.8, columns / 12)).mean(0).argmax())
    return -0.12 * rows, float(middle)


def zoomed(light: Plane, row: float, column: float) -> Plane:
    """The light dragged outwards from a place: seven means, each with a copy twice as far."""
    size = light.shape[1], light.shape[0]
    for step in range(7):
        zoom = 1 + 0.012 * 2**step
        move = np.array(
            [[1 / zoom, 0, column * (1 - 1 / zoom)], [0, 1 / zoom, row * (1 - 1 / zoom)]]
        )
        further = cv2.warpAffine(
            light,
            move,
            size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        light = floats(np.float32(0.5) * (light + further))
    return light


def shafts(angle: Plane, rng: Generator) -> Plane:
    """Beams of uneven width and strength around a place, from angles in radians; 0..1."""
    beams = np.zeros_like(angle)
    for count in (5, 9, 14, 23, 37):
        waves = np.cos(angle * np.float32(count) + np.float32(rng.uniform(0, 2 * np.pi)))
        beams += waves * np.float32(rng.uniform(0.6, 1.0) / count**0.35)
    return clip(beams * np.float32(0.55) + np.float32(0.1))
