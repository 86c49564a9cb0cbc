"""The stroke renderer: layers of curved brush strokes along the edges of a picture, then relief.

Curved strokes of several sizes after Hertzmann (1998), guided by the edge tangent flow (Kang, Lee
and Chui 2007), lit as in fast paint texture (Hertzmann 2002).
"""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.flow import Flow, combed, edge_flow
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    clouds,
    floats,
    from_bytes,
    noise,
    saturated,
    scale_of,
    to_bytes,
)

#: Receives the unfinished picture, small; may raise to stop the work.
Show = Callable[[Picture], None]

#: From blue to orange, and from violet to green, at about one lightness.
WARM, GREEN = np.array([1.0, 0.0, -1.3]), np.array([-0.8, 0.55, -0.8])

#: Looks at the unfinished picture in each layer.
LOOKS = 4


@dataclass(frozen=True, slots=True)
class Brushes:
    """One way of painting. Lengths are pixels of a picture of 1024 x 1024."""

    #: Half the width of the strokes of each layer, coarse to fine.
    radii: tuple[float, ...] = (14, 7, 3)
    #: Steps of 1.1 radii in each stroke, by layer.
    lengths: tuple[int, ...] = (5, 5, 4)
    #: Error of the canvas (sum over the channels) that calls for another stroke.
    threshold: float = 0.045
    #: Standard deviation of a stroke's brightness.
    jitter: float = 0.05
    #: Standard deviation by which a stroke strays to the warm or the cool side: broken colour.
    broken: float = 0.03
    #: Standard deviation, in radians, of a stroke's own deviation from the flow.
    wildness: float = 0.25
    #: Radians that a stroke turns further at each step.
    curl: float = 0.0
    saturation: float = 1.15
    #: Height of the relief.
    impasto: float = 0.55
    #: Starts of strokes per radius of the layer; the fewer, the faster and the bolder.
    density: float = 0.8
    #: 1 follows edges wherever there are any, 0 ignores them.
    follow: float = 1.0
    #: How far around, in pixels, edges are asked for their direction.
    reach: float = 8.0
    #: Half the range, in radians, of the directions on ground without edges; pi is every way.
    drift: float = 0.7


