"""Images with vectors of known cosines, in threads of their own."""

import hashlib
import itertools
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import pytest
from numpy.typing import NDArray

from forum.boards.models import Board
from forum.images.models import Image, Kind
from forum.links.actions import take_in
from forum.threads.models import Thread
from generation.results import Vector

NUMBERS = itertools.count(1)
RNG = np.random.default_rng(7)


def at_cosine(to: NDArray[np.float64], cosine: float) -> NDArray[np.float64]:
    """A random unit vector with exactly this cosine to another."""
    aside = RNG.normal(size=to.size)
    aside -= aside @ to * to
    aside /= np.linalg.norm(aside)
    return cosine * to + np.sqrt(1 - cosine**2) * aside


def a_direction() -> NDArray[np.float64]:
    """A random unit vector."""
    vector = RNG.normal(size=475)
    return vector / np.linalg.norm(vector)


def an_image(board: Board, *, thread: Thread | None = None, **more: Any) -> Image:
    """A ready image; the first of a new thread unless one is given."""
    opened = thread or Thread.objects.create(board=board)
    number = next(NUMBERS)
    image = Image.objects.create(
        **{
            "board": board,
            "thread": opened,
            "kind": Kind.ORIGINAL,
            "licence": "CC-BY-4.0",
            "title": f"Picture {number}",
            "width": 40,
            "height": 30,
            "sha256": hashlib.sha256(str(number).encode()).hexdigest(),
            **more,
        }
    )
    if thread is None:
        Thread.objects.filter(pk=opened.pk).update(first_image=image)
    return image


class Taken(Protocol):
    def __call__(self, board: Board, vector: Any, **more: Any) -> Image: ...


@pytest.fixture
def taken(db: None) -> Taken:
    """Make an image and take it in with a vector: `taken(board, vector, thread=..., pdq=...)`."""

    def take(
        board: Board, vector: Any, *, pdq: str = "", pdq_quality: int = 0, **more: Any
    ) -> Image:
        image = an_image(board, **more)
        take_in(
            image=image,
            vectors=[Vector("wf1", tuple(float(each) for each in vector))],
            pdq=pdq,
            pdq_quality=pdq_quality,
        )
        return image

    return take


@pytest.fixture
def around() -> Callable[[float], NDArray[np.float64]]:
    """Vectors at a cosine from one centre: `around(1.0)` is the centre itself."""
    centre = a_direction()
    return lambda cosine: at_cosine(centre, cosine)
