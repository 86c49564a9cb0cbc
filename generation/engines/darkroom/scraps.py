"""Paper collage: torn coloured paper, newsprint and cut photographs, glued in layers."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.divisionism import detail
from generation.engines.darkroom.flow import Flow, edge_flow
from generation.engines.darkroom.painting import small_of
from generation.engines.darkroom.pieces import cut_out, scrap_turn
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    clouds,
    floats,
    luminance,
    mix,
    noise,
    resized,
    saturated,
    scale_of,
    to_bytes,
)
from generation.engines.darkroom.saliency import faces
from generation.engines.darkroom.strokes import Show
from generation.engines.darkroom.tone import exposed

#: Layers from the bottom: scraps, their length in pixels, and the share cut from photographs where
#: the motif is rich; on calm ground it is a fifth of that.
LAYERS = ((64, 320.0, 0.15), (120, 175.0, 0.5), (170, 92.0, 0.55))
#: Colours of paper in the box; share of scraps from further sources where there are any.
PAPERS, FOREIGN = 14, 0.18
NEWSPRINT, PRINTING_INK = (
    np.array([0.88, 0.85, 0.77], np.float32),
    np.array([0.24, 0.23, 0.23], np.float32),
)


@dataclass(frozen=True, slots=True)
class Table:
    """What lies ready: the motif, further photographs, newsprint, coloured papers (n, 3)."""

    motif: Picture
    #: What the sheet should come to: the motif, and what was cut from further sources where it lies.
    wanted: Picture
    sheets: Sequence[Picture]
    newsprint: Picture
    papers: Picture
    flow: Flow
    #: 1 and more where the motif is rich in detail, 0 where it is calm.
    rich: Plane
    scale: float


def collage(
    picture: Picture, rng: Generator, *, amount: float, others: Sequence[Picture], show: Show
) -> Picture:
    """The picture rebuilt from torn paper, large scraps first, small ones where it is not yet like.

    Photographs are cut from the picture itself; of further sources comes every sixth scrap, and it stays.
    """
    from generation.engines.darkroom.blending import fitted

    height, width = picture.shape[:2]
    scale = max(0.4, scale_of(picture))
    sheets = [clip(fitted(other, height, width)) for other in others]
    table = Table(
        motif=picture,
        wanted=picture.copy(),
        sheets=sheets,
        newsprint=printed(height, width, rng, scale),
        papers=coloured(picture, rng),
        flow=edge_flow(picture, 10 * scale),
        rich=riches(picture, scale, amount),
        scale=scale,
    )
    made = np.empty_like(picture)
    made[:] = np.array([0.9, 0.87, 0.8], np.float32)
    for count, length, photographs in LAYERS:
        reach = length * scale * (0.75 + 0.25 * amount)
        for at, place in enumerate(places(made, table.wanted, count, rng)):
            glue(made, table, outline(place, reach, table.flow, rng), photographs, amount, rng)
            if at % 44 == 43:
                show(small_of(to_bytes(made)))
    fibre = blur(noise(height, width, rng), 0.8 * scale)[..., None] * np.float32(0.016)
    return mix(picture, clip(made + fibre), amount * 5)


def riches(picture: Picture, scale: float, amount: float) -> Plane:
    """1 where photographs belong: on detail and on faces; on more of the sheet for a light touch."""
    height, width = picture.shape[:2]
    factor = min(1.0, 160 / max(height, width))
    small = clip(resized(picture, max(8, round(width * factor)), max(8, round(height * factor))))
    face = cv2.resize(faces(small), (width, height), interpolation=cv2.INTER_LINEAR)
    rich = np.maximum(detail(luminance(picture), 22 * scale), 1.4 * face)
    return floats(rich + np.float32(max(0.0, 1 - amount)))


def places(made: Picture, picture: Picture, count: int, rng: Generator) -> NDArray[np.float64]:
    """Where to glue next (count, 2) as x, y: likeliest where the collage is least like the picture."""
    height, width = picture.shape[:2]
    columns, rows = max(2, min(64, width // 4)), max(2, min(64, height // 4))
    gap = np.abs(
        cv2.resize(made, (columns, rows), interpolation=cv2.INTER_AREA)
        - cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA)
    ).sum(-1)
    chance = (gap + 0.03).ravel() ** 1.5
    at = rng.choice(rows * columns, count, p=chance / chance.sum())
    cells = np.stack([at % columns, at // columns], 1) + rng.random((count, 2))
    return np.asarray(cells * [width / columns, height / rows], np.float64)


def outline(
    place: NDArray[np.float64], reach: float, flow: Flow, rng: Generator
) -> NDArray[np.float64]:
    """A torn scrap (n, 2): four to six corners, longer along the form, with frayed sides."""
    height, width = flow.x.shape
    row, column = min(height - 1, int(place[1])), min(width - 1, int(place[0]))
    corners = int(rng.integers(4, 7))
    turns = np.sort(rng.uniform(-0.3, 0.3, corners) + np.arange(corners)) * 2 * np.pi / corners
    across = rng.uniform(0.42, 0.75)
    ring = np.stack([np.cos(turns), np.sin(turns) * across], 1) * rng.uniform(
        0.75, 1.1, (corners, 1)
    )
    along = np.array([flow.x[row, column], flow.y[row, column]], np.float64)
    ring = ring @ np.array([along, [-along[1], along[0]]]) * reach / 2
    share = np.linspace(0, 1, 12, endpoint=False)[None, :, None]
    dense = (ring[:, None] + (np.roll(ring, -1, 0) - ring)[:, None] * share).reshape(-1, 2)
    return np.asarray(place + dense + rng.normal(0, 0.011 * reach + 0.4, dense.shape), np.float64)


def glue(
    made: Picture,
    table: Table,
    scrap: NDArray[np.float64],
    photographs: float,
    amount: float,
    rng: Generator,
) -> None:
    """Choose a paper for one scrap and glue it down, in place."""
    height, width = made.shape[:2]
    stuck = cut_out(scrap, width, height, round(9 * table.scale) + 1)
    luck, turn, zoom = rng.random(), rng.normal(0, 4.5 * amount), rng.uniform(0.98, 1.1)
    shift = rng.normal(0, 5 * table.scale * amount, 2)
    edge = (rng.normal(0, 2.3 * table.scale, 2) * (rng.random() < 0.7)).round().astype(int)
    light, sheet = np.float32(rng.uniform(0.93, 1.06)), rng.random()
    other, printed_on = rng.random() < FOREIGN, rng.random() < 0.18
    if stuck is None:
        return
    rows, columns, mask = stuck
    rich = float(cv2.mean(table.rich[rows, columns], (mask > 0.5).astype(np.uint8))[0])
    turned = scrap_turn(mask, turn, zoom, shift)
    if other and table.sheets:
        piece = cut(table.sheets[int(sheet * len(table.sheets))], stuck, turned) * light
    elif luck < photographs * (0.2 + 1.2 * rich):
        piece = cut(table.motif, stuck, turned) * light
    else:
        mean = cv2.mean(table.motif[rows, columns], (mask > 0.5).astype(np.uint8))[:3]
        wanted = np.array(mean, np.float32)
        paper = table.papers[((table.papers - wanted) ** 2).sum(1).argmin()] * light
        piece = np.broadcast_to(paper, (*mask.shape, 3))
        if printed_on:
            # Tinted newsprint: as light as its place in the picture.
            lines = cut(table.newsprint, stuck, scrap_turn(mask, turn * 6, 1.0, shift))
            piece = lines * (paper * np.float32(0.65) + np.float32(0.35) * wanted.mean())
    paste(made[rows, columns], floats(piece), mask, edge, table.scale)
    if other and table.sheets:
        # Else later scraps would bury it, for it is not like the motif.
        part = table.wanted[rows, columns]
        part[:] = mix(part, made[rows, columns], mask)


def cut(source: Picture, stuck: tuple[slice, slice, Plane], matrix: NDArray[np.float64]) -> Picture:
    """The part of a sheet that a scrap covers, turned about its middle."""
    rows, columns, mask = stuck
    size = (mask.shape[1], mask.shape[0])
    return floats(
        cv2.warpAffine(source[rows, columns], matrix, size, borderMode=cv2.BORDER_REFLECT)
    )


def paste(
    place: Picture, piece: Picture, mask: Plane, edge: NDArray[np.int_], scale: float
) -> None:
    """Glue one scrap onto its place, in place: a soft shadow, and the white core where it tore."""
    lift = max(1, round(2.5 * scale))
    shadow = blur(moved(mask, lift, lift), 2.6 * scale)[..., None] * np.float32(0.5)
    place *= 1 - shadow * (1 - mask[..., None])
    printed_side = np.minimum(mask, moved(mask, edge[0], edge[1]))[..., None]
    white = np.float32(0.965)
    paper = white + (piece - white) * printed_side
    place += (paper - place) * mask[..., None]


def moved(mask: Plane, across: float, down: float) -> Plane:
    """A mask moved by some pixels; what lies at the rim of the picture goes on beyond it."""
    matrix = np.array([[1, 0, across], [0, 1, down]], np.float64)
    size = (mask.shape[1], mask.shape[0])
    return floats(cv2.warpAffine(mask, matrix, size, borderMode=cv2.BORDER_REPLICATE))


def coloured(picture: Picture, rng: Generator) -> Picture:
    """The box of coloured papers (PAPERS, 3): the picture's own colours, stronger."""
    sample = cv2.resize(exposed(picture, 0.5, 0.4), (56, 56), interpolation=cv2.INTER_AREA)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 12, 0.005)
    _, _, found = cv2.kmeans(
        sample.reshape(-1, 3),
        PAPERS,
        np.empty((0,), np.int32),
        criteria,
        2,
        cv2.KMEANS_PP_CENTERS,
    )
    return clip(saturated(floats(found)[None], 1.45)[0] * np.float32(0.94) + np.float32(0.03))


def printed(height: int, width: int, rng: Generator, scale: float) -> Picture:
    """A sheet of newsprint: grey lines of words in columns, that cannot be read."""
    lead, letter = max(3, round(7 * scale)), max(1, round(1.4 * scale))
    rows, columns = height // lead + 2, width // letter + 2
    words = blur(noise(rows, columns, rng), 1.2) > -0.12
    column = np.arange(columns) % max(12, round(130 * scale / letter)) > 3
    letters = 0.6 + 0.4 * rng.random((rows, columns))
    line = (words & column[None, :]) * letters
    inked = np.zeros((rows * lead, columns * letter), np.float32)
    tall = max(1, round(lead * 0.5))
    for down in range(tall):
        inked[down::lead] = np.repeat(line, letter, 1)
    inked = blur(inked[:height, :width], 0.6 * scale)
    stain = clouds(height, width, rng, octaves=3, cells=4)[..., None] * np.float32(0.08)
    return floats(NEWSPRINT - stain + (PRINTING_INK - NEWSPRINT) * inked[..., None] * 0.8)
