"""What a mask is made of: a stranger's grey picture, a rectangle, a soft edge. Pillow, no Django.

`decode` runs in the decoding child (`images.children`); `from_rectangle` needs no stranger's bytes.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from forum.images.decoding import Limits, Unacceptable, checked_size, eight_bits, prepare
from forum.images.renditions import DISPLAY_SIDE, fitted

NAME, MIME, SUFFIX = "mask.png", "image/png", ".png"
#: Longer side of a mask that was given as a rectangle.
DRAWN_SIDE = 1024
#: Values below which nothing may change, and from which everything may.
FAINT, FULL = 16, 240
#: A soft edge is at most this share of the longer side.
SOFTEST = 0.1
#: Standard deviations of a Gaussian between 10 and 90 per cent of an edge.
EDGE = 2.56

Rectangle = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Wish:
    """A mask as it is asked for, beside a file."""

    #: Width and height of the image in pixels; only their ratio counts.
    size: tuple[int, int]
    #: Left, top, width and height as shares of the image; it adds to a file.
    rectangle: Rectangle | None = None
    #: Width of the soft edge as a share of the longer side.
    feather: float = 0.0


def decode(source: str, folder: str, kind: str, limits: Limits, *, wish: Wish) -> dict[str, Any]:
    """Read a mask and write it into `folder` as `NAME`. Plain data, see `written`.

    Raises Unacceptable for another shape than the image's and for a mask under which nothing may
    change, or whatever Pillow raises.
    """
    prepare(source, kind, limits)
    with Image.open(source, formats=[kind]) as opened:
        checked_size(opened.size, limits, kind)
        if not is_shaped(opened.size, wish.size):
            raise Unacceptable("mask_shape", " × ".join(map(str, wish.size)))
        opened.load()
        grey = greys(opened)
    size = fitted(grey.size, DISPLAY_SIDE)
    grey = grey if size == grey.size else grey.resize(size, Image.Resampling.BILINEAR)
    return written(finished(grey, wish), folder)


def from_rectangle(wish: Wish) -> Image.Image | None:
    """A mask drawn from its wish alone, in L mode; None where everything may change.

    Raises Unacceptable for a rectangle outside the image.
    """
    return finished(Image.new("L", fitted(wish.size, DRAWN_SIDE)), wish)


def is_shaped(size: tuple[int, int], wanted: tuple[int, int]) -> bool:
    """Whether two pictures have one shape, as far as whole pixels can have."""
    width, height = size
    ratio = wanted[0] / wanted[1]
    return abs(width - height * ratio) <= 1 + ratio or abs(height - width / ratio) <= 1 + 1 / ratio


def greys(opened: Image.Image) -> Image.Image:
    """The picture in L mode; nothing may change where it is transparent."""
    picture = eight_bits(opened)
    if picture.mode not in {"LA", "RGBA"}:
        return picture.convert("L")
    black = Image.new("L", picture.size)
    black.paste(picture.convert("L"), mask=picture.getchannel("A"))
    return black


def finished(grey: Image.Image, wish: Wish) -> Image.Image | None:
    """With rectangle and soft edge; None where everything may change. Raises Unacceptable."""
    if wish.rectangle is not None:
        grey = ImageChops.lighter(grey, drawn(wish.rectangle, grey.size))
    low, high = grey.getextrema()
    if low >= FULL:  # type: ignore[operator]
        return None
    radius = min(wish.feather, SOFTEST) * max(grey.size) / EDGE
    if radius > 0:
        grey = grey.filter(ImageFilter.GaussianBlur(radius))
        high = grey.getextrema()[1]
    if high < FAINT:  # type: ignore[operator]
        raise Unacceptable("mask_empty")
    return grey


def drawn(rectangle: Rectangle, size: tuple[int, int]) -> Image.Image:
    """A white rectangle on black, at least a pixel wide."""
    left, top, width, height = rectangle
    columns = edges(left, width, size[0])
    rows = edges(top, height, size[1])
    sheet = Image.new("L", size)
    ImageDraw.Draw(sheet).rectangle((columns[0], rows[0], columns[1], rows[1]), fill=255)
    return sheet


def edges(begin: float, length: float, side: int) -> tuple[int, int]:
    """First and last pixel of a stretch given in shares of a side. Raises Unacceptable outside."""
    if not (0 <= begin < 1 and 0 < length <= 1):
        raise Unacceptable("mask_rectangle")
    first = min(side - 1, round(begin * side))
    return first, max(first, min(side, round((begin + length) * side)) - 1)


def written(grey: Image.Image | None, folder: str) -> dict[str, Any]:
    """Write a mask as PNG. Its size and share; {"full": True} where everything may change."""
    if grey is None:
        return {"full": True}
    Path(folder, NAME).write_bytes(encoded(grey))
    return {"width": grey.width, "height": grey.height, "share": share(grey)}


def encoded(grey: Image.Image) -> bytes:
    """As PNG without any metadata."""
    out = io.BytesIO()
    Image.frombytes("L", grey.size, grey.tobytes()).save(out, "PNG")
    return out.getvalue()


def share(grey: Image.Image) -> float:
    """How much of the image may change, 0 to 1."""
    counts = grey.histogram()
    return round(sum(n * value for value, n in enumerate(counts)) / 255 / sum(counts), 5)
