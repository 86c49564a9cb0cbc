"""Pictures as signals that break: lost sync, lost blocks, sorted rows."""

import numpy as np
from numpy.random import Generator

from generation.engines.darkroom.pixels import Picture, clip, floats, luminance, mix, scale_of


def glitch(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A broken signal: torn bands, split colours, wandering blocks, sorted streaks, scan lines."""
    height = picture.shape[0]
    scale = max(0.3, scale_of(picture))
    made = picture.copy()
    wander(made, rng, round(9 * amount), max(2, round(16 * scale)))
    for _ in range(round(4 * amount)):
        melt(made, rng, scale)
    made = split(made, max(1, round(6 * scale * amount)))
    for _ in range(round(10 * amount)):
        tear(made, rng, scale)
    for _ in range(round(5 * amount)):
        lose(made, rng)
    period = max(2, round(4 * scale))
    lines = (np.arange(height) % period < period / 2).astype(np.float32)[:, None, None]
    return mix(picture, clip(made * (np.float32(1.05) - np.float32(0.14) * lines)), amount * 3)


def band(rng: Generator, height: int, share: float) -> slice:
    """Some rows, thin ones more often than thick: about `share` of the picture."""
    top = int(rng.integers(0, height))
    return slice(top, top + max(1, int(rng.exponential(share) * height)))


def split(made: Picture, reach: int) -> Picture:
    """Red and blue out of register with green."""
    return floats(
        np.dstack([np.roll(made[..., 0], reach, 1), made[..., 1], np.roll(made[..., 2], -reach, 1)])
    )


def tear(made: Picture, rng: Generator, scale: float) -> None:
    """Rows that lost their sync, in place: they jump aside, and their colours further still."""
    rows = band(rng, made.shape[0], 0.03)
    jump = int(rng.normal(0, 70 * scale))
    made[rows] = np.roll(made[rows], jump, 1)
    if rng.random() < 0.5:
        apart = max(1, round(rng.uniform(6, 22) * scale))
        made[rows] = split(made[rows], apart)


def wander(made: Picture, rng: Generator, clusters: int, side: int) -> None:
    """Blocks of a compressed film that went astray, in place: clusters copied from nearby."""
    height, width = made.shape[:2]
    for _ in range(clusters):
        high, wide = side * int(rng.integers(1, 4)), side * int(rng.integers(2, 12))
        if high >= height or wide >= width:
            continue
        top = int(rng.integers(0, height - high)) // side * side
        left = int(rng.integers(0, width - wide)) // side * side
        far = rng.normal(0, 5 * side, 2).astype(int)
        above = int(np.clip(top + far[1], 0, height - high))
        beside = int(np.clip(left + far[0], 0, width - wide))
        made[top : top + high, left : left + wide] = made[
            above : above + high, beside : beside + wide
        ].copy()


def melt(made: Picture, rng: Generator, scale: float) -> None:
    """Pixels of some rows sorted by lightness within a window, in place: streaks that melt aside."""
    height, width = made.shape[:2]
    top = int(rng.integers(0, height))
    rows = slice(top, top + max(2, round(rng.uniform(25, 90) * scale)))
    wide = max(4, int(width * rng.uniform(0.15, 0.45)))
    left = int(rng.integers(0, max(1, width - wide)))
    part = made[rows, left : left + wide]
    # The start of the sorted stretch frays from row to row.
    order = np.argsort(luminance(floats(part)) + rng.uniform(0, 0.12, (len(part), 1)), axis=1)
    if rng.random() < 0.5:
        order = order[:, ::-1]
    part[:] = np.take_along_axis(part, order[..., None], axis=1)


def lose(made: Picture, rng: Generator) -> None:
    """A block whose data were lost, in place: colours exchanged, or one column dragged on."""
    height, width = made.shape[:2]
    high, wide = (
        max(1, int(height * rng.uniform(0.008, 0.035))),
        max(1, int(width * rng.uniform(0.08, 0.4))),
    )
    top, left = (
        int(rng.integers(0, max(1, height - high))),
        int(rng.integers(0, max(1, width - wide))),
    )
    block = made[top : top + high, left : left + wide]
    block[:] = np.roll(block, 1, 2) if rng.random() < 0.6 else block[:, :1] * np.float32(1.15)
