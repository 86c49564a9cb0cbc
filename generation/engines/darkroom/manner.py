"""The manner of another image: the picture laid again from small patches of it.

Patches are found with a coarse-to-fine nearest-neighbour field (Barnes and others 2009, PatchMatch)
and put together by vote, in turns with the picture's own forms (Elad and
Milanfar 2017, Style Transfer via Texture Synthesis). No network is involved.
"""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.colours import recoloured
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    floats,
    luminance,
    mix,
    resized,
)

#: Longer sides at which patches are searched, coarse to fine, and rounds of search at each.
SIDES, ROUNDS = (64, 128, 256), (6, 4, 3)
#: Side of a patch in pixels of its level.
PATCH = 5
#: A patch that continues its neighbour's may be so much worse; one found by chance must be better.
#: Without them calm places would repeat one patch like a weave.
COHERENCE, FOUND = 0.65, 1.25

Field = NDArray[np.int32]


def manner(
    picture: Picture,
    rng: Generator,
    *,
    amount: float,
    others: Sequence[Picture],
    show: Callable[[Picture], None],
) -> Picture:
    """The picture made of patches of the first of the others; `show` sees it become finer."""
    other = others[0]
    own = recoloured(picture, other)
    field, made = None, own
    for side, rounds in zip(SIDES, ROUNDS, strict=True):
        content, style = at_side(own, side), at_side(other, side)
        guide = content if field is None else resized(made, content.shape[1], content.shape[0])
        field = fitted_field(field, content.shape, style.shape, rng)
        firm = firmness(content, amount)
        # Calm places may follow their neighbours; eyes and mouths may not.
        loose = COHERENCE + (1 - COHERENCE) * clip((firm - float(firm.min())) * 9)
        for _ in range(2):
            field = searched(field, guide, style, loose, rng, rounds)
            made = voted(field, style)
            show(made)
            guide = mix(made, content, firm)
    assert field is not None
    made = enlarged(field, picture.shape, other)
    show(made)
    return mix(picture, kept_forms(made, own), amount * 2.5)


def at_side(picture: Picture, side: int) -> Picture:
    """The picture with this longer side, at least a patch high and wide."""
    height, width = picture.shape[:2]
    factor = side / max(height, width)
    return clip(
        resized(
            picture, max(PATCH + 3, round(width * factor)), max(PATCH + 3, round(height * factor))
        )
    )


def firmness(content: Picture, amount: float) -> Plane:
    """How much the picture's own forms hold against the patches: most at its edges."""
    plain = luminance(content)
    slope = np.hypot(cv2.Sobel(plain, cv2.CV_32F, 1, 0), cv2.Sobel(plain, cv2.CV_32F, 0, 1))
    return clip(np.float32(0.22) + blur(floats(slope), 1.5) * np.float32(0.9)) * np.float32(
        min(1.0, 1 / max(0.5, amount))
    )


def described(picture: Picture) -> NDArray[np.float32]:
    """Numbers (h, w, 11) of the patch around each pixel: cosines of light, means of two colours.

    The first coefficients of a discrete cosine transform are what principal components come to for
    natural pictures, and need no solver.
    """
    plain = luminance(picture)
    places = (np.arange(PATCH) + 0.5) * np.pi / PATCH
    waves = [floats(np.cos(each * places)) for each in range(3)]
    waves = [wave / np.float32(np.linalg.norm(wave)) for wave in waves]
    light = [
        cv2.sepFilter2D(plain, cv2.CV_32F, across, down, borderType=cv2.BORDER_REFLECT)
        for across in waves
        for down in waves
    ]
    hues = picture[..., ::2] - plain[..., None]
    means = cv2.blur(hues, (PATCH, PATCH), borderType=cv2.BORDER_REFLECT) * np.float32(PATCH)
    return floats(np.dstack([*light, means]))


def fitted_field(
    field: Field | None, shape: tuple[int, ...], style: tuple[int, ...], rng: Generator
) -> Field:
    """A field (2, h, w) of rows and columns in the style: by chance, or a coarser one enlarged."""
    limits = np.array([style[0], style[1]], np.int32)[:, None, None]
    if field is None:
        return np.asarray(rng.integers(0, limits, (2, *shape[:2])), np.int32)
    rows = np.arange(shape[0]) * field.shape[1] // shape[0]
    columns = np.arange(shape[1]) * field.shape[2] // shape[1]
    coarse = field[:, rows][:, :, columns] * 2
    within = np.stack(np.meshgrid(np.arange(shape[0]) % 2, np.arange(shape[1]) % 2, indexing="ij"))
    return np.asarray(np.minimum(coarse + within, limits - 1), np.int32)


