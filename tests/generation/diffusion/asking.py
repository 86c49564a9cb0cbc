"""Requests and items for the diffusers engine's tests."""

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from generation.engines.base import Edits, Failed, Item, Made, Progress
from generation.requests import EditRequest, ImageRef
from tests.generation.pictures import ALL

NUMBERS = itertools.count(1)
#: Prompts and pictures of four members.
PROMPTS = ("at night, lamps lit", "雪", "a heavy snowfall over the harbour", "")
PICTURES = ("rings", "chequers", "fog", "rings")


def ref(picture: Image.Image, digit: str = "a") -> ImageRef:
    """As if the picture had been stored."""
    return ImageRef(sha256=digit * 64, name="images/a.webp", size=picture.size)


def picture_of(name: str, size: tuple[int, int] = (96, 96)) -> Image.Image:
    """A known picture at a size."""
    return ALL[name]().resize(size)


def ask(
    preset: str,
    prompt: str = "at night",
    *pictures: Image.Image,
    seed: int = 11,
    mask: Image.Image | None = None,
    **more: Any,
) -> Item:
    """An item: its sources are `pictures`; none begins from nothing."""
    request = EditRequest(
        preset=preset,
        prompt=prompt,
        seed=seed,
        sources=tuple(ref(each) for each in pictures),
        mask=None if mask is None else ref(mask, "b"),
        **more,
    )
    return Item(f"item{next(NUMBERS)}", request, list(pictures), mask)


def four(preset: str, **more: Any) -> list[Item]:
    """Four members' jobs that may share a batch."""
    return [
        ask(preset, prompt, picture_of(picture), seed=100 + n, **more)
        for n, (prompt, picture) in enumerate(zip(PROMPTS, PICTURES, strict=True))
    ]


def run(
    engine: Edits,
    items: Sequence[Item],
    on_progress: Callable[[Progress], None] = lambda _: None,
    cancelled: Callable[[str], bool] = lambda _: False,
) -> dict[str, Made | Failed]:
    """Everything that came of a batch, by item."""
    return {each.id: each for each in engine.edit(items, on_progress, cancelled)}


def made(engine: Edits, items: Sequence[Item], **more: Any) -> list[Made]:
    """The pictures of a batch in its order; a failure is raised."""
    answers = run(engine, items, **more)
    found = []
    for item in items:
        answer = answers[item.id]
        if isinstance(answer, Failed):
            raise answer.error
        found.append(answer)
    return found


def pixels(answer: Made) -> Any:
    """Bytes of a picture (height, width, 3)."""
    return np.asarray(answer.picture)


def levels_apart(one: Made, other: Made) -> int:
    """The largest difference of any channel of any pixel."""
    return int(np.abs(pixels(one).astype(int) - pixels(other).astype(int)).max())
