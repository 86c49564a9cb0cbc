"""Analytic cubism: the motif taken apart into planes, each seen from a little elsewhere."""

import heapq

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.drawing import constant_flow, contours
from generation.engines.darkroom.flow import combed
from generation.engines.darkroom.painting import small_of
from generation.engines.darkroom.pieces import cut_out, scrap_turn
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    floats,
    luminance,
    mix,
    noise,
    saturated,
    scale_of,
    to_bytes,
)
from generation.engines.darkroom.strokes import Show
from generation.engines.darkroom.tone import exposed
from generation.engines.darkroom.water import half_kuwahara

Polygon = NDArray[np.float64]
#: Umber, brown, ochre, stone and cream: the palette of Braque and Picasso from 1909 to 1912.
EARTHS = np.array(
    [[28, 23, 21], [84, 63, 46], [148, 116, 76], [189, 170, 133], [236, 224, 196]], np.float32
) / np.float32(255)
#: Share of its own colour that the motif keeps.
OWN = 0.4
#: Planes cut, planes laid over them, and planes between two looks.
PLANES, LOOSE, SEEN = 130, 26, 18


def cubist(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Planes cut by straight lines, small on the motif; each shifted, turned and shaded across."""
    height, width = picture.shape[:2]
    scale = max(0.4, scale_of(picture))
    drawn = contours(blur(luminance(picture), 1.0 * scale), 2.4 * scale, 9, 0.43)[..., None]
    ground = earthen(half_kuwahara(picture, 5 * scale))
    ground *= np.float32(0.4) + np.float32(0.6) * drawn
    lean = rng.uniform(0, np.pi)
    planes = shards(width, height, interest(picture), lean, rng)
    made = ground.copy()
    show(small_of(to_bytes(made)))
    for count, index in enumerate(rng.permutation(len(planes))):
        facet(made, ground, planes[index], 1.0, amount, rng)
        if count % SEEN == SEEN - 1:
            show(small_of(to_bytes(made)))
    for index in rng.permutation(len(planes))[:LOOSE]:
        facet(made, ground, spread(planes[index], rng), 0.55, amount, rng)
    made *= (1 - np.float32(0.72) * edges(planes, height, width, scale, rng))[..., None]
    return mix(picture, clip(made * (1 + dabs(height, width, lean, scale, rng))), amount * 4)


def dabs(height: int, width: int, lean: float, scale: float, rng: Generator) -> Picture:
    """Short touches of a small flat brush, all one way, as a factor about 0; shape (h, w, 1)."""
    way = constant_flow(height, width, np.rad2deg(lean))
    touches = combed(blur(noise(height, width, rng), 1.3 * scale), way, 4)
    even = np.clip(touches / (float(touches.std()) + 1e-6), -1.6, 1.6)
    return floats(even[..., None] * np.float32(0.05))


def earthen(picture: Picture) -> Picture:
    """The picture in earth colours by its lightness, with a share of its own colour."""
    even = exposed(picture, 0.52, 0.65)
    plain = luminance(even)
    low, high = np.quantile(plain[::4, ::4], (0.02, 0.98))
    tone = clip((plain - low) / max(0.15, high - low))
    steps = np.linspace(0, 1, len(EARTHS))
    earth = np.stack([np.interp(tone, steps, EARTHS[:, each]) for each in range(3)], -1)
    own = saturated(even, 0.8) - plain[..., None]
    return clip(floats(earth) + own * np.float32(OWN))


def interest(picture: Picture) -> Plane:
    """A small plane (h, w): high where the picture is busy and towards its middle."""
    height, width = picture.shape[:2]
    size = (max(4, round(48 * min(1, width / height))), max(4, round(48 * min(1, height / width))))
    plain = luminance(picture)
    busy = np.abs(plain - blur(plain, 12 * max(0.4, scale_of(picture))))
    small = blur(floats(cv2.resize(busy, size, interpolation=cv2.INTER_AREA)), 1.5)
    ys = np.linspace(-1, 1, size[1])[:, None]
    xs = np.linspace(-1, 1, size[0])[None, :]
    middle = np.exp(-1.1 * (xs**2 + ys**2))
    return floats((0.12 + small / max(0.01, float(small.max()))) * (0.35 + middle))


def shards(width: int, height: int, wanted: Plane, lean: float, rng: Generator) -> list[Polygon]:
    """The frame cut by straight lines into convex polygons (n, 2), again and again where wanted.

    Lines keep to a few directions, so that they seem to run on through the whole picture.
    """
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
    heap: list[tuple[float, int, Polygon]] = [(-1.0, 0, frame)]
    done: list[Polygon] = []
    for number in range(1, PLANES):
        if not heap:
            break
        _, _, polygon = heapq.heappop(heap)
        turn = lean + rng.choice([0, 0.36, 0.62, 0.82], p=[0.35, 0.25, 0.2, 0.2]) * np.pi
        for half in halves(polygon, turn + rng.normal(0, 0.12), rng):
            area = abs(float(cv2.contourArea(half.astype(np.float32))))
            if area < 48:
                done.append(half)
                continue
            x, y = half.mean(0) / [width, height]
            rows, columns = wanted.shape
            row, column = min(rows - 1, int(y * rows)), min(columns - 1, int(x * columns))
            weight = area * float(wanted[row, column])
            heapq.heappush(heap, (-weight, 2 * number + len(done) + len(heap), half))
    return done + [polygon for _, _, polygon in sorted(heap, key=lambda each: each[:2])]


def halves(polygon: Polygon, angle: float, rng: Generator) -> list[Polygon]:
    """A convex polygon cut by a line at this angle, near its middle; one part when it misses."""
    away = np.array([-np.sin(angle), np.cos(angle)])
    share = rng.dirichlet(np.full(len(polygon), 3.0))
    side = (polygon - share @ polygon) @ away
    parts: tuple[list[Polygon], list[Polygon]] = ([], [])
    for at in range(len(polygon)):
        after = (at + 1) % len(polygon)
        parts[int(side[at] > 0)].append(polygon[at])
        if side[at] * side[after] < 0:
            crossing = side[at] / (side[at] - side[after])
            point = polygon[at] + (polygon[after] - polygon[at]) * crossing
            parts[0].append(point)
            parts[1].append(point)
    return [np.array(part) for part in parts if len(part) > 2]


def spread(polygon: Polygon, rng: Generator) -> Polygon:
    """A plane enlarged and moved off its place, to lie over its neighbours."""
    middle = polygon.mean(0)
    reach = np.sqrt(abs(float(cv2.contourArea(polygon.astype(np.float32)))))
    wider = middle + (polygon - middle) * rng.uniform(1.1, 1.6)
    return np.asarray(wider + rng.normal(0, 0.25 * reach, 2), np.float64)


def facet(
    made: Picture,
    ground: Picture,
    polygon: Polygon,
    opacity: float,
    amount: float,
    rng: Generator,
) -> None:
    """Lay one plane over the picture, in place: seen from elsewhere, shaded away from one edge."""
    height, width = made.shape[:2]
    turn, zoom = rng.normal(0, 11 * amount), rng.uniform(0.86, 1.3)
    reach = np.sqrt(abs(float(cv2.contourArea(polygon.astype(np.float32)))))
    shift = rng.normal(0, 0.17 * reach * amount, 2)
    at = int(rng.integers(len(polygon)))
    along = polygon[(at + 1) % len(polygon)] - polygon[at]
    tint, depth = rng.normal(0, 0.05), rng.uniform(0.25, 0.62) * (1 if rng.random() < 0.7 else -1)
    stuck = cut_out(polygon, width, height, 1)
    if stuck is None:
        return
    rows, columns, mask = stuck
    size = (mask.shape[1], mask.shape[0])
    matrix = scrap_turn(mask, turn, zoom, shift)
    piece = cv2.warpAffine(
        ground[rows, columns], matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    # A plane is simpler than what it stands for.
    plain = piece.mean((0, 1))
    piece = plain + (piece - plain) * np.float32(0.72)
    xs = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] - polygon[at, 0]
    ys = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] - polygon[at, 1]
    across = np.abs(xs * along[1] - ys * along[0]) / max(1e-6, float(np.hypot(*along)))
    # Dark along the edge it is folded at, light where it comes forward.
    slope = across / max(1e-6, float((across * (mask > 0)).max())) - 0.5
    shaded = piece * (1 + depth * slope + tint)[..., None].astype(np.float32)
    place = made[rows, columns]
    if opacity < 1:
        # A loose plane dissolves towards its far side: passage.
        mask = mask * np.clip(1.1 - 0.9 * (slope + 0.5), 0, 1).astype(np.float32)
    place += (shaded - place) * (mask * np.float32(opacity))[..., None]


def edges(planes: list[Polygon], height: int, width: int, scale: float, rng: Generator) -> Plane:
    """Drawn edges, 0..1, of uneven weight; about a third are left open."""
    lines = np.zeros((height, width), np.uint8)
    for polygon in planes:
        for at in range(len(polygon)):
            weight = rng.random()
            if weight < 0.36:
                continue
            ends = np.stack([polygon[at], polygon[(at + 1) % len(polygon)]])
            fixed = (ends * 16).astype(np.int32)
            thick = max(1, round(3.0 * scale * (weight - 0.2)))
            cv2.polylines(lines, [fixed], False, int(255 * weight), thick, cv2.LINE_AA, 4)
    return blur(floats(lines) / np.float32(255), 0.6 * scale)
