"""Compares a picture that was made again with the one that was kept: "run again".

Pillow and numpy. The kept file is JPEG, lossless WebP or an animated WebP (see `encoding.py`), so what
was made now goes through the same encoder before pixels are compared: only then can an equal run be
found equal.
"""

import hashlib
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from generation.engines.base import Made, SourceRefused
from generation.engines.descriptors import on_white
from generation.engines.pdq import TRUSTED, hamming, pdq
from generation.host.encoding import LOSSLESS, LOSSY, encoded, lossy, moving
from generation.host.troubles import of_storage

#: Pixels compared at a time, so that a large picture takes little memory beside itself.
BAND = 1_000_000


def answer(made: Made, path: str, sha256: str) -> dict[str, Any]:
    """What the host says of a rerun, see `RerunResult`.

    `path` is the kept picture, `sha256` the hash its row has. Raises `SourceRefused` when it is no
    picture, `OSError` when the storage does not give it.
    """
    try:
        stored = Path(path).read_bytes()
        kind = kind_of(made, path)
    except OSError as error:
        if of_storage(error):
            raise
        raise SourceRefused("The stored picture could not be read.") from error
    now = decoded(encoded(made.picture, kind))
    found = compared(now, decoded(stored))
    found |= {
        "recipe": made.recipe,
        "intact": hashlib.sha256(stored).hexdigest() == sha256,
        "size": list(now[0].size),
    }
    return {"say": "compared", "comparison": found}


def kind_of(made: Made, path: str) -> tuple[str, dict[str, Any]]:
    """Pillow's format and options by which the kept picture was saved, and this one would be."""
    if made.frames:
        return moving(made.frames, made.fps)
    return LOSSY if lossy(path) else LOSSLESS


def decoded(stored: bytes) -> list[Image.Image]:
    """A stored picture as RGB, and all further frames of what moves. Raises `SourceRefused`."""
    try:
        with Image.open(io.BytesIO(stored), formats=("JPEG", "PNG", "WEBP")) as opened:
            return [on_white(frame) for frame in ImageSequence.Iterator(opened)]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SourceRefused("The stored picture could not be read.") from error


def compared(now: Sequence[Image.Image], kept: Sequence[Image.Image]) -> dict[str, Any]:
    """Pixel for pixel and by perceptual hash; the fields of `RerunResult` that come of pixels.

    Of what moves each frame is compared with its own; the hashes are those of the frames furthest
    apart.
    """
    pairs = list(zip(now, kept, strict=False))
    hashes = [bits for pair in pairs if (bits := distance(*pair)) is not None]
    found: dict[str, Any] = {"identical": False, "pdq_distance": max(hashes, default=None)}
    if [each.size for each in now] != [each.size for each in kept]:
        return found
    largest, total, differing = 0, 0, 0
    for one, two in (band for pair in pairs for band in bands(*pair)):
        apart = np.abs(one - two)
        largest = max(largest, int(apart.max()))
        total += int(apart.sum())
        differing += int(np.count_nonzero(apart.max(axis=2)))
    pixels = sum(each.width * each.height for each in now)
    return found | {
        "identical": largest == 0,
        "largest": largest,
        "mean": round(total / (3 * pixels), 4),
        "differing": round(differing / pixels, 6),
    }


def bands(now: Image.Image, kept: Image.Image) -> "Iterator[tuple[Any, Any]]":
    """Both pictures from top to bottom in strips of rows, as int16 of shape (rows, width, 3)."""
    rows = max(1, BAND // now.width)
    for top in range(0, now.height, rows):
        box = (0, top, now.width, min(now.height, top + rows))
        yield np.asarray(now.crop(box), np.int16), np.asarray(kept.crop(box), np.int16)


def distance(now: Image.Image, kept: Image.Image) -> int | None:
    """Bits in which the PDQ hashes differ; None where one of the pictures is too plain to be hashed."""
    (one, certain), (two, also) = pdq(now), pdq(kept)
    return hamming(one, two) if min(certain, also) >= TRUSTED else None
