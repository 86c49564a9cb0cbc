"""Old photographs made whole: scratches, dust, fading, colour cast, noise and contrast."""

from typing import Any

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
    mix,
    scale_of,
    to_bytes,
)

#: More of the picture than this cannot be scratches and dust: it is texture.
MOST_DAMAGE = 0.03
#: A mark must stand out from the paper by so much (0..1), and by so many times the grain.
STANDS_OUT, ABOVE_GRAIN = 0.055, 3.5
#: So many marks within a hundredth of the picture are its pattern, not dust.
MOST_NEAR = 9
#: Slopes (0..1 a pixel) of the ground that a mark can lie alone on.
CALM = 0.012
#: Lines that cover more than this of their surroundings are a pattern.
MOST_LINES = 0.1

Mask = NDArray[np.uint8]


def damage(picture: Picture, grain: float) -> Mask:
    """255 on specks and on light scratches; (height, width).

    Top-hat and black-hat find what is thinner than the kernel. Eyes, masts and lettering are thin too,
    so only what lies alone on calm paper counts. Dark lines are never scratches: they are drawn.
    """
    scale = max(0.5, scale_of(picture))
    grey = blur(luminance(picture), 0.6 * scale)
    side = round(8 * scale) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    found = np.zeros(grey.shape, np.uint8)
    for light in (True, False):
        kind = cv2.MORPH_TOPHAT if light else cv2.MORPH_BLACKHAT
        marks = floats(cv2.morphologyEx(grey, kind, kernel))
        paper = grey - marks if light else grey + marks
        rest = unrest(paper, scale)
        found |= specks(marks, rest, grain, scale)
        if light:
            found |= scratches(marks, rest, scale)
    if float((found > 0).mean()) > MOST_DAMAGE:
        return np.zeros_like(found)
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), np.uint8)


def unrest(paper: Plane, scale: float) -> Plane:
    """How much happens around each place of a picture without its marks: slopes beyond the grain's."""
    smooth = blur(paper, 1.2 * scale)
    slope = np.hypot(cv2.Sobel(smooth, cv2.CV_32F, 1, 0), cv2.Sobel(smooth, cv2.CV_32F, 0, 1)) / 4
    side = round(10 * scale) | 1
    around = cv2.blur(slope, (side, side), borderType=cv2.BORDER_REFLECT)
    return floats(np.maximum(0, around - np.quantile(around[::4, ::4], 0.2)))


def specks(marks: Plane, unrest: Plane, grain: float, scale: float) -> Mask:
    """The marks that are firm and small, and lie on calm ground; each is taken whole."""
    least = STANDS_OUT + ABOVE_GRAIN * grain
    firm = marks > least + 2.2 * unrest
    grown = (marks > 0.55 * least).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(grown, connectivity=8)
    total = np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
    sure = np.bincount(labels[firm], minlength=count) / total
    rest = np.bincount(labels.ravel(), weights=unrest.ravel(), minlength=count) / total
    height = np.bincount(labels.ravel(), weights=marks.ravel(), minlength=count) / total
    longer = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(1)
    kept = (longer <= 4 + 7 * scale) & (total / longer <= 2 + 4 * scale) & (total >= 2)
    # The brighter a speck, the livelier the ground may be that it is told apart from.
    kept &= (sure > 0.25) & (rest < CALM + 0.12 * np.maximum(0, height - 0.08))
    kept[0] = False
    kept &= ~crowded(kept, labels.shape, stats)
    return np.asarray(kept[labels] * np.uint8(255), np.uint8)


