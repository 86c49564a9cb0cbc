"""The colours of another image, carried over as one smooth map of colour to colour.

The linear Monge-Kantorovitch map (Pitié and Kokaram 2007) brings mean and spread across, then sliced
transport (Pitié, Kokaram and Dahyot 2007) the rest. Both move a lattice of colours along; the picture
itself is only looked up in it, so that no grain is made.
"""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from generation.engines.darkroom.pixels import Picture, clip, floats, from_bytes, mix, to_bytes

#: Points of the lattice along each axis; samples are taken from a copy of this side.
LATTICE, SAMPLE = 25, 72
ROUNDS, STEP = 12, 0.5
#: How much of the way lightness goes: the picture's own light and shade still counts.
LIGHTNESS = 0.8
#: Spread of a colour is at most multiplied by so much: more would be noise.
STEEPEST = 2.2

Points = NDArray[np.float32]


def colours(
    picture: Picture, rng: Generator, *, amount: float, others: Sequence[Picture]
) -> Picture:
    """The picture in the colours of the first of the others. Shapes (h, w, 3), any sizes."""
    return mix(picture, recoloured(picture, others[0]), amount)


def recoloured(picture: Picture, other: Picture) -> Picture:
    """The picture through the colour map that makes it most like the other."""
    edge = np.linspace(0, 1, LATTICE, dtype=np.float32)
    blue, green, red = np.meshgrid(edge, edge, edge, indexing="ij")
    lattice = np.stack([red.ravel(), green.ravel(), blue.ravel()], 1)
    before = lab_of(lattice)
    own, wanted = samples(picture), samples(other)
    after, grey = moved(before, own, wanted), greyness(own)
    if grey:
        after = floats(after + (toned(before, own, wanted) - after) * grey)
    change = smoothed((after - before).reshape(LATTICE, LATTICE, LATTICE, 3)).reshape(-1, 3)
    change[:, 0] *= LIGHTNESS
    table = rgb_of(floats(before + change))
    lookup = ImageFilter.Color3DLUT(LATTICE, table.ravel().tolist())
    return from_bytes(np.asarray(Image.fromarray(to_bytes(picture)).filter(lookup)))


def lab_of(colours: Points) -> Points:
    """CIE Lab (n, 3) of sRGB colours (n, 3) 0..1."""
    return floats(cv2.cvtColor(colours[None], cv2.COLOR_RGB2LAB)[0])


def rgb_of(colours: Points) -> Points:
    """The way back, clipped to what a screen shows."""
    return clip(cv2.cvtColor(colours[None], cv2.COLOR_LAB2RGB)[0])


def samples(picture: Picture) -> Points:
    """Some thousand colours of a picture, in Lab."""
    small = cv2.resize(picture, (SAMPLE, SAMPLE), interpolation=cv2.INTER_AREA)
    return lab_of(clip(small.reshape(-1, 3)))


def moved(lattice: Points, own: Points, wanted: Points) -> Points:
    """Lattice colours carried along while the own samples are moved onto the wanted ones."""
    matrix, middle = linear_map(own, wanted)
    target = wanted.mean(0)
    own, lattice = (floats((each - middle) @ matrix + target) for each in (own, lattice))
    share, rng = np.linspace(0.01, 0.99, 33), default_rng(0)
    for _ in range(ROUNDS):
        axes = floats(np.linalg.qr(rng.normal(size=(3, 3)))[0])
        for axis in axes.T:
            have, want = np.quantile(own @ axis, share), np.quantile(wanted @ axis, share)
            own = floats(own + pushed(own @ axis, have, want)[:, None] * axis)
            lattice = floats(lattice + pushed(lattice @ axis, have, want)[:, None] * axis)
    return lattice


def greyness(own: Points) -> float:
    """1 for a picture without colours, 0 for one with enough of them to be moved."""
    return float(np.clip(1.5 - own[:, 1:].std(0).max() / 4, 0, 1))


def toned(lattice: Points, own: Points, wanted: Points) -> Points:
    """Each lightness in the colour that the wanted samples have at the same rank of lightness.

    A grey picture has no colours that could be moved: they are handed out by tone.
    """
    order = np.argsort(wanted[:, 0], kind="stable")
    ranks = (np.arange(len(order)) + 0.5) / len(order)
    kernel = np.ones(401) / 401
    means = [
        np.convolve(np.pad(wanted[order, each], 200, mode="edge"), kernel, "valid")
        for each in range(3)
    ]
    share = np.linspace(0, 1, 65)
    rank = np.interp(lattice[:, 0], np.quantile(own[:, 0], share), share)
    return floats(np.stack([np.interp(rank, ranks, each) for each in means], 1))


def pushed(places: Points, have: NDArray[np.float64], want: NDArray[np.float64]) -> Points:
    """How far each place on a line moves towards having the wanted quantiles."""
    return floats(np.interp(places, have, want - have) * STEP)


def linear_map(own: Points, wanted: Points) -> tuple[Points, Points]:
    """Matrix and centre of the linear map between two clouds of colours that moves them least."""
    first, second = spread(own), spread(wanted)
    root = powered_matrix(first, 0.5)
    inverse = powered_matrix(first, -0.5)
    matrix = inverse @ powered_matrix(root @ second @ root, 0.5) @ inverse
    values, vectors = np.linalg.eigh(matrix)
    gains = np.clip(values, 1 / (2 * STEEPEST), STEEPEST)
    return floats(vectors * gains @ vectors.T), floats(own.mean(0))


def spread(points: Points) -> NDArray[np.float64]:
    """Covariance, with a little in every direction so that grey pictures have one too."""
    return np.asarray(np.cov(points.astype(np.float64), rowvar=False) + 4 * np.eye(3))


def powered_matrix(matrix: NDArray[np.float64], exponent: float) -> NDArray[np.float64]:
    """A symmetric positive matrix raised to a power."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors * np.maximum(values, 1e-6) ** exponent @ vectors.T)


def smoothed(change: Points) -> Points:
    """The moves of a lattice (n, n, n, 3), each averaged with its neighbours twice."""
    for _ in range(2):
        for axis in range(3):
            edge = np.concatenate([change.take([0], axis), change, change.take([-1], axis)], axis)
            middle = np.arange(1, LATTICE + 1)
            change = (
                edge.take(middle - 1, axis)
                + 2 * edge.take(middle, axis)
                + edge.take(middle + 1, axis)
            ) / np.float32(4)
    return floats(change)
