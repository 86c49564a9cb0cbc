"""Two pictures in one."""

import numpy as np
from numpy.random import Generator

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
    """Another picture, scaled to cover this frame and cut to it from the middle."""
    own_height, own_width = picture.shape[:2]
    factor = max(width / own_width, height / own_height)
    columns, rows = max(width, round(own_width * factor)), max(height, round(own_height * factor))
    large = resized(picture, columns, rows)
    top, left = (rows - height) // 2, (columns - width) // 2
    return np.ascontiguousarray(large[top : top + height, left : left + width])


def double_exposure(
    picture: Picture, rng: Generator, *, amount: float, second: Picture | None
) -> Picture:
    """The second source printed through the first: light adds up on one sheet of film.

    Shadows of the first frame take the second in; without a second source its own mirror image,
    larger, stands in.
    """
    height, width = picture.shape[:2]
    if second is None:
        top, left = height // 8, width // 8
        part = picture[top : max(top + 1, height - top), left : max(left + 1, width - left)]
        second = part[:, ::-1]
    other = fitted(floats(second), height, width)
    other = curve(blur(other, 0.6 * scale_of(picture)), [(0, 0), (0.3, 0.2), (0.7, 0.75), (1, 1)])
    first = curve(picture, [(0, 0), (0.35, 0.3), (1, 0.94)])
    room = 1 - clip(luminance(first) * 1.15)[..., None]
    made = screen(first, other * (np.float32(0.25) + np.float32(0.75) * room))
    return mix(picture, clip(made), amount)