def scratches(marks: Plane, unrest: Plane, scale: float) -> Mask:
    """Long thin light lines on calm ground, also faint and broken ones.

    The mean along a short line, in the best of many directions, tells a scratch from grain. Lines that
    are many in one place are drawn there: lattices, rigging, grass.
    """
    height, width = marks.shape
    # A line of one pixel would be lost in half of a small picture.
    step = 2 if scale > 0.75 else 1
    size = (max(1, width // step), max(1, height // step))
    capped = floats(cv2.resize(np.minimum(marks, 0.12), size, interpolation=cv2.INTER_AREA))
    length = max(9, round(34 * scale / step)) | 1
    along = floats(np.max([cv2.filter2D(capped, -1, each) for each in needles(length)], 0))
    # What is usual is asked of the neighbourhood: a sky is judged as sky, a lawn as lawn.
    usual = blur(along, 60 * scale / step)
    spread = blur(np.abs(along - usual), 60 * scale / step)
    calm = cv2.resize(unrest, size, interpolation=cv2.INTER_AREA) < CALM
    lines = calm & (along > usual + np.maximum(0.025, 2.0 * spread)) & (capped > usual)
    sure = along > usual + np.maximum(0.04, 3.4 * spread)
    thin = cv2.morphologyEx(lines.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(thin, connectivity=8)
    total = np.maximum(stats[:, cv2.CC_STAT_AREA], 1)
    longer = np.hypot(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT])
    kept = (longer >= 40 * scale / step) & (total / longer <= 2.5 + 2 * scale / step)
    kept &= np.bincount(labels[sure], minlength=count) / total > 0.3
    kept[0] = False
    found = kept[labels].astype(np.float32)
    side = round(40 * scale) | 1
    found *= cv2.blur(found, (side, side), borderType=cv2.BORDER_REFLECT) < MOST_LINES
    large = cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR) > 0.3
    return np.asarray(large * np.uint8(255), np.uint8)


def needles(length: int) -> list[Plane]:
    """Straight lines (length, length) in twelve directions, each summing to 1."""
    made = []
    for turn in np.arange(12) * np.pi / 12:
        kernel = np.zeros((length, length), np.float32)
        reach = (length - 1) / 2 * np.array([np.cos(turn), np.sin(turn)])
        (x0, y0), (x1, y1) = (
            np.round((length - 1) / 2 + sign * reach).astype(int).tolist() for sign in (-1, 1)
        )
        cv2.line(kernel, (x0, y0), (x1, y1), 1.0)
        made.append(floats(kernel / kernel.sum()))
    return made


def crowded(specks: NDArray[np.bool_], shape: tuple[int, ...], stats: Any) -> NDArray[np.bool_]:
    """Which specks lie so close to others that they are a pattern: dots of a shirt, gravel, stars."""
    height, width = shape
    side = max(8, round(np.sqrt(height * width) / 10))
    counts = np.zeros((-(-height // side), -(-width // side)))
    rows = (stats[:, cv2.CC_STAT_TOP] // side).clip(0, counts.shape[0] - 1)
    columns = (stats[:, cv2.CC_STAT_LEFT] // side).clip(0, counts.shape[1] - 1)
    np.add.at(counts, (rows[specks], columns[specks]), 1)
    return np.asarray(counts[rows, columns] > MOST_NEAR)


def grain_of(band: Plane, scale: float) -> float:
    """Standard deviation of the grain in a band of detail: that of the calmest tenth of the picture.

    Grain is everywhere, forms are not. Nothing below one 8-bit level counts as grain.
    """
    side = round(24 * scale) | 1
    power = cv2.blur(band * band, (side, side), borderType=cv2.BORDER_REFLECT)[::4, ::4]
    return float(np.sqrt(np.quantile(power, 0.1)))


def cored(band: Plane, grain: float) -> Plane:
    """A band of detail with the share of its power that grain explains taken out (Wiener)."""
    power = cv2.blur(band * band, (5, 5), borderType=cv2.BORDER_REFLECT)
    noise = np.float32(1.9 * grain * grain)
    return floats(band * clip((power - noise) / np.maximum(power, 1e-9)))


def quiet(light: Plane, scale: float) -> Plane:
    """Lightness without its grain: fine detail cored, coarse grain by non-local means at half size.

    Non-local means: Buades and others 2005. A clean picture passes unchanged.
    """
    height, width = light.shape
    size = (max(1, width // 2), max(1, height // 2))
    half = floats(cv2.resize(light, size, interpolation=cv2.INTER_AREA))
    fine = light - cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR)
    calm = cored(fine, grain_of(fine, scale))
    level = 255 * grain_of(half - blur(half, 2), scale / 2)
    if level > 0.8:
        kept = cv2.fastNlMeansDenoising(to_bytes(half), None, min(13.0, 1.4 * level), 5, 13)
        half = from_bytes(kept)
    return floats(cv2.resize(half, (width, height), interpolation=cv2.INTER_LINEAR) + calm)


def balanced(picture: Picture) -> Picture:
    """Fading and colour cast undone: each channel stretched between its 0.5 and 99.5 per cent.

    The channels' limits are drawn halfway towards each other, so that an evening stays an evening.
    """
    sample = picture[::4, ::4].reshape(-1, 3)
    low, high = np.quantile(sample, 0.005, axis=0), np.quantile(sample, 0.995, axis=0)
    low, high = (low + low.min()) / 2, (high + high.max()) / 2
    low = low * 0.85
    return clip((picture - floats(low)) / floats(np.maximum(high - low, 0.12)))


def faded(picture: Picture) -> float:
    """1 for a print that has lost half of its tones, 0 for one that has them all."""
    low, high = np.quantile(luminance(picture)[::4, ::4], (0.01, 0.99))
    return float(np.clip(2.2 * (0.92 - (high - low)), 0, 1))


def evened(light: Plane, share: float) -> Plane:
    """Contrast-limited adaptive equalisation of lightness (CLAHE, Zuiderveld 1994), a share of it."""
    made = from_bytes(cv2.createCLAHE(1.5, (6, 6)).apply(to_bytes(light)))
    return floats(light + (made - light) * np.float32(share))


def restore(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Marks painted over from their surroundings, noise calmed, tones and colours brought back."""
    scale = max(0.5, scale_of(picture))
    plain = luminance(picture)
    grain = grain_of(plain - blur(plain, 1.5 * scale), scale)
    marks = damage(picture, grain)
    whole = picture
    if marks.any():
        whole = from_bytes(cv2.inpaint(to_bytes(picture), marks, 3, cv2.INPAINT_TELEA))
    lost = faded(whole)
    lab = floats(cv2.cvtColor(balanced(whole), cv2.COLOR_RGB2LAB))
    light = quiet(floats(lab[..., 0] / np.float32(100)), scale)
    light = evened(light, 0.18 + 0.22 * lost)
    light = light + (light - blur(light, 1.4 * scale)) * np.float32(0.4)
    colour = 1.2 * scale + 60 * grain
    lab = np.dstack(
        [clip(light) * np.float32(100), blur(lab[..., 1], colour), blur(lab[..., 2], colour)]
    )
    return mix(picture, clip(cv2.cvtColor(floats(lab), cv2.COLOR_LAB2RGB)), amount)
