"""Printed pictures: ink in flat areas, dots and cut lines."""

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
    curve,
    floats,
    from_bytes,
    luminance,
    mix,
    noise,
    saturated,
    scale_of,
    to_bytes,
)
from generation.engines.darkroom.tone import colour_of, exposed, graded


def flattened(picture: Picture, rounds: int = 2) -> Picture:
    """Small differences smoothed away, edges kept: bilateral filter at half size."""
    height, width = picture.shape[:2]
    half = (max(1, width // 2), max(1, height // 2))
    small = to_bytes(floats(cv2.resize(picture, half, interpolation=cv2.INTER_AREA)))
    for _ in range(rounds):
        small = np.asarray(cv2.bilateralFilter(small, 7, 34, 5), np.uint8)
    large = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
    return from_bytes(large)


def stepped(plain: Plane, levels: int, softness: float = 0.12) -> Plane:
    """Tones gathered into levels with short ramps between them."""
    scaled = plain * np.float32(levels)
    base = np.floor(scaled)
    ramped = clip((scaled - base - 0.5) / softness + 0.5)
    return floats(np.clip((base + ramped) / levels, 0, 1))


def dots(plain: Plane, pitch: float, degrees: float) -> Plane:
    """A halftone screen: 1 is bare paper, 0 ink; dots grow with the darkness of `plain`."""
    height, width = plain.shape
    level = screen_level(height, width, pitch, degrees)
    return clip((plain - level) * np.float32(pitch * 0.9) + np.float32(0.5))


def screen_level(height: int, width: int, pitch: float, degrees: float) -> Plane:
    """The hills and hollows of a screen, 0..1, `pitch` pixels apart, turned by an angle."""
    turn = np.deg2rad(degrees)
    xs = np.arange(width, dtype=np.float32)[None, :] * np.float32(2 * np.pi / pitch)
    ys = np.arange(height, dtype=np.float32)[:, None] * np.float32(2 * np.pi / pitch)
    cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
    # cos(a)·cos(b) by outer products of four short vectors instead of a full plane of cosines.
    first = outer_cosine(xs * cosine, ys * sine)
    second = outer_cosine(-xs * sine, ys * cosine)
    return floats(np.float32(0.5) + np.float32(0.25) * (first + second))


def outer_cosine(across: Plane, down: Plane) -> Plane:
    """cos(across + down) for a row and a column."""
    return floats(np.cos(across) * np.cos(down) - np.sin(across) * np.sin(down))


def halftone(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Four-colour print: cyan, magenta, yellow and black screens at their own angles."""
    height, width = picture.shape[:2]
    pitch = max(4.0, (5 + 4 * amount) * scale_of(picture))
    soft = clip(
        saturated(curve(blur(picture, pitch / 4), [(0, 0), (0.3, 0.24), (0.7, 0.72), (1, 1)]), 1.4)
    )
    black = 1 - soft.max(-1)
    inks = [
        np.float32(0.85) * black * black,
        *(1 - soft[..., each] - black * np.float32(0.5) for each in range(3)),
    ]
    colours = ((0.1, 0.1, 0.12), (0.0, 0.62, 0.86), (0.88, 0.08, 0.48), (0.99, 0.88, 0.1))
    made = np.ones((height, width, 3), np.float32) * np.array([0.98, 0.965, 0.93], np.float32)
    for ink, colour, degrees in zip(inks, colours, (45, 15, 75, 0), strict=True):
        bare = dots(clip(1 - ink), pitch, degrees)[..., None]
        made = made * (bare + (1 - bare) * np.array(colour, np.float32))
    return mix(picture, clip(made), amount * 2)


def comic(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Flat strong colours that meet in printed dots, inked contours, darks filled with black."""
    height, width = picture.shape[:2]
    scale = max(0.5, scale_of(picture) * (0.6 + 0.4 * amount))
    even = exposed(flattened(picture, 2), 0.55, 0.75)
    flat = clip(graded(even, saturation=0.5, contrast=0.12))
    plain = luminance(flat)
    # Where two tones meet the screen decides which one prints: bands become a passage of dots.
    screen_ = screen_level(height, width, max(4.0, 8.5 * scale), 45) - np.float32(0.5)
    steps = stepped(clip(plain + screen_ * np.float32(0.26)), 4, 0.3)
    made = clip(flat * ((steps + np.float32(0.12)) / (plain + np.float32(0.1)))[..., None])
    lines = contours(blur(luminance(picture), 0.8 * scale), 1.9 * scale, 11, 0.425)
    lines = without_specks(lines, 80 * scale * scale)
    ink = lines * clip((blur(plain, 1.2 * scale) - np.float32(0.1)) * 14)
    black = np.array([0.06, 0.05, 0.09], np.float32)
    return mix(picture, clip(black + (made - black) * ink[..., None]), amount * 1.7)


def pop_art(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """One motif four times in loud inks, as from a silk screen."""
    height, width = picture.shape[:2]
    inks = [
        ("#2b0a57", "#ff2d87", "#ffe14d"),
        ("#0a2a5e", "#00b3a4", "#ff9ecb"),
        ("#5e0a1e", "#ff5a1f", "#7fe3ff"),
        ("#11361a", "#8a3ffc", "#d4ff3a"),
    ]
    small = floats(
        cv2.resize(picture, (-(-width // 2), -(-height // 2)), interpolation=cv2.INTER_AREA)
    )
    tones, key = stencils(small, 0.6 + 0.4 * amount)
    sheets = []
    for at in rng.permutation(4):
        dark, middle, light = (colour_of(ink) for ink in inks[at])
        # The squeegee never meets the same place twice: colours lie beside their outline.
        slip = rng.normal(0, 3.2 * scale_of(small), 2)
        matrix = np.array([[1, 0, slip[0]], [0, 1, slip[1]]], np.float64)
        size = (tones.shape[1], tones.shape[0])
        moved = cv2.warpAffine(tones, matrix, size, borderMode=cv2.BORDER_REPLICATE)[..., None]
        colour = middle + (light - middle) * moved
        sheets.append(dark + (colour - dark) * key[..., None])
    made = np.vstack([np.hstack(sheets[:2]), np.hstack(sheets[2:])])[:height, :width]
    return mix(picture, floats(made), amount * 4)


def stencils(small: Picture, coarse: float) -> tuple[Plane, Plane]:
    """The screens of one sheet: 1 where the light ink goes, and 0 where the dark one is printed.

    `coarse` scales the tools. Tones meet in the dots of the photographic screen that silk screens were made from.
    """
    height, width = small.shape[:2]
    plain = luminance(small)
    low, high = np.quantile(plain, (0.04, 0.96))
    even = clip((blur(plain, 1) - low) / max(0.1, high - low))
    scale = max(0.5, scale_of(small) * coarse)
    dotted = screen_level(height, width, max(3.0, 6.5 * scale), 45) - np.float32(0.5)
    steps = stepped(clip(even + dotted * np.float32(0.2)), 3, 0.2)
    key = clip(steps * 2.4) * without_specks(contours(plain, scale), 30 * scale * scale)
    return clip(steps * 2 - 1), key


def woodcut(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """A block cut along the forms: what stands prints black, what is cut stays paper."""
    height, width = picture.shape[:2]
    scale = max(0.5, scale_of(picture) * (0.6 + 0.4 * amount))
    plain = luminance(picture)
    low, high = np.quantile(plain[::4, ::4], (0.03, 0.96))
    tone = curve(
        clip((plain - low) / max(0.12, high - low)), [(0, 0), (0.3, 0.28), (0.7, 0.76), (1, 1)]
    )
    flow = edge_flow(picture, 12 * scale)
    cuts = combed(blur(noise(height, width, rng), 1.5 * scale), flow, 5)
    cuts = clip(0.5 + cuts / (4 * float(cuts.std()) + 1e-6))
    crisp = tone + (tone - blur(tone, 6 * scale)) * np.float32(1.2)
    threshold = np.float32(0.14) + np.float32(0.6) * cuts
    bare = clip((crisp - threshold) * np.float32(9 / scale) + np.float32(0.5))
    bare = bare * clip(contours(plain, 1.6 * scale, 10, 0.43) * 1.3)
    ink_wear = clip(0.9 + 0.12 * blur(noise(height, width, rng), 1.2 * scale))
    ground = np.array([0.95, 0.92, 0.85], np.float32) * paper(height, width, rng, scale)[..., None]
    ink = np.array([0.09, 0.085, 0.1], np.float32) / ink_wear[..., None]
    return mix(picture, clip(ink + (ground - ink) * bare[..., None]), amount * 1.6)
