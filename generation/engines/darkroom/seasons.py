"""Snow and autumn: what a season lays on things and lets fall before them."""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.daylight import colour
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
    ramp,
    saturated,
    scale_of,
    screen,
)
from generation.engines.darkroom.sky import sky
from generation.engines.darkroom.tone import beyond
from generation.engines.darkroom.weather import leaves_of, unlit


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
    above = sky(picture)
    share = min(1.0, amount)
    cool = saturated(picture, 1 - 0.4 * share) * (1 - colour(0.06, 0.02, -0.04) * share)
    lying, white = lying_snow(picture, rng, above, amount)
    made = cool + (white - cool) * lying[..., None]
    # The air between is full of snow: most in the sky, less and less towards the feet.
    air = ramp(height, width, 0.34, 0.07) + above * np.float32(0.42)
    made = (
        made + (colour(0.86, 0.89, 0.93) - made) * (air * np.float32(min(1.3, amount)))[..., None]
    )
    area = height * width / 2**20
    for count, radius, smear, light in (
        (1500, 1.1, 0.5, 0.85),
        (500, 2.2, 1.2, 0.8),
        (80, 6, 3.5, 0.6),
    ):
        number = round(count * amount * area)
        falling = flakes(height, width, rng, number, radius * scale, smear * scale)
        made = screen(clip(made), falling[..., None] * np.float32(light))
    return mix(picture, clip(made), amount * 3)


def lying_snow(
    picture: Picture, rng: Generator, above: Plane, amount: float
) -> tuple[Plane, Picture]:
    """How much of each pixel is under snow, 0..1, and that snow, lit like what it lies on.

    Open ground and leaves hold it, level edges that are lighter above than below are ledges, and what
    stands out lightly from its surroundings holds a little more. Without a sky there is less of it.
    """
    height, width = picture.shape[:2]
    scale = scale_of(picture)
    plain = luminance(picture)
    relief = plain - blur(plain, 14 * scale)
    spread = max(0.04, float(relief[::4, ::4].std()))
    fine = blur(plain, 1.1 * scale)
    down = cv2.Sobel(fine, cv2.CV_32F, 0, 1, ksize=3)
    ledges = clip((-down - np.abs(cv2.Sobel(fine, cv2.CV_32F, 1, 0, ksize=3))) * 4 - 0.1)
    rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    ground = clip((rows - np.float32(0.4)) * np.float32(1.8))
    outside = 1.0 if above.any() else 0.45
    drifts = clouds(height, width, rng, octaves=5, cells=6) - np.float32(0.5)
    holds = ground * np.float32(0.5 * outside) + leaves_of(picture) * np.float32(0.34)
    holds = holds + drifts * np.float32(0.4) + blur(ledges, 0.7 * scale) * np.float32(0.9)
    holds = holds + np.clip(relief * np.float32(0.4 / spread), -1, 1) * np.float32(0.24)
    # Water takes no snow: what is bluer than red keeps its colour.
    holds = holds - clip((picture[..., 2] - picture[..., 0] - np.float32(0.08)) * 3)
    bare = 0.66 - 0.36 * amount + 0.1 * (1 - outside)
    lying = clip((holds - np.float32(bare)) * np.float32(1.7)) * (1 - above) * spared(picture)
    lying = lying * lying * (3 - 2 * lying)
    shade = clip(np.float32(0.66) + relief * np.float32(1.6) + plain * np.float32(0.2))[..., None]
    blue, white = colour(0.55, 0.65, 0.8), colour(0.98, 0.985, 1.0)
    return lying * np.float32(0.94), floats(blue + (white - blue) * shade)


def spared(picture: Picture) -> Plane:
    """1, and little on faces: nobody stands so still."""
    grey = float(np.ptp(picture[::8, ::8], 2).mean()) < 0.03
    return np.ones(picture.shape[:2], np.float32) if grey else unlit(picture)


def autumn(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Green leaves turn yellow, orange and red, tree by tree; the light turns warm; a few leaves fall."""
    height, width = picture.shape[:2]
    past = beyond(amount)
    plain = luminance(picture)
    above = sky(picture)
    leaves = blur(leaves_of(picture), 1.2 * scale_of(picture)) * (1 - above)
    where = clouds(height, width, rng, octaves=4, cells=7)[..., None]
    yellow, rust = colour(1.5, 1.0 - 0.08 * past, 0.2), colour(1.65, 0.5 - 0.06 * past, 0.14)
    hue = yellow + (rust - yellow) * clip((where - np.float32(0.3 - 0.2 * past)) * 2)
    # Grass is smoother than foliage, and fades to straw.
    scale = scale_of(picture)
    rough = blur(np.abs(plain - blur(plain, 2 * scale)), 7 * scale)
    grass = clip(1.6 - rough * np.float32(55))[..., None]
    hue = hue + (colour(1.3, 1.08, 0.5) - hue) * grass * np.float32(0.85)
    turned = clip((plain[..., None] * np.float32(1.12) + np.float32(0.02)) * hue)
    made = picture + (turned - picture) * leaves[..., None]
    # Low sun on the ground; the clear sky of October stays blue.
    low = (1 - above * np.float32(0.7))[..., None]
    made = clip(made * (1 + (colour(1.03, 0.96, 0.84) - 1) * low))
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
