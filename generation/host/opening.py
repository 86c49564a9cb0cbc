"""Opens stored pictures of ours in the device host: sources and masks, decoded and small enough."""

from PIL import Image

from generation.engines.base import SourceRefused
from generation.engines.descriptors import on_white
from generation.host.troubles import of_storage

#: Our own renditions and masters; nothing else is ever decoded here.
KINDS = ("JPEG", "PNG", "WEBP")
#: Pixels beyond which a source is refused: a stored file of ours never has as many.
MOST_PIXELS = 120_000_000

Image.MAX_IMAGE_PIXELS = MOST_PIXELS


def opened(path: str, most: int | None) -> Image.Image:
    """A stored picture of ours as RGB, its longer side at most `most` pixels.

    Raises `SourceRefused` when it cannot be read as a picture, `OSError` when the storage does not
    give it: it may be away for a while, and another try helps.
    """
    try:
        with Image.open(path, formats=KINDS) as stored:
            if most is not None:
                # JPEG can be decoded at an eighth of its size at once; nothing sharper is lost.
                stored.draft("RGB", (most, most))
            stored.load()
            picture = on_white(stored)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if of_storage(error):
            raise
        raise SourceRefused("A source image could not be read.") from error
    if most is not None and max(picture.size) > most:
        picture.thumbnail((most, most), Image.Resampling.HAMMING, reducing_gap=2.0)
    return picture


def mask(path: str, size: tuple[int, int]) -> Image.Image:
    """A stored mask in L mode, as large as the picture it is for."""
    grey = opened(path, None).convert("L")
    return grey if grey.size == size else grey.resize(size, Image.Resampling.BILINEAR)
