"""Finds the subject of a picture without a trained network: what is unlike the rim, made whole.

Boundary connectivity and saliency optimisation (Zhu, Liang, Wei and Sun 2014, Saliency Optimization
from Robust Background Detection) on superpixels, then GrabCut (Rother, Kolmogorov and Blake 2004).
"""

import cv2
import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

from generation.engines.darkroom.pieces import means, superpixels
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    floats,
    luminance,
    powered,
    to_bytes,
)
from generation.engines.darkroom.sky import refined

#: The search runs on a copy of this longer side, cut into about so many pieces.
SIDE, PIECES = 160, 200
#: Spread of likeness in Lab, of nearness in picture widths, of connection to the rim (Zhu 2014).
ALIKE, NEAR, CONNECTED = 10.0, 0.3, 1.0
#: Weight of roughness beside colour.
ROUGH = 1.0
#: A subject that covers less or more of the picture than this is taken for a mistake.
LEAST, MOST = 0.015, 0.85

Matrix = NDArray[np.float64]


def subject(picture: Picture) -> tuple[Plane, bool]:
    """1 on the subject, 0 elsewhere, soft in between; and whether one stood out.

    Where none does, the middle of the picture stands in.
    """
    height, width = picture.shape[:2]
    factor = min(1.0, SIDE / max(height, width))
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    small = clip(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    face = faces(small)
    # Quieter parts of a subject, such as the coat below a face, come up to the loudest.
    values = np.maximum(powered(salient(small), 0.7), floats(0.7 * face))
    found = cut_along_edges(small, values, face)
    if LEAST < float(found.mean()) < MOST:
        return refined(found, small, picture), True
    return middle(height, width), False


def middle(height: int, width: int) -> Plane:
    """A soft upright oval: where a subject usually is; a little below the centre."""
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None] - np.float32(0.1)
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    far = np.sqrt((xs / np.float32(0.6)) ** 2 + (ys / np.float32(0.85)) ** 2)
    return clip((np.float32(1.15) - far) / np.float32(0.3))


def salient(small: Picture) -> Plane:
    """How likely each pixel of a small picture belongs to its subject, 0..1."""
    rough = superpixels(blur(small, 0.8), PIECES, default_rng(0), 0.25)
    used, where = np.unique(rough, return_inverse=True)
    labels = np.asarray(where.reshape(small.shape[:2]), np.int32)
    lab = floats(cv2.cvtColor(small, cv2.COLOR_RGB2LAB))
    ys, xs = np.mgrid[0 : 1 : small.shape[0] * 1j, 0 : 1 : small.shape[1] * 1j]
    features = floats(np.dstack([lab, ROUGH * roughness(lab[..., 0]), ys, xs]))
    pieces = means(features, labels, np.zeros((len(used), 6), np.float32)).astype(np.float64)
    colours = distances(pieces[:, :4])
    places = distances(pieces[:, 4:])
    touching = neighbours(labels, len(used))
    backdrop = like_the_rim(colours, touching, rim_of(labels, colours))
    stands_out = (colours * np.exp(-(places**2) / (2 * NEAR**2)) * backdrop).sum(1)
    stands_out *= np.exp(-(((pieces[:, 4:] - [0.52, 0.5]) ** 2).sum(1)) / 0.5)
    stands_out = stretched(stands_out)
    values = stretched(agreed(colours, touching, backdrop, stands_out))
    # Rounded, so that the last bits of the solver do not reach the picture.
    return floats(np.round(values * 255)[labels] / 255)


def roughness(light: Plane) -> Plane:
    """How much lightness (0..100) varies around each pixel: what tells cloth from a wall in grey."""
    fine = light - blur(light, 2)
    return floats(np.sqrt(blur(fine * fine, 2)))


def rim_of(labels: NDArray[np.int32], colours: Matrix) -> NDArray[np.bool_]:
    """Pieces along the edges. People stand on the lower edge: there only what is like the sides counts."""
    rim = np.zeros(len(colours), bool)
    rim[np.unique(np.concatenate([labels[0], labels[:, 0], labels[:, -1]]))] = True
    below = np.unique(labels[-1])
    rim[below[colours[below][:, rim].min(1) < ALIKE]] = True
    return rim


def distances(points: Matrix) -> Matrix:
    """Euclidean distances (n, n) of n points."""
    return np.asarray(np.sqrt(((points[:, None] - points[None]) ** 2).sum(-1)))


def neighbours(labels: NDArray[np.int32], count: int) -> NDArray[np.bool_]:
    """Whether two pieces share an edge (n, n)."""
    touching = np.zeros((count, count), bool)
    touching[labels[:, 1:].ravel(), labels[:, :-1].ravel()] = True
    touching[labels[1:].ravel(), labels[:-1].ravel()] = True
    return np.asarray(touching | touching.T)


