"""One-tap looks of one picture: all of them, small, side by side in one sheet. Runs in the device host.

A sheet is one file, so that twelve thumbnails cost one request and one check of rights.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from generation.engines.base import Cancelled, Edits, EngineError, Failed, Item
from generation.requests import EditRequest, LooksRequest

#: Strokes and weather are made for pictures, not for stamps: drawn so many times larger, then shrunk.
OVER = 1.5
KIND: tuple[str, dict[str, Any]] = ("WEBP", {"method": 2, "quality": 78})


def sheet(
    editor: Edits, wanted: LooksRequest, picture: Image.Image, cancelled: Callable[[], bool]
) -> tuple[Image.Image, list[str]]:
    """A row of squares `side` pixels wide, RGB, and the names of the looks in it, in order.

    A look that cannot cope with this picture is left out. Raises `EngineError` when all are.
    """
    small = middle(picture, round(wanted.side * OVER))
    squares = []
    for look in wanted.looks:
        if cancelled():
            raise Cancelled
        request = EditRequest(
            wanted.preset, look.name, wanted.seed, (wanted.source,), read_as=look.read_as
        )
        item = Item(id=look.name, request=request, sources=[small.copy()])
        for answer in editor.edit([item], lambda _: None, lambda _: cancelled()):
            if not isinstance(answer, Failed):
                squares.append((look.name, middle(answer.picture, wanted.side)))
    if not squares:
        raise EngineError("No look could be made of this image.")
    row = Image.new("RGB", (wanted.side * len(squares), wanted.side))
    for place, (_, square) in enumerate(squares):
        row.paste(square, (place * wanted.side, 0))
    return row, [name for name, _ in squares]


def middle(picture: Image.Image, side: int) -> Image.Image:
    """The square in the middle of a picture, `side` pixels wide."""
    short = min(picture.size)
    left, top = (picture.width - short) // 2, (picture.height - short) // 2
    box = (left, top, left + short, top + short)
    return picture.resize((side, side), Image.Resampling.LANCZOS, box=box, reducing_gap=2.0)


def place_of(order: dict[str, Any]) -> Path:
    """Where the sheet of an order is written."""
    return Path(order["folder"]) / f"{order['stem']}.webp"
