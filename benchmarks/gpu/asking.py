"""Jobs of members that a benchmark makes up."""

import random

from PIL import Image

from generation.engines.base import Item
from generation.requests import EditRequest, ImageRef

Size = tuple[int, int]


def picture(size: Size, seed: int) -> Image.Image:
    """Smooth colours."""
    coarse = Image.frombytes("RGB", (8, 8), random.Random(seed).randbytes(192))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def item(size: Size, number: int, seed: int | None = None) -> Item:
    """One member's job."""
    source = picture(size, number)
    ref = ImageRef(sha256=f"{number:064x}", name="a", size=size)
    seed = number if seed is None else seed
    request = EditRequest(preset="klein", prompt="at night, in snow", seed=seed, sources=(ref,))
    return Item(f"item{number}", request, [source])