@dataclass(slots=True)
class Easel:
    """A painting under way: 8-bit colour in three channels, height of paint in the fourth."""

    canvas: NDArray[np.uint8]
    flow: Flow
    show: Show

    def look(self) -> None:
        """Let others see the picture as it is, and stop us."""
        height, width = self.canvas.shape[:2]
        factor = max(1, max(height, width) // 256)
        size = (max(1, width // factor), max(1, height // factor))
        small = cv2.resize(self.canvas, size, interpolation=cv2.INTER_AREA)
        self.show(from_bytes(small[..., :3]))


@dataclass(frozen=True, slots=True)
class Strokes:
    """The strokes of one layer, in the order in which they are drawn."""

    #: (strokes, points, 2), pixels with four bits of fraction.
    paths: NDArray[np.int32]
    #: (strokes, 4): red, green, blue and height, 0..255.
    paints: NDArray[np.float64]
    widths: NDArray[np.int32]


def painted(picture: Picture, rng: Generator, brushes: Brushes, show: Show) -> Picture:
    """The picture painted anew with these brushes; `show` sees it grow."""
    scale = scale_of(picture)
    radii = [max(1.2, radius * scale) for radius in brushes.radii]
    palette = clip(saturated(picture, brushes.saturation))
    easel = easel_for(picture, palette, radii[0], rng, brushes, show)
    for layer, (radius, length) in enumerate(zip(radii, brushes.lengths, strict=True)):
        reference = blur(palette, max(0.6 * radius, 0.8))
        starts = where_to_start(easel, reference, radius, rng, brushes, everywhere=layer == 0)
        draw(easel, strokes_from(starts, easel, reference, radius, length, rng, brushes))
    return lit(easel, rng, brushes.impasto)


def easel_for(
    picture: Picture,
    palette: Picture,
    widest: float,
    rng: Generator,
    brushes: Brushes,
    show: Show,
) -> Easel:
    """A canvas with a blurred underpainting, and the directions for the brush."""
    height, width = picture.shape[:2]
    ground = to_bytes(blur(palette, 1.5 * widest))
    level = np.full((height, width, 1), 128, np.uint8)
    canvas = np.concatenate([ground, level], axis=2)
    flow = led(edge_flow(picture, brushes.reach), drifting(height, width, rng, brushes), brushes)
    return Easel(canvas=canvas, flow=flow, show=show)


def drifting(height: int, width: int, rng: Generator, brushes: Brushes) -> Flow:
    """Directions where a picture has none: they turn slowly about one that the hand prefers."""
    preferred = rng.uniform(-0.9, 0.1)
    swing = clouds(height, width, rng, octaves=2, cells=3) - np.float32(0.5)
    angle = np.float32(preferred) + swing * np.float32(2 * brushes.drift)
    return Flow(floats(np.cos(angle)), floats(np.sin(angle)), floats(np.ones_like(angle)))


def led(flow: Flow, drift: Flow, brushes: Brushes) -> Flow:
    """One field of unit vectors: the edge's direction where there is one, else the drift's.

    Directions have no sign, so the two are mixed as doubled angles.
    """
    trust = np.clip(flow.certainty * np.float32(1.6) - np.float32(0.3), 0, 1)
    trust = trust * np.float32(brushes.follow)
    along = trust * (flow.x**2 - flow.y**2) + (1 - trust) * (drift.x**2 - drift.y**2)
    down = trust * flow.x * flow.y + (1 - trust) * drift.x * drift.y
    angle = np.float32(0.5) * np.arctan2(2 * down, along)
    return Flow(floats(np.cos(angle)), floats(np.sin(angle)), flow.certainty)


def where_to_start(
    easel: Easel,
    reference: Picture,
    radius: float,
    rng: Generator,
    brushes: Brushes,
    *,
    everywhere: bool,
) -> NDArray[np.float32]:
    """Start points (n, 2) as x, y in random order: a jittered grid, thinned where all is well."""
    height, width = reference.shape[:2]
    pitch = max(radius / brushes.density, 2)
    ys, xs = np.mgrid[pitch / 2 : height : pitch, pitch / 2 : width : pitch]
    points = np.stack([xs.ravel(), ys.ravel()], 1) + rng.uniform(
        -pitch / 2, pitch / 2, (xs.size, 2)
    )
    points = np.clip(points, 0, [width - 1, height - 1]).astype(np.float32)
    if not everywhere:
        error = np.abs(reference - from_bytes(easel.canvas[..., :3])).sum(-1)
        side = 2 * round(radius) + 1
        wrong = cv2.boxFilter(error, -1, (side, side))
        columns, rows = points.astype(np.int32).T
        points = points[wrong[rows, columns] > 3 * brushes.threshold]
    return floats(points[rng.permutation(len(points))])


def strokes_from(
    starts: NDArray[np.float32],
    easel: Easel,
    reference: Picture,
    radius: float,
    length: int,
    rng: Generator,
    brushes: Brushes,
) -> Strokes:
    """All strokes of a layer at once: paths, paint and widths."""
    count = len(starts)
    columns, rows = starts.astype(np.int32).T
    colours = reference[rows, columns] * (1 + rng.normal(0, brushes.jitter, (count, 1)))
    colours = colours + rng.normal(0, brushes.broken, (count, 1)) * WARM
    colours = colours + rng.normal(0, 0.5 * brushes.broken, (count, 1)) * GREEN
    heights = rng.integers(90, 190, (count, 1))
    paints = np.concatenate([np.clip(colours, 0, 1) * 255, heights], 1)
    widths = np.maximum(1, radius * rng.uniform(0.7, 1.25, count)).astype(np.int32)
    paths = paths_from(starts, easel, radius * 1.1, length, rng, brushes)
    return Strokes(paths=(paths * 16).astype(np.int32), paints=paints, widths=widths)


def paths_from(
    starts: NDArray[np.float32],
    easel: Easel,
    step: float,
    length: int,
    rng: Generator,
    brushes: Brushes,
) -> NDArray[np.float32]:
    """Paths (n, length + 1, 2): each follows the flow, its own whim and the curl of its look."""
    count = len(starts)
    height, width = easel.flow.x.shape
    whim = rng.normal(0, brushes.wildness, count).astype(np.float32)
    paths = np.empty((count, length + 1, 2), np.float32)
    paths[:, 0] = starts
    before = np.zeros((count, 2), np.float32)
    for index in range(length):
        columns = paths[:, index, 0].astype(np.int32).clip(0, width - 1)
        rows = paths[:, index, 1].astype(np.int32).clip(0, height - 1)
        way = np.stack([easel.flow.x[rows, columns], easel.flow.y[rows, columns]], 1)
        way = turned(way, whim + np.float32(brushes.curl * index))
        # A tangent has no sign: keep the one that goes on, not the one that turns back.
        back = (way * before).sum(1, keepdims=True) < 0
        before = np.where(back, -way, way)
        paths[:, index + 1] = paths[:, index] + before * np.float32(step)
    return paths


def turned(vectors: NDArray[np.float32], angles: NDArray[np.float32]) -> NDArray[np.float32]:
    """Vectors (n, 2) rotated by as many angles in radians."""
    cosine, sine = np.cos(angles), np.sin(angles)
    along = vectors[:, 0] * cosine - vectors[:, 1] * sine
    down = vectors[:, 0] * sine + vectors[:, 1] * cosine
    return np.stack([along, down], 1)


def draw(easel: Easel, strokes: Strokes) -> None:
    """Put the strokes on the canvas; colour and height go in with one anti-aliased line."""
    paints, widths = strokes.paints.tolist(), strokes.widths.tolist()
    paths = strokes.paths[:, None]
    pause = max(1, -(-len(paints) // LOOKS))
    for index, (paint, width) in enumerate(zip(paints, widths, strict=True)):
        if index % pause == pause - 1:
            easel.look()
        cv2.polylines(easel.canvas, paths[index], False, paint, width, cv2.LINE_AA, 4)


def lit(easel: Easel, rng: Generator, impasto: float) -> Picture:
    """The finished painting under a raking light from the upper left.

    Bristles leave furrows along the strokes, both in the height of the paint and in its colour.
    """
    paint = from_bytes(easel.canvas[..., :3])
    height, width = paint.shape[:2]
    bristles = combed(noise(height, width, rng), easel.flow)
    relief = blur(from_bytes(easel.canvas[..., 3]), 1.0) + np.float32(0.1) * bristles
    slope = cv2.Sobel(relief, cv2.CV_32F, 1, 0) + cv2.Sobel(relief, cv2.CV_32F, 0, 1)
    shade: Plane = np.clip(slope * np.float32(0.22 * impasto), -0.2, 0.24)
    streaks = 1 + shade + bristles * np.float32(0.05 * impasto)
    return clip(paint * streaks[..., None] + np.maximum(shade, 0)[..., None] * np.float32(0.1))
