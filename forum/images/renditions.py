"""Display and thumbnail of a picture, the only forms in which people see it. Pillow, no Django."""

import io
from dataclasses import dataclass

from PIL import Image

#: Longest sides in pixels. 2048 fills a laptop's screen, 512 a card on a phone of double density.
DISPLAY_SIDE, THUMB_SIDE = 2048, 512

#: WebP quality, and effort from 0 to 6: beyond 2, display takes 2.5 times as long for 3 % fewer bytes.
DISPLAY_QUALITY, DISPLAY_EFFORT = 86, 2
THUMB_QUALITY, THUMB_EFFORT = 80, 0

MIME, SUFFIX = "image/webp", ".webp"


@dataclass(frozen=True, slots=True)
class Rendition:
    """One encoded form of a picture: WebP without any metadata."""

    role: str
    data: bytes
    width: int
    height: int


def renditions(picture: Image.Image) -> tuple[Rendition, Rendition]:
    """Display (longest side <= 2048 px) and thumb (<= 512 px) of an upright RGB picture in sRGB."""
    shown = resized(picture, DISPLAY_SIDE)
    display = _encoded("display", shown, DISPLAY_QUALITY, DISPLAY_EFFORT)
    return display, thumbnail(shown)


def thumbnail(picture: Image.Image) -> Rendition:
    """The thumb alone (longest side <= 512 px)."""
    return _encoded("thumb", resized(picture, THUMB_SIDE), THUMB_QUALITY, THUMB_EFFORT)


def fitted(size: tuple[int, int], side: int) -> tuple[int, int]:
    """`size` scaled down so that its longest side is at most `side`, never below one pixel."""
    width, height = size
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resized(picture: Image.Image, side: int) -> Image.Image:
    """`picture` with its longest side at most `side`. Smaller ones come back as they are."""
    size = fitted(picture.size, side)
    if size == picture.size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)


def _encoded(role: str, picture: Image.Image, quality: int, effort: int) -> Rendition:
    out = io.BytesIO()
    # A picture of our own making carries no info, so nothing foreign can ride along.
    picture.info.clear()
    picture.save(out, "WEBP", quality=quality, method=effort)
    return Rendition(role, out.getvalue(), *picture.size)
