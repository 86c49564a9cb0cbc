"""A leaded window: coloured glass that follows the forms, painted with vitreous black, lit from behind."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.drawing import constant_flow, contours
from generation.engines.darkroom.flow import combed
from generation.engines.darkroom.pieces import CELL_SIDE, borders, means, superpixels
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
    scale_of,
    screen,
)
from generation.engines.darkroom.tone import exposed

Labels = NDArray[np.int32]
#: What glass a grey becomes, from dark to light: cobalt, steel, pale green, straw.
ANTIQUE = np.array(
    [[0.04, 0.07, 0.26], [0.2, 0.36, 0.6], [0.66, 0.8, 0.7], [1.0, 0.97, 0.8]], np.float32
)
VITREOUS = np.array([0.09, 0.06, 0.05], np.float32)
#: Largest pane as a share of the window, and how unlike (in hundredths of Lab) joined panes may be.
LARGEST, ALIKE = 0.012, 0.12


def stained_glass(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Panes of jewel colours along the forms in leads of two widths; features painted on the glass."""
    height, width = picture.shape[:2]
    scale = max(0.4, scale_of(picture))
    even = exposed(picture, 0.46, 0.7)
    labels, panes = glazed(even, rng, amount)
    colours = jewels(panes, rng)
    lead = leads(labels, colours, height, width, scale)
    pane = cv2.resize(labels.astype(np.float32), (width, height), interpolation=cv2.INTER_NEAREST)
    made = colours[pane.astype(np.int32)]
    made = made * shading(even, panes[pane.astype(np.int32)], scale)[..., None]
    drawn = contours(blur(luminance(picture), 0.9 * scale), 2.0 * scale, 9, 0.43)[..., None]
    made = VITREOUS + (made - VITREOUS) * (np.float32(0.22) + np.float32(0.78) * drawn)
    made = made * uneven(height, width, rng)[..., None]
    made = made + (came(lead) - made) * clip(lead * 3 - 1)[..., None]
    # Bright glass spills its light over the lead.
    return mix(picture, screen(clip(made), blur(clip(made), 11 * scale) * 0.22), amount * 4)


def glazed(even: Picture, rng: Generator, amount: float) -> tuple[Labels, Picture]:
    """Panes with smooth outlines: labels (h, w) of about the picture's size, colours (n, 3)."""
    height, width = even.shape[:2]
    factor = min(1.0, CELL_SIDE / max(height, width))
    size = max(8, round(width * factor)), max(8, round(height * factor))
    small = clip(resized(even, *size))
    labels = superpixels(blur(small, 1), round(900 - 260 * amount), rng, 0.12)
    colours = means(small, labels, np.zeros((int(labels.max()) + 1, 3), np.float32))
    labels = joined(labels, colours, LARGEST * (0.6 + 0.4 * amount))
    count = int(labels.max()) + 1
    return rounded(labels, count, max(1, round(1 / factor))), means(
        small, labels, np.zeros((count, 3), np.float32)
    )


def joined(labels: Labels, colours: Picture, largest: float) -> Labels:
    """Neighbours of like colour joined to one pane, the most alike first, none too large."""
    lab = cv2.cvtColor(colours[None], cv2.COLOR_RGB2LAB)[0] / np.float32(100)
    across = np.stack([labels[:, 1:].ravel(), labels[:, :-1].ravel()], 1)
    down = np.stack([labels[1:].ravel(), labels[:-1].ravel()], 1)
    pairs = np.unique(np.sort(np.vstack([across, down]), 1), axis=0)
    pairs = pairs[pairs[:, 0] != pairs[:, 1]]
    gaps = np.sqrt(((lab[pairs[:, 0]] - lab[pairs[:, 1]]) ** 2).sum(1))
    home = list(range(len(colours)))
    area = np.bincount(labels.ravel(), minlength=len(colours)).astype(float) / labels.size
    for at in np.argsort(gaps, kind="stable"):
        if gaps[at] > ALIKE:
            break
        one, other = (found(home, int(each)) for each in pairs[at])
        if one != other and area[one] + area[other] < largest:
            home[other] = one
            area[one] += area[other]
    homes = np.array([found(home, each) for each in range(len(home))])
    return np.unique(homes, return_inverse=True)[1].astype(np.int32)[labels]


def found(home: list[int], label: int) -> int:
    """The label that stands for a whole group (union-find with path halving)."""
    while home[label] != label:
        home[label] = home[home[label]]
        label = home[label]
    return label


