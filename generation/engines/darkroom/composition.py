"""Operations that change the frame. They take a fourth channel along: the mask, when there is one."""

from functools import lru_cache

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    floats,
    from_bytes,
    luminance,
    to_bytes,
)
from generation.engines.darkroom.saliency import subject

#: Width to height of the shapes that people ask for.
SHAPES = {"square": 1.0, "wide": 16 / 9, "tall": 4 / 5}
#: Side of the square copy on which frames are compared.
GRID = 96
#: Of the frames that hold almost as much as the best one, the best composed is taken.
ALMOST = 0.015


def attention(picture: Picture) -> NDArray[np.float32]:
    """What draws the eye, a plane that sums to 1: centre-surround contrast of colour.

    Frequency-tuned saliency (Achanta and others 2009) on a small copy, with edges and a weak
    preference for the middle.
    """
    height, width = picture.shape[:2]
    side = GRID
    small = floats(cv2.resize(picture[..., :3], (side, side), interpolation=cv2.INTER_AREA))
    lab = floats(cv2.cvtColor(blur(small, 1), cv2.COLOR_RGB2LAB))
    stands_out = np.linalg.norm(lab - lab.mean((0, 1)), axis=2)
    grey = luminance(small)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    weight = stands_out / (stands_out.max() + 1e-6) + 0.7 * blur(floats(edges), 2)
    ys, xs = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    weight = floats(weight * np.exp(-(xs * xs + ys * ys) * 0.7)) + np.float32(1e-6)
    return floats(weight / weight.sum())


def subject_on_grid(picture: Picture) -> Plane | None:
    """The subject (GRID, GRID), 0..1; None where nothing stands out."""
    height, width = picture.shape[:2]
    factor = min(1.0, 160 / max(height, width))
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    small = to_bytes(floats(cv2.resize(picture[..., :3], size, interpolation=cv2.INTER_AREA)))
    return known_subject(small.tobytes(), size)


@lru_cache(maxsize=4)
def known_subject(pixels: bytes, size: tuple[int, int]) -> Plane | None:
    """The same; a frame asks for it once for the picture, and again for its mask and its previews."""
    small = from_bytes(np.frombuffer(pixels, np.uint8).reshape(size[1], size[0], 3))
    plane, found = subject(small)
    return floats(cv2.resize(plane, (GRID, GRID), interpolation=cv2.INTER_AREA)) if found else None


def worth_keeping(picture: Picture) -> tuple[Plane, Plane]:
    """What a frame should hold: a plane (GRID, GRID) that sums to 1, and the subject's own part of it.

    The top of a subject counts most, since that is where people and animals have their heads.
    """
    weight = attention(picture)
    own = subject_on_grid(picture)
    if own is None:
        return weight, weight
    rows = np.flatnonzero(own.max(1) > 0.5)
    first, last = (int(rows[0]), int(rows[-1])) if len(rows) else (0, GRID - 1)
    below = np.maximum(0, np.arange(GRID) - first) / max(4, 0.3 * (last - first))
    own = floats(own * (1 + 3 * np.exp(-below))[:, None])
    own = floats(own / own.sum())
    return floats(0.3 * weight + 0.7 * own), own


def best_window(picture: Picture, rows: int, columns: int) -> tuple[int, int]:
    """Top and left, on the grid, of the best frame of this size.

    It cuts nothing off the top of the subject and holds most of what is worth keeping; of those that
    hold about as much, it has the subject in its middle across, and some room above it.
    """
    weight, own = worth_keeping(picture)
    total = np.zeros((GRID + 1, GRID + 1))
    total[1:, 1:] = weight.cumsum(0).cumsum(1)
    sums = total[rows:, columns:] - total[:-rows, columns:]
    sums = sums - total[rows:, :-columns] + total[:-rows, :-columns]
    tops, lefts = np.mgrid[: sums.shape[0], : sums.shape[1]]
    middle = float((own.sum(0) * np.arange(GRID)).sum() / own.sum())
    first = int(np.searchsorted(own.sum(1).cumsum(), 0.003 * own.sum()))
    off = np.abs(lefts + columns / 2 - middle) / columns
    off = off + 0.6 * np.abs(tops + 0.1 * rows - first) / rows
    allowed = tops <= max(0, first - round(0.08 * GRID))
    off[(sums < float(sums[allowed].max()) - ALMOST) | ~allowed] = np.inf
    top, left = np.unravel_index(int(off.argmin()), off.shape)
    return int(top), int(left)


def close_enough(picture: Picture) -> float:
    """How much of each side a frame around the subject needs; 0.72 where nothing stands out."""
    own = subject_on_grid(picture)
    if own is None:
        return 0.72
    spans = [
        np.searchsorted(own.sum(axis).cumsum(), [0.02 * own.sum(), 0.98 * own.sum()])
        for axis in (0, 1)
    ]
    longest = max(float(last - first) for first, last in spans) / GRID
    return float(np.clip(1.2 * longest, 0.6, 0.88))


