"""Two pictures in one."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.composition import GRID, best_window
from generation.engines.darkroom.pixels import (
    Picture,
    blur,
    clip,
    curve,
    floats,
    luminance,
    mix,
    resized,
    scale_of,
    screen,
)


def fitted(picture: Picture, height: int, width: int) -> Picture:
    """Another picture, scaled to cover this frame and cut to it around its own subject."""
    own_height, own_width = picture.shape[:2]
    factor = max(width / own_width, height / own_height)
    columns, rows = max(width, round(own_width * factor)), max(height, round(own_height * factor))
    large = resized(picture, columns, rows)
    seen = (max(1, round(GRID * height / rows)), max(1, round(GRID * width / columns)))
    row, column = best_window(picture, *seen)
    top = min(rows - height, round(row * rows / GRID))
    left = min(columns - width, round(column * columns / GRID))
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def double_exposure(
    picture: Picture, rng: Generator, *, amount: float, others: Sequence[Picture]
) -> Picture:
    """Further sources printed through the first: light adds up on one sheet of film.

    Shadows of each frame take the next one in; without a further source the picture's own mirror
    image, larger, stands in.
    """
    height, width = picture.shape[:2]
    made = curve(picture, [(0, 0), (0.35, 0.3), (1, 0.94)])
    for second in others or (enlarged_mirror(picture),):
        other = fitted(floats(second), height, width)
        other = curve(
            blur(other, 0.6 * scale_of(picture)), [(0, 0), (0.3, 0.2), (0.7, 0.75), (1, 1)]
        )
        room = 1 - clip(luminance(made) * 1.15)[..., None]
        made = clip(screen(made, other * (np.float32(0.25) + np.float32(0.75) * room)))
    return mix(picture, made, amount)


def enlarged_mirror(picture: Picture) -> Picture:
    """The middle three quarters, left for right."""
    height, width = picture.shape[:2]
    top, left = height // 8, width // 8
    part = picture[top : max(top + 1, height - top), left : max(left + 1, width - left)]
    return floats(part[:, ::-1])
