"""Everything that shipped presets can be asked, and a job of each kind."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from generation.engines.base import Item, Made
from tests.generation.diffusion.asking import ask, picture_of

#: Shipped presets and what each can be asked.
ASKED = [
    ("klein", "edit"),
    ("klein", "create"),
    ("longcat", "edit"),
    ("qwen-edit", "edit"),
    ("z-image", "create"),
    ("z-image", "edit"),
    ("z-image", "inpaint"),
    ("sdxl-structure", "edit"),
    ("sdxl-structure", "inpaint"),
    ("sdxl-structure", "create"),
    ("sdxl-depth", "edit"),
    ("sdxl-depth", "inpaint"),
    ("sdxl-pose", "edit"),
    ("sdxl-pose", "inpaint"),
    ("instruct-pix2pix", "edit"),
    ("sd-turbo", "edit"),
    ("sd-turbo", "create"),
    ("sd-turbo", "inpaint"),
    ("wan-moving", "edit"),
]
#: Those of them whose presets make batches.
BATCHED = [
    each for each in ASKED if each[0] not in ("longcat", "qwen-edit", "z-image", "wan-moving")
]


def job(
    name: str, task: str, picture: str = "rings", prompt: str = "at night", **more: Any
) -> Item:
    """What makes a preset do `task`."""
    sources = [] if task == "create" else [picture_of(picture)]
    return ask(name, prompt, *sources, mask=left_half() if task == "inpaint" else None, **more)


def left_half() -> Image.Image:
    """A mask in which the left half may change."""
    plane = Image.new("L", (96, 96), 0)
    plane.paste(255, (0, 0, 48, 96))
    return plane


def last(answer: Made) -> NDArray[Any]:
    """The picture, or the last frame of what moves: the first one is given."""
    return np.asarray((answer.frames or [answer.picture])[-1])
