"""Pictures and requests for the darkroom. No database is needed here."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from generation.engines.base import Failed, Item, Made, Progress
from generation.engines.darkroom.engine import Darkroom
from generation.engines.darkroom.table import program
from generation.prompts.planning import preset
from generation.requests import EditRequest, ImageRef, Operation

PHOTOGRAPHS = Path(
    os.environ.get("GEGENBILD_IMAGES") or Path(__file__).parents[3].parent / "shared/images"
)


def landscape(width: int = 240, height: int = 160) -> Image.Image:
    """A picture with a sky, a dark ridge, a lit window and texture: made, so that tests need no file."""
    rng = np.random.default_rng(7)
    ys, xs = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    ridge = 0.55 + 0.1 * np.sin(9 * xs) + 0.05 * np.sin(31 * xs)
    sky = np.stack([0.55 + 0.3 * ys, 0.7 + 0.2 * ys, 0.95 - 0.1 * ys], -1)
    ground = np.stack([0.25 + 0.1 * ys, 0.4 - 0.1 * ys, 0.15 + 0 * ys], -1)
    ground = ground * (0.7 + 0.6 * rng.random((height, width, 1)))
    picture = np.where((ys > ridge)[..., None], ground, sky)
    window = (abs(xs - 0.7) < 0.03) & (abs(ys - 0.8) < 0.04)
    picture[window] = (1.0, 0.85, 0.5)
    return Image.fromarray((picture.clip(0, 1) * 255).astype(np.uint8))


def enough(name: str, picture: Image.Image) -> list[Image.Image]:
    """The picture, with another where an operation cannot do without one."""
    return [picture, OTHER] if program()[name].needs_second else [picture]


def photograph(name: str, side: int = 512) -> Image.Image:
    """One of the shared photographs, or a skipped test with a word."""
    path = PHOTOGRAPHS / name
    if not path.exists():
        pytest.skip(f"no photograph {name}: set GEGENBILD_IMAGES to a folder that has it")
    image = Image.open(path).convert("RGB")
    image.thumbnail((side, side))
    return image


def item(
    *operations: Operation,
    prompt: str = "",
    sources: list[Image.Image] | None = None,
    seed: int = 1,
    strength: float = 0.6,
    mask: Image.Image | None = None,
    read: bool = True,
) -> Item:
    """A request with its decoded sources; `read=False` lets the engine read the prompt."""
    pictures = sources or [landscape()]
    request = EditRequest(
        preset="darkroom",
        prompt=prompt,
        seed=seed,
        sources=tuple(
            ImageRef(f"{at:064x}", f"{at}.webp", each.size) for at, each in enumerate(pictures)
        ),
        strength=strength,
        read_as=tuple(operations) if read else None,
    )
    return Item(id="one", request=request, sources=pictures, mask=mask)


#: A second source: stripes of warm and cold paint.
OTHER = Image.fromarray(
    np.asarray(
        [[[200, 120, 40], [40, 80, 160]] * 40, [[90, 30, 20], [220, 200, 170]] * 40] * 50, np.uint8
    )
)


class Run:
    """One run of the engine: what came out, and every frame on the way."""

    def __init__(self, item: Item, cancelled: Callable[[str], bool] = lambda id: False) -> None:
        self.progress: list[Progress] = []
        engine = Darkroom()
        engine.load(preset("darkroom"))
        (self.outcome,) = engine.edit([item], self.progress.append, cancelled)

    @property
    def made(self) -> Made:
        assert isinstance(self.outcome, Made), self.outcome
        return self.outcome

    @property
    def failed(self) -> Failed:
        assert isinstance(self.outcome, Failed)
        return self.outcome

    @property
    def pixels(self) -> np.ndarray:
        return np.asarray(self.made.picture)


def pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB")).astype(int)