def like_the_rim(colours: Matrix, touching: NDArray[np.bool_], rim: NDArray[np.bool_]) -> Matrix:
    """0 for pieces that hold together without the picture's rim, 1 for those that run out at it."""
    ways = np.where(touching | np.outer(rim, rim), np.maximum(colours - 3.0, 0), np.inf)
    np.fill_diagonal(ways, 0)
    for over in range(len(ways)):
        ways = np.minimum(ways, ways[:, over : over + 1] + ways[over : over + 1])
    reach = np.exp(-(ways**2) / (2 * ALIKE**2))
    connection = reach[:, rim].sum(1) / np.sqrt(reach.sum(1))
    return np.asarray(1 - np.exp(-(connection**2) / (2 * CONNECTED**2)))


def stretched(values: Matrix) -> Matrix:
    """Numbers moved to 0..1."""
    low, high = float(values.min()), float(values.max())
    return (values - low) / max(high - low, 1e-9)


def agreed(
    colours: Matrix, touching: NDArray[np.bool_], backdrop: Matrix, stands_out: Matrix
) -> Matrix:
    """Values that follow both hints and are alike for neighbours of like colour: least squares."""
    bonds = np.where(touching, np.exp(-(colours**2) / (2 * ALIKE**2)) + 0.1, 0)
    np.fill_diagonal(bonds, 0)
    system = np.diag(bonds.sum(1) + backdrop + stands_out + 1e-6) - bonds
    return np.asarray(np.linalg.solve(system, stands_out))


def faces(small: Picture) -> Plane:
    """1 on upright ovals of the colour of skin with features in them, and on the hair above; else 0."""
    height, width = small.shape[:2]
    _, red, blue = cv2.split(cv2.cvtColor(to_bytes(small), cv2.COLOR_RGB2YCrCb))
    skin = ((red > 136) & (red < 176) & (blue > 84) & (blue < 126)).astype(np.uint8)
    clean = cv2.morphologyEx(skin, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(clean)
    found = np.zeros((height, width), np.uint8)
    light = luminance(small)
    for label in range(1, count):
        left, top, across, down, area = (int(each) for each in stats[label])
        fill, shape, share = area / (across * down), down / across, area / (height * width)
        features = float(light[labels == label].std())
        if 0.5 < fill < 0.92 and 0.9 < shape < 2.1 and 0.015 < share < 0.2 and features > 0.07:
            # Hair reaches about a third of a face above it and a fifth beside it.
            centre = (left + across // 2, top + round(0.38 * down))
            axes = (round(0.68 * across), round(0.78 * down))
            cv2.ellipse(found, centre, axes, 0, 0, 360, 1, -1)
    return floats(found)


def cut_along_edges(small: Picture, values: Plane, face: Plane) -> Plane:
    """The salient area with its border moved to where the colours change; 0 and 1."""
    level = float(np.clip(1.2 * values.mean(), 0.3, 0.5))
    marks = np.full(values.shape, cv2.GC_PR_BGD, np.uint8)
    marks[values > level] = cv2.GC_PR_FGD
    # A wall in the colours of skin must not be taken for a part of the face.
    surely_not = 0.62 * level if face.any() else 0.1
    marks[values < surely_not] = cv2.GC_BGD
    marks[values > max(0.8, 1.3 * level)] = cv2.GC_FGD
    marks[cv2.erode(face, np.ones((3, 3), np.uint8), iterations=max(1, SIDE // 32)) > 0] = (
        cv2.GC_FGD
    )
    if min((marks & 1).sum(), (1 - (marks & 1)).sum()) < 16:
        return floats(marks & 1)
    cv2.setRNGSeed(1)
    models = (np.zeros((1, 65)), np.zeros((1, 65)))
    cv2.grabCut(told_apart(small), marks, (0, 0, 1, 1), *models, 2, cv2.GC_INIT_WITH_MASK)
    return whole(floats(marks & 1))


def told_apart(small: Picture) -> NDArray[np.uint8]:
    """Three channels in which the cut compares pixels: the colours, or for grey pictures light and its
    surroundings and roughness, which one channel of grey cannot tell apart."""
    pixels = to_bytes(small)[..., ::-1].copy()
    if float(np.ptp(pixels.astype(np.int16), 2).mean()) > 12:
        return pixels
    light = luminance(small)
    rough = roughness(light) * np.float32(4)
    return to_bytes(floats(np.dstack([light, blur(light, 3), rough])))


def whole(found: Plane) -> Plane:
    """Without specks and holes."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))
    opened = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_OPEN, kernel)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened)
    areas = stats[1:, cv2.CC_STAT_AREA]
    large = [0, *(1 + np.flatnonzero(areas > 0.12 * areas.max(initial=0)))]
    kept = np.isin(labels, large[1:]).astype(np.uint8)
    closed = cv2.morphologyEx(kept, cv2.MORPH_CLOSE, kernel)
    # What is shut in on all sides, such as a dark jacket in a light coat, belongs to it.
    _, holes, sizes, _ = cv2.connectedComponentsWithStats(1 - closed, connectivity=4)
    inner = sizes[:, cv2.CC_STAT_AREA] < 0.04 * closed.size
    inner[np.concatenate([holes[0], holes[-1], holes[:, 0], holes[:, -1]])] = False
    return floats(closed | (inner[holes] & (closed == 0)))