def rounded(labels: Labels, count: int, times: int) -> Labels:
    """Labels enlarged `times`, their outlines smoothed: each pixel goes to the nearest soft pane."""
    height, width = labels.shape
    best = np.zeros((height * times, width * times), np.float32)
    made = np.repeat(np.repeat(labels, times, 0), times, 1)
    order = np.argsort(labels.ravel(), kind="stable")
    stops = np.cumsum(np.bincount(labels.ravel(), minlength=count))
    for label, stop in enumerate(stops):
        places = order[stops[label - 1] if label else 0 : stop]
        if not len(places):
            continue
        rows, columns = places // width, places % width
        top, bottom = max(0, rows.min() - 5), min(height, rows.max() + 6)
        left, right = max(0, columns.min() - 5), min(width, columns.max() + 6)
        soft = (labels[top:bottom, left:right] == label).astype(np.float32)
        soft = cv2.GaussianBlur(soft, (0, 0), 1.5, borderType=cv2.BORDER_REPLICATE)
        large = cv2.resize(soft, None, fx=times, fy=times, interpolation=cv2.INTER_LINEAR)
        part = slice(top * times, bottom * times), slice(left * times, right * times)
        wins = large > best[part]
        best[part][wins] = large[wins]
        made[part][wins] = label
    return made


def jewels(panes: Picture, rng: Generator) -> Picture:
    """Pane colours (n, 3) as glass has them: deep and saturated, greys turned to antique tints."""
    hsv = cv2.cvtColor(panes[None], cv2.COLOR_RGB2HSV)[0]
    dull = clip(1 - hsv[:, 1:2] / 0.3)
    hsv[:, 1] = clip(hsv[:, 1] ** 0.62 * 1.08)
    hsv[:, 2] = clip(0.14 + 0.95 * hsv[:, 2] ** 0.85)
    vivid = cv2.cvtColor(hsv[None], cv2.COLOR_HSV2RGB)[0]
    plain = luminance(panes[None])[0]
    steps = np.linspace(0.08, 0.92, len(ANTIQUE))
    grey = np.stack([np.interp(plain, steps, ANTIQUE[:, each]) for each in range(3)], 1)
    glass = vivid + (floats(grey) - vivid) * dull
    return clip(glass * rng.normal(1, 0.07, (len(panes), 1)))


def shading(even: Picture, panes: Picture, scale: float) -> Plane:
    """Modelling that the glass painter brushes on: how light the picture is against its pane."""
    inside = (blur(luminance(even), 2 * scale) + np.float32(0.1)) / (luminance(panes) + 0.1)
    return np.clip(inside, 0.55, 1.3).astype(np.float32)


def uneven(height: int, width: int, rng: Generator) -> Plane:
    """How much light hand-blown glass lets through: clouded, streaked, brightest in the middle."""
    cloud = clouds(height, width, rng, octaves=5, cells=9) - np.float32(0.5)
    way = constant_flow(height, width, float(rng.uniform(20, 160)))
    streaks = np.clip(combed(noise(height, width, rng), way, 5), -0.5, 0.5)
    ys = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    xs = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    far = np.float32(1.12) - np.float32(0.17) * (ys * ys + xs * xs)
    return floats(far * (1 + np.float32(0.3) * cloud + np.float32(0.16) * streaks))


def leads(labels: Labels, colours: Picture, height: int, width: int, scale: float) -> Plane:
    """The lead, 1 in its middle: broad between unlike panes, narrow within a colour."""
    seams = borders(labels)
    glass = colours[labels]
    unlike = np.zeros(labels.shape, np.float32)
    unlike[:, 1:] = np.abs(glass[:, 1:] - glass[:, :-1]).sum(-1)
    unlike[1:] = np.maximum(unlike[1:], np.abs(glass[1:] - glass[:-1]).sum(-1))
    grain = labels.shape[1] / width
    broad = max(1, round(5.6 * scale * grain)) | 1
    narrow = max(1, round(3.0 * scale * grain)) | 1
    disc = cv2.getStructuringElement
    thick = cv2.dilate(
        ((unlike > 0.4) * seams).astype(np.float32), disc(cv2.MORPH_ELLIPSE, (broad, broad))
    )
    thin = cv2.dilate(seams, disc(cv2.MORPH_ELLIPSE, (narrow, narrow)))
    lines = cv2.resize(np.maximum(thick, thin), (width, height), interpolation=cv2.INTER_AREA)
    return clip(blur(floats(lines), 0.9 * scale))


def came(lead: Plane) -> Picture:
    """Colour of the lead: nearly black, with a dull ridge that catches light from above."""
    ridge = clip(cv2.Sobel(blur(lead, 1.2), cv2.CV_32F, 0, 1))[..., None]
    return np.array([0.05, 0.05, 0.06], np.float32) + ridge * np.float32(0.16)
