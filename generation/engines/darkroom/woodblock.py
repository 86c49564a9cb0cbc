"""Colour woodblock prints of the floating world: few blocks of pigment, a key block, bokashi."""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.drawing import contours, paper, without_specks
from generation.engines.darkroom.flow import combed, edge_flow
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    clouds,
    floats,
    from_bytes,
    luminance,
    mix,
    noise,
    ramp,
    resized,
    saturated,
    scale_of,
    to_bytes,
)
from generation.engines.darkroom.printing import flattened
from generation.engines.darkroom.sky import sky
from generation.engines.darkroom.tone import exposed

#: Sumi, indigo, Prussian blue, sky blue, pale blue, safflower red, pink, vermilion, yellow, ochre,
#: green, pale green, brown, warm grey, skin and bare paper, as old prints show them.
PIGMENTS = [
    "#23222a",
    "#1c2d4f",
    "#2b5b93",
    "#7fabbf",
    "#bccfce",
    "#c4513f",
    "#e2aa92",
    "#d97b3d",
    "#e5c069",
    "#c59c66",
    "#5f7f54",
    "#b0bb86",
    "#6b4a38",
    "#9c968a",
    "#eed0a8",
    "#f4ebd2",
]
#: A picture without colour is printed in blues alone, as aizuri-e are.
BLUES = ["#1b2846", "#35557f", "#7b98ac", "#b9c8c6", "#f4ebd2"]
BLOCKS = 10
DEEP, HORIZON = np.array([0.1, 0.26, 0.47], np.float32), np.array([0.95, 0.8, 0.66], np.float32)
KEY = np.array([0.11, 0.12, 0.17], np.float32)


def ukiyo_e(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Flat areas in pigments of the time, sky graded by the wiped block, drawn key lines, grain."""
    height, width = picture.shape[:2]
    scale = max(0.5, scale_of(picture) * (0.6 + 0.4 * amount))
    made = blocks(exposed(flattened(picture, 3), 0.6, 0.75), rng)
    made = graded_sky(made, sky(picture))
    lines = key_block(picture, scale)[..., None]
    made = made * pressed(height, width, rng, scale)[..., None]
    made = KEY + (made - KEY) * (np.float32(0.08) + np.float32(0.92) * lines)
    return mix(picture, clip(made * paper(height, width, rng, scale)[..., None]), amount * 1.8)


def blocks(flat: Picture, rng: Generator) -> Picture:
    """The picture in as many flat colours as there are blocks, each the nearest pigment's."""
    height, width = flat.shape[:2]
    small = clip(resized(saturated(flat, 1.35), max(2, width // 2), max(2, height // 2)))
    lab = floats(cv2.cvtColor(small, cv2.COLOR_RGB2LAB))
    sample = cv2.resize(lab, (72, 72), interpolation=cv2.INTER_AREA).reshape(-1, 3)
    cv2.setRNGSeed(int(rng.integers(2**31)))
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 14, 0.1)
    _, _, found = cv2.kmeans(
        sample, BLOCKS, np.empty((0,), np.int32), criteria, 2, cv2.KMEANS_PP_CENTERS
    )
    colourless = float(np.hypot(sample[:, 1], sample[:, 2]).mean()) < 7
    inks = printed_as(floats(found), BLUES if colourless else PIGMENTS)
    best = np.full(lab.shape[:2], np.inf, np.float32)
    labels = np.zeros(lab.shape[:2], np.uint8)
    for at, centre in enumerate(floats(found)):
        gap = lab - centre
        far = np.einsum("ijk,ijk->ij", gap, gap)
        nearer = far < best
        best[nearer], labels[nearer] = far[nearer], at
    printed = to_bytes(inks[labels])
    # A cutter leaves no islands smaller than the gouge.
    for side in (3, 7):
        printed = np.asarray(cv2.medianBlur(printed, side), np.uint8)
    return clip(blur(resized(from_bytes(printed), width, height), 0.8))


def printed_as(centres: Picture, tubes: list[str]) -> Picture:
    """The nearest pigment (n, 3) to each colour in Lab, with a fifth of the colour's own."""
    inks = floats([[int(each[at : at + 2], 16) for at in (1, 3, 5)] for each in tubes]) / 255
    lab = cv2.cvtColor(floats(inks)[None], cv2.COLOR_RGB2LAB)[0]
    own = clip(cv2.cvtColor(centres[None], cv2.COLOR_LAB2RGB)[0])
    # Hue matters more than lightness, unless lightness is all there is.
    weight = 1.0 if len(tubes) == len(BLUES) else 0.7
    gap = (centres[:, None] - lab[None]) * np.array([weight, 1.0, 1.0], np.float32)
    nearest = inks[(gap**2).sum(-1).argmin(1)]
    if len(tubes) == len(BLUES):
        return clip(nearest)
    return clip(nearest + (own - nearest) * np.float32(0.2))


def graded_sky(made: Picture, above: Plane) -> Picture:
    """Bokashi: blue wiped thinner from the top down to a warm horizon; without a sky, a top band."""
    height, width = made.shape[:2]
    if float(above.mean()) > 0.03:
        lowest = float(np.flatnonzero((above > 0.5).any(1)).max(initial=1)) / height
        down = ramp(height, width, 0, 1 / max(0.08, lowest))[..., None]
        top = clip(1 - down * 2.6) ** 1.3
        glow = clip(down * 2.4 - 1.3) * np.float32(0.55)
        wiped = made + (HORIZON - made) * glow
        wiped = wiped + (DEEP - wiped) * (top * np.float32(0.92))
        return mix(made, floats(wiped), above)
    band = clip(ramp(height, width, 1.0, -6.0))[..., None] ** 1.3
    return floats(made + (DEEP - made) * band * np.float32(0.75))


def key_block(picture: Picture, scale: float) -> Plane:
    """Lines of the key block, 0 on a line: drawn along the forms, without crumbs."""
    plain = luminance(picture)
    lines = contours(blur(plain, 1.4 * scale), 2.0 * scale, 10, 0.425)
    lines = combed(lines, edge_flow(picture, 6 * scale), 2)
    firm = clip((lines - np.float32(0.35)) * np.float32(2.4))
    # Solid darks belong to a colour block; the key block keeps their outline only.
    return without_specks(firm, 190 * scale * scale)


def pressed(height: int, width: int, rng: Generator, scale: float) -> Plane:
    """How evenly the ink was taken up: the grain of the block, and the marks of the baren."""
    rings = clouds(height, width, rng, octaves=2, cells=2) * np.float32(26)
    grain = np.sin(rings + ramp(height, width, 0, 150 * height / 1024 / scale))
    mottle = blur(noise(height, width, rng), 1.4 * scale)
    return floats(1 + np.float32(0.016) * grain + np.float32(0.035) * mottle)
