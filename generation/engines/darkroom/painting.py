"""Looks painted with strokes: oil, in its historical manners."""

from dataclasses import replace

from numpy.random import Generator

from generation.engines.darkroom.pixels import Picture, mix
from generation.engines.darkroom.strokes import Brushes, Show, painted
from generation.engines.darkroom.tone import graded

IMPRESSIONIST = Brushes(
    radii=(16, 8, 4), lengths=(4, 4, 3), jitter=0.07, wildness=0.35, saturation=1.2, impasto=0.6
)
POST_IMPRESSIONIST = Brushes(
    radii=(12, 6),
    lengths=(9, 8),
    threshold=0.02,
    jitter=0.09,
    wildness=0.12,
    curl=0.05,
    saturation=1.35,
    impasto=0.9,
    follow=0.8,
)


def sized(brushes: Brushes, amount: float) -> Brushes:
    """Finer brushes for a light touch, broader ones for a heavy one."""
    factor = 0.55 + 0.45 * amount
    return replace(brushes, radii=tuple(radius * factor for radius in brushes.radii))


def impressionist(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Short, broken touches in a light key."""
    ground = graded(picture, warmth=0.15, saturation=0.25, exposure=0.12)
    made = painted(ground, rng, sized(IMPRESSIONIST, amount), show)
    return mix(picture, made, amount * 2.5)


def post_impressionist(picture: Picture, rng: Generator, *, amount: float, show: Show) -> Picture:
    """Long, curling, saturated strokes with heavy relief."""
    ground = graded(picture, saturation=0.35, contrast=0.12)
    made = painted(ground, rng, sized(POST_IMPRESSIONIST, amount), show)
    return mix(picture, made, amount * 2.5)
