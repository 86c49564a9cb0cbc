"""Weather and the hour of the day, put over a picture that was taken in other light."""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    clouds,
    curve,
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
from generation.engines.darkroom.sky import sky


def night(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Day for night: rods see little colour, the sky darkens, stars and lamps come out.

    Scotopic shift as in Thompson, Shirley and Ferwerda (2002).
    """
    height, width = picture.shape[:2]
    above = sky(picture)
    plain = luminance(picture)[..., None]
    # A picture that is dark already must not sink into black.
    mean = float(plain.mean())
    dim = powered(plain * np.float32(0.72) + picture * np.float32(0.28), 0.95 + 1.3 * mean)
    dim = dim * np.array([0.25, 0.37, 0.66], np.float32) * np.float32(min(1.5, 1.22 + (0.4 - mean)))
    dim = dim * ramp(height, width, 0.8, 1.08)[..., None]
    heaven = ramp(height, width, 0.07, 0.26)[..., None] * np.array([0.5, 0.72, 1.35], np.float32)
    heaven = heaven + dim * np.float32(0.22)
    made = dim + (heaven - dim) * (above * np.float32(0.92))[..., None]
    made = screen(
        clip(made), starlight(height, width, rng, scale_of(picture))[..., None] * above[..., None]
    )
    made = screen(made, lamplight(picture, above))
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
    opened = cv2.morphologyEx(
        small, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    )
    opened = cv2.resize(opened, (width, height), interpolation=cv2.INTER_LINEAR)
    small_lights = clip((plain - opened - 0.12) * 3) * clip((plain - 0.5) / 0.3)
    # A meadow full of bright specks is not a city: the more there are, the fainter each one shines.
    small_lights = small_lights * np.float32(
        min(1.0, 0.012 / max(1e-4, float(small_lights.mean())))
    )
    warmth = clip((picture[..., 0] - picture[..., 2] - 0.3) * 2.2) * clip((plain - 0.4) * 2.5)
    shining = clip(small_lights + warmth * np.float32(0.75)) * (1 - above)
    lamps = floats(shining[..., None] * np.array([1.0, 0.73, 0.35], np.float32))
    glow = blur(lamps, 26 * scale) * np.float32(0.9) + blur(lamps, 6 * scale) * np.float32(0.5)
    return clip(glow + lamps * (np.float32(0.35) + np.float32(0.45) * plain[..., None]))


def starlight(height: int, width: int, rng: Generator, scale: float) -> Plane:
    """Stars of very different brightness, fewer towards the ground; 0..1."""
    count = round(420 * height * width / 2**20)
    plane = np.zeros((height, width), np.uint8)
    for x, y, light in rng.random((count, 3)):
        centre = (int(x * width * 16), int(y**1.5 * height * 16))
        radius = max(6, int(16 * scale * (0.35 + 0.9 * light**6)))
        cv2.circle(plane, centre, radius, int(40 + 215 * light**4), -1, cv2.LINE_AA, 4)
    return from_bytes(plane)


def flakes(
    height: int, width: int, rng: Generator, count: int, radius: float, smear: float
) -> Plane:
    """Soft discs of varied size and light; 0..1."""
    plane = np.zeros((height, width), np.uint8)
    for x, y, size in rng.random((count, 3)):
        centre = (int(x * width * 16), int(y * height * 16))
        reach = max(8, int(16 * radius * (0.5 + size)))
        cv2.circle(plane, centre, reach, int(255 * (0.5 + 0.5 * size)), -1, cv2.LINE_AA, 4)
    return blur(from_bytes(plane), smear)


def snow(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Snow lies on what faces the sky, the air turns pale, flakes fall in three depths."""
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    plain = luminance(picture)
    slope = -cv2.Sobel(blur(plain, 2 * scale), cv2.CV_32F, 0, 1, ksize=3)
    upper = blur(clip(slope * 4), 2.5 * scale) * np.float32(1.8)
    drifts = clip((plain - 0.42) * 2) * clouds(height, width, rng) * np.float32(0.45)
    ground = 1 - sky(picture)
    lying = clip((upper + drifts) * ground * min(1.3, amount))[..., None] * np.float32(0.8)
    cool = saturated(picture, 1 - 0.35 * min(1, amount)) * np.array([0.93, 0.98, 1.05], np.float32)
    made = cool + (np.float32(0.97) - cool) * lying
    air = ramp(height, width, 0.5, 0.1)[..., None] * np.float32(min(1.2, amount))
    made = made + (np.array([0.86, 0.9, 0.95], np.float32) - made) * air
    area = height * width / 2**20
    for count, radius, smear, light in (
        (1500, 1.1, 0.5, 0.85),
        (500, 2.2, 1.2, 0.8),
        (80, 6, 3.5, 0.6),
    ):
        falling = flakes(
            height, width, rng, round(count * amount * area), radius * scale, smear * scale
        )
        made = screen(clip(made), falling[..., None] * np.float32(light))
    return mix(picture, clip(made), amount * 3)


def streaks(
    height: int, width: int, rng: Generator, count: int, length: float, thickness: int
) -> Plane:
    """Falling drops as slanted lines, all at nearly the same angle; 0..1."""
    plane = np.zeros((height, width), np.uint8)
    starts = rng.random((count, 2)) * [width * 1.2, height * 1.2] - [width * 0.1, height * 0.15]
    lengths = length * rng.uniform(0.5, 1.4, count)
    slants = 0.22 + rng.normal(0, 0.012, count)
    ends = starts + np.stack([lengths * slants, lengths], 1)
    lights = rng.integers(60, 230, count).tolist()
    paths = (np.stack([starts, ends], 1) * 16).astype(np.int32)
    for path, light in zip(paths, lights, strict=True):
        cv2.polylines(plane, [path], False, light, thickness, cv2.LINE_AA, 4)
    return from_bytes(plane)


def rain(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Grey light, a veil, and drops in two depths that stay visible at every size."""
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    area = height * width / 2**20
    grey_light = saturated(picture, 0.55) * np.array([0.68, 0.75, 0.82], np.float32)
    veil = blur(floats(grey_light), 14 * scale)
    made = grey_light * np.float32(0.72) + veil * np.float32(0.24) + np.float32(0.05)
    far = streaks(height, width, rng, round(2600 * amount * area), 34 * scale, 1)
    near = streaks(
        height, width, rng, round(380 * amount * area), 90 * scale, max(1, round(2 * scale))
    )
    near = blur(near, 0.9 * scale)
    colour = np.array([0.82, 0.88, 0.96], np.float32)
    drops = clip(far * 0.38 + near * 0.5)[..., None] * colour
    mist = (
        clouds(height, width, rng, octaves=4, cells=3)[..., None]
        * ramp(height, width, 0.16, 0.05)[..., None]
    )
    made = screen(clip(made), mist * colour)
    return mix(picture, screen(made, drops), amount * 2)


def fog(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Fog that swallows the distance: colour, then contrast, then form; nearer banks drift before it.

    Airlight after Narasimhan and Nayar (2002). Distance is height up to the horizon, and the sky.
    """
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    above = sky(picture)
    ground = np.flatnonzero(above.mean(1) > 0.25)
    horizon = (int(ground.max(initial=0)) + 1) / height if ground.size else 0.3
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    near = clip((rows - np.float32(horizon)) / np.float32(max(0.25, 1 - horizon)))
    far = np.maximum((1 - near) ** 1.4, above)
    banks = clouds(height, width, rng, octaves=5, cells=3)
    thick = np.float32(1.45 * amount) * far * (np.float32(0.55) + np.float32(0.9) * banks)
    thick = thick + np.float32(0.14 * amount)
    lost = (1 - np.exp(-thick))[..., None]
    soft = blur(picture, (1.5 + 3.5 * amount) * scale)
    dull = saturated(picture + (soft - picture) * lost, 0.75)
    made = picture + (dull - picture) * np.float32(min(1, amount))
    level = float(np.clip(np.quantile(luminance(picture)[::4, ::4], 0.9), 0.7, 0.92))
    air = np.array([0.96, 0.99, 1.0], np.float32) * np.float32(level)
    return clip(made + (air - made) * lost)


def sun_rays(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Shafts of light from the brightest place above, by zooming its light outwards in doublings."""
    height, width = picture.shape[:2]
    size = (max(2, width // 3), max(2, height // 3))
    small = floats(cv2.resize(luminance(picture), size, interpolation=cv2.INTER_AREA))
    upper = blur(small, max(1.0, size[0] / 24)) * ramp(size[1], size[0], 1, 0.25)
    row, column = np.unravel_index(int(upper.argmax()), upper.shape)
    # Motes and leaves break the light up: without them rays would be an even haze.
    broken = clip(
        (clouds(size[1], size[0], rng, octaves=4, cells=14) - np.float32(0.38)) * np.float32(3.2)
    )
    level = float(np.quantile(small, 0.8))
    rays = clip((small - level * 0.9) / max(0.15, 1 - level * 0.9)) * broken
    for step in range(7):
        zoom = 1 + 0.012 * 2**step
        move = np.array(
            [[1 / zoom, 0, column * (1 - 1 / zoom)], [0, 1 / zoom, row * (1 - 1 / zoom)]]
        )
        further = cv2.warpAffine(rays, move, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        rays = floats(np.float32(0.5) * (rays + further))
    ys, xs = np.mgrid[0 : size[1], 0 : size[0]].astype(np.float32)
    far = np.hypot(ys - row, xs - column) / np.hypot(*size)
    rays = clip((rays - float(np.quantile(rays, 0.25))) / max(0.02, float(np.quantile(rays, 0.99))))
    rays = rays * np.exp(-far * np.float32(1.2)) + np.float32(0.5) * np.exp(-far * np.float32(10))
    light = cv2.resize(blur(floats(rays), 1), (width, height), interpolation=cv2.INTER_CUBIC)
    gold = np.array([1.0, 0.86, 0.6], np.float32)
    deeper = picture * np.float32(1 - 0.22 * min(1, amount))
    made = screen(clip(deeper), clip(light)[..., None] * gold * np.float32(0.85 * amount))
    return mix(picture, clip(made), amount * 2)


def autumn(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Green leaves turn yellow, orange and red, tree by tree; the light turns warm; a few leaves fall."""
    height, width = picture.shape[:2]
    red, green, blue = (picture[..., each] for each in range(3))
    plain = luminance(picture)
    # Against the lightness, for leaves in the shade are as green as those in the sun.
    leaves = clip((green - np.maximum(blue * 1.04, red * 0.87)) / (plain + np.float32(0.1)) * 4)
    leaves = blur(floats(leaves), 1.2 * scale_of(picture))
    where = clouds(height, width, rng, octaves=4, cells=7)[..., None]
    yellow = np.array([1.5, 1.0, 0.2], np.float32)
    rust = np.array([1.65, 0.5, 0.14], np.float32)
    hue = yellow + (rust - yellow) * clip((where - 0.3) * 2)
    turned = clip((plain[..., None] * np.float32(1.12) + np.float32(0.02)) * hue)
    made = picture + (turned - picture) * leaves[..., None]
    made = clip(made * np.array([1.07, 0.99, 0.83], np.float32))
    for count, size, smear in ((26, 9.0, 0.7), (10, 19.0, 1.2), (3, 42.0, 5.0)):
        made = fallen(made, rng, round(count * amount), size, smear)
    return mix(picture, made, amount)


#: Colours of falling leaves, 8 bits.
LEAVES = ((214, 142, 30), (200, 92, 24), (168, 48, 26), (226, 178, 62), (132, 74, 34))


def fallen(picture: Picture, rng: Generator, count: int, size: float, smear: float) -> Picture:
    """Leaves of one depth in the air: pointed ovals at all angles, darker along the midrib."""
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    sheet = np.zeros((height, width, 4), np.uint8)
    for x, y, turn, reach, slim in rng.random((count, 5)):
        long = size * scale * (0.7 + 0.6 * reach)
        wide = long * (0.18 + 0.34 * slim)
        along = np.linspace(-1, 1, 14)
        half = (1 - along**2) ** 0.8 * (1 - 0.25 * along)
        bend = 0.18 * long * along**2
        rim = np.concatenate([half, -half[::-1]]) * wide + np.concatenate([bend, bend[::-1]])
        points = np.stack([np.concatenate([along, along[::-1]]) * long, rim], 1)
        cosine, sine = np.cos(turn * 2 * np.pi), np.sin(turn * 2 * np.pi)
        frame = np.array([[cosine, sine], [-sine, cosine]])
        middle = np.array([x * width, y * height])
        paint = LEAVES[int(reach * 997) % len(LEAVES)]
        leaf = ((points @ frame + middle) * 16).astype(np.int32)
        cv2.fillPoly(sheet, [leaf], (*paint, 255), cv2.LINE_AA, 4)
        rib = np.stack([along * 1.15 * long, bend], 1) @ frame + middle
        dark = tuple(int(each * 0.6) for each in paint)
        thick = max(1, round(0.08 * wide))
        cv2.polylines(
            sheet, [(rib * 16).astype(np.int32)], False, (*dark, 255), thick, cv2.LINE_AA, 4
        )
    soft = blur(from_bytes(sheet), smear * scale)
    cover = soft[..., 3:]
    return floats(picture * (1 - cover) + soft[..., :3])


def bolt(height: int, width: int, rng: Generator, scale: float) -> Plane:
    """One stroke of lightning with side branches, from the top to two thirds down; 0..1."""
    plane = np.zeros((height, width), np.uint8)
    start, steps = np.array([rng.uniform(0.2, 0.8) * width, 0.0]), 36
    branches = [(start, steps, 1.0)]
    while branches:
        place, left, strength = branches.pop()
        drift = rng.normal(0, 0.35)
        moves = np.stack([rng.normal(drift, 0.75, left), rng.uniform(0.4, 1.2, left)], 1)
        path = np.vstack([place, place + (moves * height * 0.02).cumsum(0)])
        thick = max(1, round(3 * scale * strength))
        light = int(255 * (0.35 + 0.65 * strength))
        cv2.polylines(plane, [(path * 16).astype(np.int32)], False, light, thick, cv2.LINE_AA, 4)
        if strength > 0.4:
            branches += [
                (path[at], (left - at) // 2 + 2, strength * 0.45) for at in rng.integers(0, left, 3)
            ]
    return from_bytes(plane)


def storm(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Towering dark clouds where there is sky, wind-driven rain, and one stroke of lightning."""
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    above = sky(picture)
    lead = saturated(picture, 0.5) * np.array([0.6, 0.67, 0.75], np.float32)
    billows = clouds(height, width, rng, octaves=6, cells=4)
    relief = clip(
        0.42 + (billows - np.roll(billows, round(6 * scale) or 1, 0)) * 3.2 + (billows - 0.5) * 0.5
    )
    heaven = (
        relief[..., None]
        * np.array([0.42, 0.46, 0.54], np.float32)
        * ramp(height, width, 0.75, 1.3)[..., None]
    )
    made = clip(lead + (heaven - lead) * (above * np.float32(0.9))[..., None])
    made = clip(0.46 + (made - np.float32(0.46)) * np.float32(1.25)) * np.float32(0.95)
    flash = bolt(height, width, rng, max(0.5, scale))
    # Without a sky there is nowhere to strike: only the glow of a far stroke reaches the picture.
    behind = above if float(above.mean()) > 0.02 else np.float32(0.06)
    glow = (
        blur(flash, 40 * scale) * np.float32(2.2) + blur(flash, 8 * scale) * np.float32(0.9) + flash
    )
    made = screen(made, clip(glow * behind)[..., None] * np.array([0.86, 0.88, 1.0], np.float32))
    drops = streaks(
        height, width, rng, round(1500 * amount * height * width / 2**20), 60 * scale, 1
    )
    made = screen(clip(made), drops[..., None] * np.float32(0.3))
    return mix(picture, clip(made), amount * 1.5)


def low_sun(
    picture: Picture, zenith: Picture, horizon: Picture, ground: Picture, amount: float
) -> Picture:
    """Graded sky between two colours and a ground in the colour of the light."""
    height, width = picture.shape[:2]
    above = sky(picture)
    rows = above.mean(1)
    bottom = int(np.flatnonzero(rows > 0.03).max(initial=height // 2)) + 1
    down = clip(np.arange(height, dtype=np.float32) / max(1, bottom))[:, None, None] ** 1.3
    plain = luminance(picture)[..., None]
    gradient = zenith + (horizon - zenith) * down
    heaven = clip(gradient * (np.float32(0.6) + np.float32(0.5) * plain))
    lit = picture * ground * (np.float32(0.85) + np.float32(0.15) * down)
    made = lit + (heaven - lit) * (above * np.float32(0.82))[..., None]
    haze = np.exp(-(((np.arange(height, dtype=np.float32) - bottom) / (0.16 * height)) ** 2))
    made = screen(clip(made), haze[:, None, None] * horizon * np.float32(0.22))
    return mix(picture, clip(made), amount)


def dawn(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """First light: a pale blue sky, rose at the horizon, soft cool ground with mist."""
    pale = clip(saturated(picture, 0.8) * np.float32(0.94) + np.float32(0.04))
    made = low_sun(
        pale,
        np.array([0.6, 0.7, 0.92], np.float32),
        np.array([1.0, 0.76, 0.72], np.float32),
        np.array([0.98, 0.9, 0.98], np.float32),
        1,
    )
    return mix(picture, made, amount)


def dusk(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """After sunset: violet above, orange at the horizon, the ground nearly in silhouette."""
    firm = curve(picture, [(0, 0), (0.4, 0.24), (0.75, 0.62), (1, 0.94)])
    made = low_sun(
        firm,
        np.array([0.24, 0.22, 0.5], np.float32),
        np.array([1.0, 0.5, 0.24], np.float32),
        np.array([0.86, 0.66, 0.72], np.float32),
        1,
    )
    return mix(picture, made, amount)