def searched(
    field: Field, guide: Picture, style: Picture, loose: Plane, rng: Generator, rounds: int
) -> Field:
    """The field after rounds of asking the neighbours and of looking around by chance."""
    wanted = described(guide)
    height, width = style.shape[:2]
    flat = described(style).reshape(height * width, -1)
    cost = distance(field, wanted, flat, width)
    for turn in range(rounds):
        for down, across in ((1, 0), (-1, 0), (0, 1), (0, -1)):
            reach = 1 if turn % 2 == 0 else 3
            moved = np.roll(field, (down * reach, across * reach), (1, 2))
            moved = moved + np.array([down, across], np.int32)[:, None, None] * reach
            better(field, cost, moved, wanted, flat, (height, width), loose)
        radius = max(height, width) / 2
        while radius >= 1:
            jump = rng.integers(-round(radius), round(radius) + 1, field.shape, np.int32)
            better(field, cost, field + jump, wanted, flat, (height, width), FOUND)
            radius /= 4
    return field


def distance(
    field: Field, wanted: NDArray[np.float32], flat: NDArray[np.float32], width: int
) -> Plane:
    """Squared distance between what is wanted at each pixel and what the field offers there."""
    gap = flat[field[0] * width + field[1]] - wanted
    return floats(np.einsum("ijk,ijk->ij", gap, gap))


def better(
    field: Field,
    cost: Plane,
    moved: Field,
    wanted: NDArray[np.float32],
    flat: NDArray[np.float32],
    size: tuple[int, int],
    favour: Any,
) -> None:
    """Take another field where it is nearer, in place; neighbours are favoured for coherence."""
    height, width = size
    kept = np.stack([moved[0].clip(0, height - 1), moved[1].clip(0, width - 1)])
    there = distance(kept, wanted, flat, width)
    wins = (there * np.asarray(favour, np.float32) < cost) & (kept == moved).all(0)
    field[:, wins] = moved[:, wins]
    cost[wins] = there[wins]


def voted(field: Field, style: Picture) -> Picture:
    """The mean of all patches that cover a pixel."""
    height, width = field.shape[1:]
    total = np.zeros((height, width, 3), np.float32)
    rows, columns = field.astype(np.float32)
    half = PATCH // 2
    for down in range(-half, half + 1):
        for across in range(-half, half + 1):
            total += fetched(style, rows, columns, down, across)
    return floats(total / PATCH**2)


def fetched(style: Picture, rows: Plane, columns: Plane, down: int, across: int) -> Picture:
    """For each pixel what the patch of the neighbour (down, across) away says of it."""
    ys = np.roll(rows, (-down, -across), (0, 1)) - np.float32(down)
    xs = np.roll(columns, (-down, -across), (0, 1)) - np.float32(across)
    return floats(
        cv2.remap(style, floats(xs), floats(ys), cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    )


def enlarged(field: Field, shape: tuple[int, ...], other: Picture) -> Picture:
    """The field at the size of the picture, laid from the other image at its own fineness.

    Each pixel takes from the patches of the four nearest places of the field, by nearness.
    """
    height, width = shape[:2]
    rows, columns = field.shape[1:]
    factor = np.float32(max(height, width) / max(rows, columns))
    style = at_side(other, max(height, width))
    ys, above, down = places(height, rows)
    xs, before, across = places(width, columns)
    total = np.zeros((height, width, 3), np.float32)
    for y, share_y in ((above, 1 - down), (np.minimum(above + 1, rows - 1), down)):
        for x, share_x in ((before, 1 - across), (np.minimum(before + 1, columns - 1), across)):
            at_y = field[0][y][:, x] * factor + (ys - y * factor)[:, None]
            at_x = field[1][y][:, x] * factor + (xs - x * factor)[None]
            laid = cv2.remap(
                style, floats(at_x), floats(at_y), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
            )
            total += laid * (share_y[:, None] * share_x[None])[..., None]
    return total


def places(length: int, count: int) -> tuple[Plane, NDArray[np.int32], Plane]:
    """Pixels of a side, the place of the field before each, and how near the next one is."""
    pixels = np.arange(length, dtype=np.float32)
    exact = np.maximum(0, (pixels + np.float32(0.5)) * np.float32(count / length) - np.float32(0.5))
    before = np.minimum(exact.astype(np.int32), count - 1)
    return pixels, before, floats(exact - before)


def kept_forms(made: Picture, own: Picture) -> Picture:
    """The laid picture with half of the picture's own light, and with its firm edges."""
    reach = max(own.shape) / 120
    plain = luminance(own)
    soft = blur(plain, reach)
    light = soft - blur(luminance(made), reach)
    fine = plain - soft
    return clip(
        made
        + (light * np.float32(0.5) + fine * clip(np.abs(fine) * 7) * np.float32(0.75))[..., None]
    )
