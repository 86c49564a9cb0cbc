"""Makes the pictures of the open program by running the engine: `python -m tools.program_pictures`.

Each operation is run as designed (strength 0.6, default settings, seed 7) on static/program/palace.jpg,
with coffee.jpg as its second image where it takes one. Names given as arguments limit it to those
operations. `static/program/LICENCE.md` says whose photographs they are.
"""

import sys
from pathlib import Path

from PIL import Image

from generation.engines.base import Item
from generation.engines.darkroom.engine import Darkroom
from generation.engines.darkroom.table import program
from generation.prompts.planning import preset
from generation.requests import EditRequest, ImageRef, Operation

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "static" / "program"
SEED, STRENGTH = 7, 0.6
ENCODING = {"format": "WEBP", "quality": 72, "method": 6}
#: What an operation is shown on, where the plain photograph would show nothing: operations run first.
BEFORE = {"restore": ("old_photograph",)}


def photograph(name: str) -> Image.Image:
    """One of the two photographs, RGB."""
    with Image.open(FOLDER / f"{name}.jpg") as stored:
        return stored.convert("RGB")


def run(operations: tuple[str, ...], picture: Image.Image) -> Image.Image:
    """What the darkroom makes of a picture by these operations in turn."""
    engine = Darkroom()
    engine.load(preset("darkroom"))
    sources = [picture, photograph("coffee")]
    request = EditRequest(
        preset="darkroom",
        prompt="",
        seed=SEED,
        sources=tuple(ImageRef("0" * 64, each, picture.size) for each in ("palace", "coffee")),
        strength=STRENGTH,
        read_as=tuple(Operation(name) for name in operations),
    )
    item = Item("picture", request, sources)
    return engine.made(item, lambda _: None, lambda: False).picture


def before(name: str) -> Image.Image:
    """What an operation is shown on."""
    earlier = BEFORE.get(name, ())
    return run(earlier, photograph("palace")) if earlier else photograph("palace")


def after(name: str) -> Image.Image:
    """What an operation makes of it."""
    return run((name,), before(name))


def main(names: list[str]) -> int:
    """Write the pictures of these operations, or of all; 2 for a name that is none."""
    strange = [name for name in names if name not in program()]
    if strange:
        print(f"There is no operation {strange[0]!r}.", file=sys.stderr)
        return 2
    for name in names or program():
        if name in BEFORE:
            before(name).save(FOLDER / f"{name}-before.webp", **ENCODING)
        after(name).save(FOLDER / f"{name}.webp", **ENCODING)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