def crop(picture: Picture, rng: Generator, *, amount: float, shape: str, place: str) -> Picture:
    """The part that draws the eye, or a named part, in its own or another shape."""
    height, width = picture.shape[:2]
    close = close_enough(picture) if place == "subject" else 0.72
    share = 1 - (1 - close) * min(amount, 1.8)
    wide, high = width * share, height * share
    if shape in SHAPES:
        share = 1 - (1 - close) / 2 * min(amount, 1.8)
        wide, high = width * share, height * share
        wide, high = min(wide, high * SHAPES[shape]), min(high, wide / SHAPES[shape])
    columns, rows = max(1, round(wide)), max(1, round(high))
    if place == "centre":
        top, left = (height - rows) // 2, (width - columns) // 2
    else:
        seen = (max(1, round(GRID * rows / height)), max(1, round(GRID * columns / width)))
        row, column = best_window(picture, *seen)
        top = min(height - rows, round(row * height / GRID))
        left = min(width - columns, round(column * width / GRID))
    return np.ascontiguousarray(picture[top : top + rows, left : left + columns])


def flip(picture: Picture, rng: Generator, *, axis: str) -> Picture:
    """Left for right, or top for bottom."""
    return np.ascontiguousarray(picture[::-1] if axis == "vertical" else picture[:, ::-1])


def rotate(picture: Picture, rng: Generator, *, degrees: float) -> Picture:
    """Turned clockwise; oblique angles keep the largest upright frame without empty corners."""
    quarters, rest = divmod(round(degrees * 10) % 3600, 900)
    made = np.ascontiguousarray(np.rot90(picture, -quarters))
    return tilted(made, rest / 10) if rest else made


def tilted(picture: Picture, degrees: float) -> Picture:
    """Turned clockwise by less than a quarter, cut to the largest frame that stays filled."""
    height, width = picture.shape[:2]
    turn = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1)
    made = cv2.warpAffine(picture, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    columns, rows = filled_frame(width, height, np.deg2rad(degrees))
    top, left = (height - rows) // 2, (width - columns) // 2
    return np.ascontiguousarray(made[top : top + rows, left : left + columns], np.float32)


def filled_frame(width: int, height: int, turn: float) -> tuple[int, int]:
    """Width and height of the largest upright frame inside a frame turned by `turn` radians."""
    longer, shorter = max(width, height), min(width, height)
    sine, cosine = abs(np.sin(turn)), abs(np.cos(turn))
    if shorter <= 2 * sine * cosine * longer or abs(sine - cosine) < 1e-9:
        half = shorter / 2
        wide, high = (
            (half / sine, half / cosine) if width >= height else (half / cosine, half / sine)
        )
    else:
        span = cosine * cosine - sine * sine
        wide = (width * cosine - height * sine) / span
        high = (height * cosine - width * sine) / span
    return max(1, min(width, int(wide))), max(1, min(height, int(high)))


def extend(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """More frame on every side, grown from stretched reflections that soften outwards.

    The reflection is stretched to twice its width, so that only what lies close to the edge, and no second
    head, shows in it. It begins as sharp as the picture is and ends as a soft glow of its colours.
    """
    height, width = picture.shape[:2]
    down, across = round(height * 0.16 * amount), round(width * 0.16 * amount)
    if not down and not across:
        return picture
    rows, far_down = unfolded(height, down)
    columns, far_across = unfolded(width, across)
    at_x, at_y = np.meshgrid(columns, rows)
    made = floats(cv2.remap(picture, at_x, at_y, cv2.INTER_LINEAR))
    far = np.hypot(far_down[:, None], far_across[None]) / max(down, across)
    return softened(made, floats(far), down, across)


def unfolded(length: int, more: int) -> tuple[Plane, Plane]:
    """Where each pixel of a side lengthened at both ends comes from, and how far outside it lies."""
    places = np.arange(-more, length + more, dtype=np.float32)
    before, after = np.maximum(0, -places), np.maximum(0, places - (length - 1))
    came = np.where(before > 0, before * 0.5, np.where(after > 0, length - 1 - after * 0.5, places))
    return floats(np.clip(came, 0, length - 1)), floats(before + after)


def softened(made: Picture, far: Plane, down: int, across: int) -> Picture:
    """A lengthened picture, blurred the more the further out: from one blurred copy to the next."""
    widest = max(down, across) * 0.3
    share = clip(far)[..., None] * np.float32(2)
    soft = made
    for step, sigma in enumerate((widest / 6, widest)):
        weight = clip(share - step)
        soft = soft + (blur(made, sigma) - soft) * weight
    inside = (far == 0)[..., None]
    return floats(np.where(inside, made, soft))
