"""Operations that change the frame. They take a fourth channel along: the mask, when there is one."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.pixels import Picture, blur, clip, floats, luminance

#: Width to height of the shapes that people ask for.
SHAPES = {"square": 1.0, "wide": 16 / 9, "tall": 4 / 5}


def attention(picture: Picture) -> NDArray[np.float32]:
    """What draws the eye, a plane that sums to 1: centre-surround contrast of colour.

    Frequency-tuned saliency (Achanta and others 2009) on a small copy, with edges and a weak
    preference for the middle.
    """
    height, width = picture.shape[:2]
    side = 96
    small = floats(cv2.resize(picture[..., :3], (side, side), interpolation=cv2.INTER_AREA))
    lab = floats(cv2.cvtColor(blur(small, 1), cv2.COLOR_RGB2LAB))
    stands_out = np.linalg.norm(lab - lab.mean((0, 1)), axis=2)
    grey = luminance(small)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    weight = stands_out / (stands_out.max() + 1e-6) + 0.7 * blur(floats(edges), 2)
    ys, xs = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    weight = floats(weight * np.exp(-(xs * xs + ys * ys) * 0.7)) + np.float32(1e-6)
    return floats(weight / weight.sum())


def best_window(weight: NDArray[np.float32], rows: int, columns: int) -> tuple[int, int]:
    """Top and left of the window of this size that holds most weight."""
    total = np.zeros((weight.shape[0] + 1, weight.shape[1] + 1))
    total[1:, 1:] = weight.cumsum(0).cumsum(1)
    sums = total[rows:, columns:] - total[:-rows, columns:]
    sums = sums - total[rows:, :-columns] + total[:-rows, :-columns]
    top, left = np.unravel_index(int(sums.argmax()), sums.shape)
    return int(top), int(left)


def crop(picture: Picture, rng: Generator, *, amount: float, shape: str, place: str) -> Picture:
    """The part that draws the eye, or a named part, in its own or another shape."""
    height, width = picture.shape[:2]
    share = 1 - 0.28 * min(amount, 1.8)
    wide, high = width * share, height * share
    if shape in SHAPES:
        share = 1 - 0.14 * min(amount, 1.8)
        wide, high = width * share, height * share
        wide, high = min(wide, high * SHAPES[shape]), min(high, wide / SHAPES[shape])
    columns, rows = max(1, round(wide)), max(1, round(high))
    if place == "centre":
        top, left = (height - rows) // 2, (width - columns) // 2
    else:
        weight = attention(picture)
        grid = weight.shape[0]
        seen = (max(1, round(grid * rows / height)), max(1, round(grid * columns / width)))
        row, column = best_window(weight, *seen)
        top = min(height - rows, round(row * height / grid))
        left = min(width - columns, round(column * width / grid))
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
    """More frame on every side, grown from reflections that soften outwards."""
    height, width = picture.shape[:2]
    down, across = round(height * 0.16 * amount), round(width * 0.16 * amount)
    if not down and not across:
        return picture
    made = floats(cv2.copyMakeBorder(picture, down, down, across, across, cv2.BORDER_REFLECT))
    inside = np.zeros(made.shape[:2], np.float32)
    inside[down : down + height, across : across + width] = 1
    reach = max(2.0, min(height, width) * 0.02)
    near = clip(blur(inside, reach) * 2 - 0.5 * (1 - inside)) ** 0.7
    near = np.maximum(near, inside)[..., None]
    soft = blur(made, reach)
    return floats(soft + (made - soft) * near)
