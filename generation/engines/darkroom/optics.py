"""Lenses, mirrors and signals: what happens to the light or the data on its way."""

import cv2
import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.composition import attention, subject_on_grid, worth_keeping
from generation.engines.darkroom.pixels import (
    Picture,
    Plane,
    blur,
    clip,
    curve,
    floats,
    luminance,
    mix,
    powered,
    saturated,
    scale_of,
    screen,
)
from generation.engines.darkroom.sky import sky


def tilt_shift(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A tilted lens: one sharp band where the eye is drawn, toy colours, everything else soft."""
    height = picture.shape[0]
    _, own = worth_keeping(picture)
    weight = blur(own, 4).sum(1).cumsum()
    # The upper part of the subject: faces and roofs, not the middle of a coat.
    sharp = (float(np.searchsorted(weight, 0.2 * weight[-1])) + 0.5) / len(weight)
    rows = np.abs(np.linspace(0, 1, height, dtype=np.float32) - np.float32(0.1 + 0.8 * sharp))
    far = clip((rows - 0.12) / 0.3)[:, None, None]
    scale = scale_of(picture)
    bright = powered(picture, 2.2)
    slight = powered(blur(bright, 4 * scale * amount + 0.3), 1 / 2.2)
    strong = powered(blur(bright, 12 * scale * amount + 0.3), 1 / 2.2)
    made = picture + (slight - picture) * clip(far * 3)
    made = made + (strong - made) * clip(far * 1.6 - 0.4)
    toy = curve(clip(saturated(made, 1.35)), [(0, 0), (0.25, 0.22), (0.7, 0.77), (1, 1)])
    return mix(picture, toy, amount * 2)


def dreamy(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A soft-focus lens: lights bloom over a sharp picture (Orton effect)."""
    light = curve(picture, [(0, 0.04), (0.5, 0.62), (1, 1)])
    bloom = blur(powered(light, 1.6), 20 * scale_of(picture))
    made = screen(light * np.float32(0.86), bloom * np.array([0.52, 0.48, 0.5], np.float32))
    return mix(picture, clip(made), amount)


def mirror(picture: Picture, rng: Generator, *, side: str) -> Picture:
    """One half of the picture and its reflection."""
    height, width = picture.shape[:2]
    if side in ("top", "bottom"):
        half = picture[: -(-height // 2)] if side == "top" else picture[height // 2 :][::-1]
        return np.ascontiguousarray(np.vstack([half, half[::-1]])[:height])
    half = picture[:, : -(-width // 2)] if side == "left" else picture[:, width // 2 :][:, ::-1]
    return np.ascontiguousarray(np.hstack([half, half[:, ::-1]])[:, :width])


def kaleidoscope(picture: Picture, rng: Generator, *, amount: float, sectors: float) -> Picture:
    """Three mirrors: a wedge of the picture around its liveliest place, reflected all round."""
    height, width = picture.shape[:2]
    weight = attention(picture)
    row, column = np.unravel_index(int(blur(weight, 6).argmax()), weight.shape)
    centre_y, centre_x = (
        (row + 0.5) / weight.shape[0] * height,
        (column + 0.5) / weight.shape[1] * width,
    )
    ys = (np.arange(height, dtype=np.float32) - np.float32((height - 1) / 2))[:, None]
    xs = (np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2))[None, :]
    radius, angle = np.hypot(ys, xs), np.arctan2(ys, xs)
    wedge = np.float32(np.pi / max(2, round(sectors)))
    start = liveliest_wedge(picture, (centre_y, centre_x), float(wedge), rng)
    folded = np.abs(np.mod(angle, 2 * wedge) - wedge) + np.float32(start)
    # The wedge reaches over the edge for some angles; reflection at the border keeps it whole.
    at_x = floats(np.float32(centre_x) + radius * np.cos(folded) * np.float32(0.85))
    at_y = floats(np.float32(centre_y) + radius * np.sin(folded) * np.float32(0.85))
    made = cv2.remap(picture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    return mix(picture, clip(saturated(floats(made), 1.15)), amount * 2)


def liveliest_wedge(
    picture: Picture, centre: tuple[float, float], wedge: float, rng: Generator
) -> float:
    """Start, in radians, of the wedge around `centre` (y, x) with most contrast, of 24 tried."""
    height, width = picture.shape[:2]
    reach = 0.45 * min(height, width)
    radii, turns = np.meshgrid(np.linspace(0.05, 1, 24) * reach, np.linspace(0, wedge, 8))
    starts = rng.uniform(0, 2 * np.pi, 24)
    contrasts = []
    for start in starts:
        ys = np.abs(centre[0] + radii * np.sin(turns + start)) % (2 * height - 1)
        xs = np.abs(centre[1] + radii * np.cos(turns + start)) % (2 * width - 1)
        rows = np.minimum(ys, 2 * height - 1 - ys).astype(int).clip(0, height - 1)
        columns = np.minimum(xs, 2 * width - 1 - xs).astype(int).clip(0, width - 1)
        contrasts.append(float(np.abs(np.diff(picture[rows, columns], axis=1)).mean()))
    return float(starts[int(np.argmax(contrasts))])


def planet(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """The ground rolled up into a ball: a stereographic view from above, joined without a seam."""
    height, width = picture.shape[:2]
    ring = joined(levelled(picture))
    ys = (np.arange(height, dtype=np.float32) - np.float32((height - 1) / 2))[:, None]
    xs = (np.arange(width, dtype=np.float32) - np.float32((width - 1) / 2))[None, :]
    radius = np.hypot(ys, xs) / np.float32(0.5 * min(height, width))
    turn = np.arctan2(xs, -ys) / np.float32(2 * np.pi) + np.float32(0.5)
    # The corners look just below the upper edge, which in many photographs has a border of its own.
    furthest = np.arctan(1.55 * max(1.42, float(radius.max()))) * 1.03
    up = np.arctan(radius * np.float32(1.55)) / np.float32(furthest)
    at_x, at_y = floats(turn * np.float32(ring.shape[1])), floats(np.float32(height - 1) * (1 - up))
    # OpenCV wraps both ways or none: a few columns of the other end are laid beside each end instead.
    wide = np.ascontiguousarray(np.hstack([ring[:, -4:], ring, ring[:, :4]]))
    made = cv2.remap(wide, at_x + np.float32(4), at_y, cv2.INTER_LINEAR)
    return mix(picture, floats(made), amount * 2)


def levelled(picture: Picture) -> Picture:
    """The picture sheared so that what runs out at the right edge meets itself at the left edge.

    The shift, at most an eighth of the height, is where the two ends, softened, are most alike.
    """
    height, width = picture.shape[:2]
    rows = 96
    small = cv2.resize(
        blur(picture, max(height, width) / 80), (24, rows), interpolation=cv2.INTER_AREA
    )
    left, right = small[:, 0], small[:, -1]
    most = rows // 8
    gaps = []
    for shift in range(-most, most + 1):
        ends = (
            left[max(0, shift) : rows + min(0, shift)],
            right[max(0, -shift) : rows - max(0, shift)],
        )
        gaps.append(float(np.abs(ends[0] - ends[1]).mean()) + 0.0006 * abs(shift))
    shift = (int(np.argmin(gaps)) - most) * height / rows
    lift = np.linspace(0.5, -0.5, width, dtype=np.float32)[None, :] * np.float32(shift)
    at_y = floats(np.arange(height, dtype=np.float32)[:, None] + lift)
    at_x = floats(np.broadcast_to(np.arange(width, dtype=np.float32), (height, width)))
    return floats(cv2.remap(picture, at_x, at_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def joined(picture: Picture) -> Picture:
    """A ring, narrower than the picture: its ends overlap and are cut where they differ least.

    The cut runs down by dynamic programming (Efros and Freeman 2001, Image Quilting). Light and colour
    change over the whole overlap, details only near the cut, so that neither a step nor a ghost is seen.
    """
    width = picture.shape[1]
    over = max(2, width // 6)
    end, start = picture[:, -over:], picture[:, :over]
    soft = max(1.0, over / 5)
    smooth_end, smooth_start = blur(end, soft), blur(start, soft)
    gap = np.abs(end - start).sum(2) + 0.5 * np.abs(smooth_end - smooth_start).sum(2)
    # The cut keeps to the middle of the overlap, so that its soft sides end within it.
    side = over // 4
    path = cut(blur(floats(gap[:, side : over - side]), 1))[:, None] + np.float32(side)
    places = np.arange(over, dtype=np.float32)[None, :]
    near = clip((places - path) / np.float32(max(2.0, over / 24)) + np.float32(0.5))[..., None]
    slow = clip((places - path) / np.float32(max(2.0, over / 2)) + np.float32(0.5))[..., None]
    smooth = smooth_end + (smooth_start - smooth_end) * slow
    fine = (end - smooth_end) * (1 - near) + (start - smooth_start) * near
    ring = np.hstack([clip(smooth + fine), picture[:, over:-over]])
    # The middle of the picture stays in the middle of the ring.
    return np.ascontiguousarray(np.roll(ring, -(over // 2), 1))


def cut(gap: Plane) -> Plane:
    """For each row the column of the cheapest path from top to bottom, one step aside a row at most."""
    height, width = gap.shape
    total, came = gap.copy(), np.zeros(gap.shape, np.int8)
    wall = np.full(1, np.inf, np.float32)
    for row in range(1, height):
        above = np.concatenate([wall, total[row - 1], wall])
        choices = np.stack([above[:-2], above[1:-1], above[2:]])
        best = choices.argmin(0)
        total[row] += choices[best, np.arange(width)]
        came[row] = best - 1
    path = np.empty(height, np.float32)
    column = int(total[-1].argmin())
    for row in range(height - 1, -1, -1):
        path[row] = column
        column += int(came[row, column])
    return path


def long_exposure(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A shutter open for seconds: clouds and water flow sideways, what stands firm stays sharp."""
    reach = max(3, round(110 * scale_of(picture) * amount)) | 1
    moving = moving_parts(picture)
    flowing = drawn_out(picture, moving, reach)
    light = cv2.blur(powered(picture, 4), (reach, 1), borderType=cv2.BORDER_REFLECT)
    flowing = screen(clip(flowing), floats(light) * np.float32(0.35))
    return mix(picture, clip(flowing), moving * np.float32(min(1, amount * 1.5)))


def drawn_out(picture: Picture, moving: Plane, reach: int) -> Picture:
    """The moving parts blurred sideways, each place by what moves around it: no wall bleeds into the sky."""
    weight = moving + np.float32(0.002)
    both = np.dstack([picture * weight[..., None], weight])
    for across in (reach, reach // 2 | 1):
        both = cv2.blur(both, (across, 1), borderType=cv2.BORDER_REFLECT)
    return floats(both[..., :3] / both[..., 3:])


def moving_parts(picture: Picture) -> Plane:
    """1 where things would flow: sky and water; without both, whatever is not the subject."""
    height, width = picture.shape[:2]
    above, scale = sky(picture), scale_of(picture)
    flows = np.maximum(above * (1 - firm(picture)), water(picture, above))
    if float(flows.mean()) > 0.04:
        return clip(blur(floats(flows), 1.5 * scale))
    own = subject_on_grid(picture)
    if own is None:
        own = blur(attention(picture), 3)
        own = clip(own / np.quantile(own, 0.97) * 1.4 - 0.35)
    held = cv2.resize(blur(own, 2), (width, height), interpolation=cv2.INTER_CUBIC)
    return clip(1 - held * np.float32(1.3))


def firm(picture: Picture) -> Plane:
    """1 on and beside hard edges: masts, towers and twigs before the sky. Edges of white clouds are soft."""
    scale, plain = scale_of(picture), luminance(picture)
    slope = np.hypot(cv2.Sobel(plain, cv2.CV_32F, 1, 0), cv2.Sobel(plain, cv2.CV_32F, 0, 1)) / 4
    side = round(9 * scale) | 1
    around = floats(cv2.dilate(blur(floats(slope), 0.8), np.ones((side, side), np.uint8)))
    pale = clip(2 - np.ptp(picture, 2) * 7) * clip((plain - blur(plain, 24 * scale)) * 25)
    white = blur(floats(cv2.dilate(pale, np.ones((side, side), np.uint8))), 2 * scale)
    return clip((around - 0.025) * 30 - 2 * white)


def water(picture: Picture, above: Plane) -> Plane:
    """How likely each place is water: in the lower part, not green, its forms lying level; 0..1."""
    height, width = picture.shape[:2]
    factor = min(1.0, 256 / max(height, width))
    size = (max(8, round(width * factor)), max(8, round(height * factor)))
    small = floats(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
    plain = luminance(small)
    across = blur(np.abs(cv2.Sobel(plain, cv2.CV_32F, 1, 0)), 5)
    down = blur(np.abs(cv2.Sobel(plain, cv2.CV_32F, 0, 1)), 5)
    level = clip(((down + np.float32(0.008)) / (across + down + np.float32(0.01)) - 0.56) * 9)
    calm = clip(2.2 - (across + down) * 5)
    cool = clip((small[..., 2] - np.maximum(small[..., 0], small[..., 1] * 0.97)) * 12 + 1)
    ys = np.linspace(0, 1, size[1], dtype=np.float32)[:, None]
    likely = level * calm * cool * clip((ys - 0.42) * 10)
    likely = clip((blur(floats(likely), 3) - 0.25) * 3)
    large = cv2.resize(likely, (width, height), interpolation=cv2.INTER_LINEAR)
    return floats(large * (1 - above))
