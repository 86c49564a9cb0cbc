"""Pictures put together from pieces: glass, stone, paper, facets and pixels."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image

from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    floats,
    from_bytes,
    mix,
    to_bytes,
)
from generation.engines.darkroom.tone import graded

#: The search for superpixels runs on a copy with this longer side.
CELL_SIDE = 288


def superpixels(picture: Picture, count: int, rng: Generator, weight: float) -> NDArray[np.int32]:
    """Labels (h, w) of about `count` compact pieces of like colour, for a small picture.

    SLIC (Achanta and others 2012) on a jittered grid: each pixel looks at the nine seeds around it.
    `weight` is how much distance counts against colour.
    """
    height, width = picture.shape[:2]
    rows = max(1, round(np.sqrt(count * height / width)))
    columns = max(1, round(count / rows))
    lab = floats(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB)) / np.float32(100)
    ys, xs = np.mgrid[0:height, 0:width].astype(np.float32)
    pitch = np.float32(np.sqrt(height * width / (rows * columns)))
    features = np.dstack([lab, ys * np.float32(weight) / pitch, xs * np.float32(weight) / pitch])
    home_row = np.minimum((ys * rows / height).astype(np.int32), rows - 1)
    home_column = np.minimum((xs * columns / width).astype(np.int32), columns - 1)
    centres = seeds(features, rows, columns, rng)
    labels = np.asarray(home_row * columns + home_column, np.int32)
    for _ in range(4):
        labels = nearest_of_nine(features, centres, home_row, home_column, rows, columns)
        centres = means(features, labels, centres)
    return labels


def seeds(features: Picture, rows: int, columns: int, rng: Generator) -> Picture:
    """One pixel's features for each cell of a grid, away from the cell's middle by chance."""
    height, width = features.shape[:2]
    ys = (np.arange(rows)[:, None] + rng.uniform(0.2, 0.8, (rows, columns))) * height / rows
    xs = (np.arange(columns)[None, :] + rng.uniform(0.2, 0.8, (rows, columns))) * width / columns
    at = ys.astype(np.int32).clip(0, height - 1), xs.astype(np.int32).clip(0, width - 1)
    return floats(features[at].reshape(rows * columns, -1))


def nearest_of_nine(
    features: Picture,
    centres: Picture,
    home_row: NDArray[np.int32],
    home_column: NDArray[np.int32],
    rows: int,
    columns: int,
) -> NDArray[np.int32]:
    """For each pixel the nearest centre among those of its own and the eight cells around."""
    best = np.full(home_row.shape, np.inf, np.float32)
    labels = np.zeros(home_row.shape, np.int32)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            row = (home_row + down).clip(0, rows - 1)
            label = row * columns + (home_column + across).clip(0, columns - 1)
            gap = features - centres[label]
            far = np.einsum("ijk,ijk->ij", gap, gap)
            nearer = far < best
            best[nearer], labels[nearer] = far[nearer], label[nearer]
    return labels


def means(features: Picture, labels: NDArray[np.int32], before: Picture) -> Picture:
    """Mean features of each piece; an empty one keeps its old centre."""
    flat = labels.ravel()
    counts = np.bincount(flat, minlength=len(before))
    sums = [
        np.bincount(flat, features[..., each].ravel(), len(before))
        for each in range(features.shape[2])
    ]
    made = np.stack(sums, 1) / np.maximum(counts, 1)[:, None]
    return floats(np.where(counts[:, None] > 0, made, before))


def borders(labels: NDArray[np.int32]) -> Plane:
    """1 where a piece meets another."""
    edge = np.zeros(labels.shape, np.float32)
    edge[:, 1:] = labels[:, 1:] != labels[:, :-1]
    edge[1:] = np.maximum(edge[1:], labels[1:] != labels[:-1])
    return edge


def cut_out(
    outline: NDArray[np.float64], width: int, height: int, margin: int
) -> tuple[slice, slice, Plane] | None:
    """Rows, columns and soft mask of a polygon with a margin; None when it is not in the frame."""
    left, top = np.floor(outline.min(0)).astype(int) - margin
    right, bottom = np.ceil(outline.max(0)).astype(int) + margin
    left, top, right, bottom = max(0, left), max(0, top), min(width, right), min(height, bottom)
    if right - left < 3 or bottom - top < 3:
        return None
    mask = np.zeros((bottom - top, right - left), np.uint8)
    fixed = np.round((outline - [left, top]) * 16).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, 4)
    return slice(top, bottom), slice(left, right), from_bytes(mask)


def scrap_turn(
    mask: Plane, degrees: float, zoom: float, shift: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The affine matrix that turns a scrap about its middle."""
    height, width = mask.shape
    matrix = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, zoom), np.float64)
    matrix[:, 2] += shift
    return matrix


def pixel_art(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Large pixels in a palette of 24 colours by median cut (Heckbert 1982), lightly dithered."""
    height, width = picture.shape[:2]
    across = round(150 - 50 * amount)
    factor = min(1.0, across / max(height, width))
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    crisp = picture + (picture - blur(picture, 0.5 / factor)) * np.float32(0.8)
    small = floats(cv2.resize(crisp, size, interpolation=cv2.INTER_AREA))
    grid = np.array([[0, 2], [3, 1]], np.float32)[
        np.arange(size[1])[:, None] % 2, np.arange(size[0]) % 2
    ]
    small = (
        graded(clip(small), saturation=0.3, contrast=0.14)
        + ((grid - 1.5) * np.float32(0.014))[..., None]
    )
    image = Image.fromarray(to_bytes(clip(small)))
    flat = image.quantize(24, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).convert(
        "RGB"
    )
    large = cv2.resize(np.asarray(flat), (width, height), interpolation=cv2.INTER_NEAREST)
    return mix(picture, from_bytes(large), amount * 2)
