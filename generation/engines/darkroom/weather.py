"""Weather and the night, put over a picture that was taken in other light."""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.daylight import colour, downwards, horizon
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    clouds,
    floats,
    from_bytes,
    luminance,
    mix,
    noise,
    powered,
    ramp,
    saturated,
    scale_of,
    screen,
)
from generation.engines.darkroom.saliency import SIDE, faces
from generation.engines.darkroom.sky import sky
from generation.engines.darkroom.tone import beyond, opened
from generation.engines.darkroom.windows import lit_windows


def night(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Day for night: rods see little colour, the sky darkens, stars and lamps come out.

    Scotopic shift as in Thompson, Shirley and Ferwerda (2002).
    """
    height, width = picture.shape[:2]
    past = beyond(amount)
    above = sky(picture)
    plain = luminance(picture)[..., None]
    # A picture that is dark already must not sink into black.
    mean = float(plain.mean())
    dim = powered(plain * np.float32(0.72) + picture * np.float32(0.28), 0.95 + 1.3 * mean)
    dim = dim * np.array([0.25, 0.37, 0.66], np.float32) * np.float32(min(1.5, 1.22 + (0.4 - mean)))
    dim = dim * ramp(height, width, 0.8, 1.08)[..., None] * np.float32(1 - 0.25 * past)
    heaven = ramp(height, width, 0.07, 0.26 - 0.08 * past)[..., None] * colour(0.5, 0.72, 1.35)
    heaven = heaven + dim * np.float32(0.22)
    made = dim + (heaven - dim) * (above * np.float32(0.92))[..., None]
    stars = starlight(height, width, rng, scale_of(picture), 1 + past)
    made = screen(clip(made), stars[..., None] * above[..., None])
    made = screen(made, lamplight(picture, above))
    made = screen(made, windowlight(picture, above, rng))
    grain = noise(height, width, rng)[..., None] * np.float32(0.009)
    return mix(picture, clip(made + grain), amount)


def lamplight(picture: Picture, above: Plane) -> Picture:
    """Light of what shines: small things brighter than all around, and warm lit walls; not the sky."""
    scale = scale_of(picture)
    height, width = picture.shape[:2]
    plain = luminance(picture)
    size = (max(1, width // 4), max(1, height // 4))
    small = cv2.resize(plain, size, interpolation=cv2.INTER_AREA)
    side = max(3, round(11 * scale)) | 1
    opening = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    hollows = cv2.morphologyEx(small, cv2.MORPH_OPEN, opening)
    hollows = cv2.resize(hollows, (width, height), interpolation=cv2.INTER_LINEAR)
    warmth = picture[..., 0] - picture[..., 2]
    # What is as bright as the sky and no warmer is sky between leaves, or snow; not a lamp.
    least = brightness_of_sky(plain, above)
    own = np.maximum(clip((plain - np.float32(least + 0.04)) * 12), clip((warmth - 0.12) * 6))
    small_lights = clip((plain - hollows - 0.12) * 3) * clip((plain - 0.5) / 0.3) * own
    # A meadow full of bright specks is not a city: the more there are, the fainter each one shines.
    many = float(small_lights.mean())
    small_lights = small_lights * np.float32(min(1.0, 0.012 / max(1e-4, many)))
    walls = clip((warmth - 0.3) * 2.2) * clip((plain - 0.4) * 2.5)
    shining = clip(small_lights * unlit(picture) + walls * np.float32(0.75)) * (1 - above)
    lamps = floats(shining[..., None] * colour(1.0, 0.73, 0.35))
    glow = blur(lamps, 26 * scale) * np.float32(0.9) + blur(lamps, 6 * scale) * np.float32(0.5)
    return clip(glow + lamps * (np.float32(0.35) + np.float32(0.45) * plain[..., None]))


def windowlight(picture: Picture, above: Plane, rng: Generator) -> Picture:
    """Warm light behind the windows of houses, and a little of it on the walls around them."""
    scale = scale_of(picture)
    lit = lit_windows(picture, above, leaves_of(picture), rng)
    glow = blur(lit, 20 * scale) * np.float32(0.5) + blur(lit, 5 * scale) * np.float32(0.3)
    # What hangs and stands inside still shows against the light.
    inside = lit * (np.float32(0.6) + luminance(picture))
    return clip((glow + inside)[..., None] * colour(1.0, 0.7, 0.32))


def leaves_of(picture: Picture) -> Plane:
    """How much each pixel is of green leaves, 0..1; against its light, for shade is as green as sun."""
    red, green, blue = (picture[..., each] for each in range(3))
    depth = luminance(picture) + np.float32(0.1)
    return clip((green - np.maximum(blue * np.float32(1.04), red * np.float32(0.87))) / depth * 4)


def brightness_of_sky(plain: Plane, above: Plane) -> float:
    """The middle luma of the sky by day; 0 without a sky, or when it is dark already."""
    inside = plain[::4, ::4][above[::4, ::4] > 0.8]
    level = float(np.median(inside)) if inside.size > 32 else 0.0
    return level if level > 0.4 else 0.0


def unlit(picture: Picture) -> Plane:
    """0 where nothing may be a lamp: on faces, and on eyes and teeth of light grey portraits; else 1."""
    height, width = picture.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    small = clip(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    # Without colour a lamp cannot be told from an eye, but a night from a day.
    grey = float(np.ptp(small, 2).mean()) < 0.03
    if grey and float(small.mean()) > 0.22:
        return np.zeros((height, width), np.float32)
    found = cv2.resize(blur(faces(small), 2), (width, height), interpolation=cv2.INTER_LINEAR)
    return floats(1 - clip(found * np.float32(1.5)))


def starlight(height: int, width: int, rng: Generator, scale: float, share: float = 1) -> Plane:
    """Stars of very different brightness, fewer towards the ground; 0..1."""
    count = round(420 * share * height * width / 2**20)
    plane = np.zeros((height, width), np.uint8)
    for x, y, light in rng.random((count, 3)):
        centre = (int(x * width * 16), int(y**1.5 * height * 16))
        radius = max(6, int(16 * scale * (0.35 + 0.9 * light**6)))
        cv2.circle(plane, centre, radius, int(40 + 215 * light**4), -1, cv2.LINE_AA, 4)
    return from_bytes(plane)


def streaks(
    height: int, width: int, rng: Generator, count: int, length: float, thickness: int
) -> Plane:
    """Falling drops as slanted lines that fade at both ends, all at nearly the same angle; 0..1."""
    plane = np.zeros((height, width), np.uint8)
    starts = rng.random((count, 2)) * [width * 1.2, height * 1.2] - [width * 0.1, height * 0.15]
    lengths = length * rng.uniform(0.5, 1.4, count)
    slants = 0.22 + rng.normal(0, 0.012, count)
    along = np.stack([lengths * slants, lengths], 1)
    lights = rng.integers(60, 230, count)
    for head, tail, share in ((0.0, 1.0, 0.35), (0.2, 0.9, 0.7), (0.4, 0.8, 1.0)):
        paths = (np.stack([starts + along * head, starts + along * tail], 1) * 16).astype(np.int32)
        for path, light in zip(paths, (lights * share).astype(int).tolist(), strict=True):
            cv2.polylines(plane, [path], False, light, thickness, cv2.LINE_AA, 4)
    return from_bytes(plane)


def rain(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Grey light under a closed sky, a veil that thickens with distance, and drops in two depths."""
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    area = height * width / 2**20
    past = beyond(amount)
    above = sky(picture)
    plain = luminance(picture)[..., None]
    grey_light = saturated(picture, 0.58 - 0.2 * past) * colour(0.7, 0.76, 0.82)
    # A closed sky: grey, lighter below, with its own clouds and some that were not there.
    level = float(np.clip(np.quantile(plain[::4, ::4], 0.8), 0.3, 0.8)) * (0.82 - 0.16 * past)
    banks = clouds(height, width, rng, octaves=5, cells=3)[..., None] - np.float32(0.5)
    heaven = (np.float32(0.62) + 0.3 * plain + 0.34 * banks) * np.float32(level)
    heaven = heaven * colour(0.93, 0.98, 1.04) * ramp(height, width, 0.9, 1.12)[..., None]
    made = grey_light + (heaven - grey_light) * (above * np.float32(0.85))[..., None]
    veil = blur(clip(made), 14 * scale)
    far = 1 - downwards(height, height)[..., None]
    made = made + (veil + np.float32(0.03) - made) * (np.float32(0.12) + np.float32(0.3) * far)
    mist = clouds(height, width, rng, octaves=4, cells=3)[..., None] * (0.04 + 0.11 * far)
    made = screen(clip(made), mist * colour(0.82, 0.88, 0.96))
    distant = streaks(height, width, rng, round(2600 * amount * area), 34 * scale, 1)
    thick = max(1, round(1.6 * scale))
    near = streaks(height, width, rng, round(320 * amount * area), 100 * scale, thick)
    drops = clip(distant * 0.4 + blur(near, 0.8 * scale) * 0.5)[..., None]
    return mix(picture, screen(made, drops * colour(0.82, 0.88, 0.96)), amount * 2)


def fog(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Fog that swallows the distance: colour, then contrast, then form; nearer banks drift before it.

    Airlight after Narasimhan and Nayar (2002). Distance is height up to the horizon, and the sky.
    """
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    above = sky(picture)
    edge = horizon(above, 0.25) / height if above.any() else 0.3
    edge = min(edge, 0.8)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    near = clip((rows - np.float32(edge)) / np.float32(max(0.25, 1 - edge)))
    far = np.maximum((1 - near) ** 1.4, above)
    banks = clouds(height, width, rng, octaves=5, cells=3)
    thick = np.float32(1.45 * amount) * far * (np.float32(0.55) + np.float32(0.9) * banks)
    lost = (1 - np.exp(-(thick + np.float32(0.14 * amount))))[..., None]
    soft = blur(picture, (1.5 + 3.5 * amount) * scale)
    dull = saturated(picture + (soft - picture) * lost, 0.75)
    made = picture + (dull - picture) * np.float32(min(1, amount))
    # Banks nearer to the light are brighter: without it thick fog is a flat sheet.
    shaded = (np.float32(0.96) + np.float32(0.08) * banks)[..., None] * airlight(picture)
    return clip(made + (shaded - made) * lost)


def airlight(picture: Picture) -> Picture:
    """Colour of the light in the air: nearly white by day, warm when what is brightest is warm."""
    few = picture[::4, ::4].reshape(-1, 3)
    plain = few @ colour(0.2126, 0.7152, 0.0722)
    top = few[plain >= np.quantile(plain, 0.9)].mean(0)
    level = float(np.clip(0.42 + 0.55 * float(top.mean()), 0.5, 0.93))
    tint = top / max(1e-3, float(top.mean()))
    # Drops scatter all colours alike: fog under a blue sky is grey, at sunset it is gold.
    share = np.float32(0.42 if top[0] > top[2] else 0.12)
    return floats((colour(0.985, 1.0, 1.01) * (1 - share) + tint * share) * np.float32(level))


def bolt(height: int, width: int, rng: Generator, scale: float) -> Plane:
    """One stroke of lightning with side branches, from the top to two thirds down; 0..1."""
    plane = np.zeros((height, width), np.uint8)
    start, steps = np.array([rng.uniform(0.2, 0.8) * width, 0.0]), 54
    branches = [(start, steps, 1.0)]
    while branches:
        place, left, strength = branches.pop()
        drift = rng.normal(0, 0.3)
        moves = np.stack([rng.normal(drift, 0.85, left), rng.uniform(0.3, 1.2, left)], 1)
        path = np.vstack([place, place + (moves * height * 0.0135).cumsum(0)])
        light = int(255 * (0.3 + 0.7 * strength))
        for tail, wide in ((1.0, 1.0), (0.6, 2.2), (0.3, 3.0)):
            part = path[: max(2, round(len(path) * tail))]
            thick = max(1, round(wide * scale * strength))
            cv2.polylines(plane, [(part * 16).astype(np.int32)], False, light, thick, 16, 4)
        if strength > 0.4:
            branches += [
                (path[at], (left - at) // 2 + 2, strength * 0.42) for at in rng.integers(0, left, 4)
            ]
    return from_bytes(plane)


def thunderheads(height: int, width: int, rng: Generator, bottom: int) -> Plane:
    """Dark clouds seen from below: banks that grow flatter and closer together to the horizon; 0..1."""
    banks = clouds(height, width, rng, octaves=6, cells=3.2)
    lumps = clouds(height, width, rng, octaves=3, cells=6)
    near = 1 / (np.float32(1.35) - downwards(height, bottom))
    across = np.arange(width, dtype=np.float32)[None, :] - np.float32(width / 2)
    across = across * near * np.float32(0.55) + np.float32(width / 2)
    along = near * np.float32(height * 0.36)
    # Bent by lumps, the noise boils up instead of lying in streaks.
    bend = (lumps - np.float32(0.5)) * np.float32(0.09 * max(height, width))
    xs, ys = floats(across + bend), floats(along + bend)
    higher = floats(ys - np.float32(0.012 * height))
    base = cv2.remap(banks, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    lit = cv2.remap(banks, xs, higher, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return clip(0.36 + (base - lit) * 2.6 + (floats(base) - 0.5) * 0.95)


def storm(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Boiling dark clouds where there is sky, wind-driven rain, and lightning from the middle on."""
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    past = beyond(amount)
    above = sky(picture)
    bottom = horizon(above)
    # A picture that is dark already must not sink into black.
    lead = saturated(opened(picture, 0.42, 0.7), 0.5) * colour(0.5, 0.56, 0.63)
    lead = clip(0.3 + (lead - np.float32(0.3)) * np.float32(1.15)) * np.float32(1 - 0.2 * past)
    glow = np.float32(0.7) + downwards(height, bottom)[..., None] ** 3 * np.float32(0.75)
    relief = thunderheads(height, width, rng, bottom)[..., None]
    heaven = relief * colour(0.46, 0.5, 0.57) * glow * np.float32(1 - 0.15 * past)
    made = clip(lead + (heaven - lead) * (above * np.float32(0.95))[..., None])
    strokes = bolt(height, width, rng, max(0.5, scale))
    if past > 0.4:
        strokes = np.maximum(strokes, bolt(height, width, rng, max(0.5, scale)))
    # Without a sky there is nowhere to strike: only the glow of a far stroke reaches the picture.
    behind = above if float(above.mean()) > 0.02 else np.float32(0.06)
    halo = blur(strokes, 44 * scale) * np.float32(2.6) + blur(strokes, 7 * scale) * np.float32(0.9)
    flash = clip((halo + strokes) * behind) * np.float32(min(1, max(0, 2.5 * (amount - 0.4))))
    made = screen(made, flash[..., None] * colour(0.86, 0.88, 1.0))
    count = round(1700 * amount * height * width / 2**20)
    drops = streaks(height, width, rng, count, 60 * scale, 1)
    made = screen(clip(made), drops[..., None] * np.float32(0.34))
    return mix(picture, clip(made), amount * 1.5)
