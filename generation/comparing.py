"""Compares a picture that was made again with the one that was kept: "run again".

Pillow and numpy. The kept file is JPEG or lossless WebP (see `making.py`), so what was made now goes
through the same encoder before pixels are compared: only then can an equal run be found equal.
"""

import hashlib
import io
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from generation.engines.base import Made, SourceRefused
from generation.engines.descriptors import on_white
from generation.engines.pdq import TRUSTED, hamming, pdq


def answer(made: Made, path: str, sha256: str, kind: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """What the host says of a rerun, see `RerunResult`.

    `path` is the kept picture, `sha256` the hash its row has, `kind` Pillow's format and options of
    its encoding. Raises `SourceRefused` when it cannot be read.
    """
    try:
        stored = Path(path).read_bytes()
    except OSError as error:
        raise SourceRefused("The stored picture could not be read.") from error
    kept = decoded(stored)
    now = through(made.picture, kind)
    found = compared(now, kept)
    found |= {
        "recipe": made.recipe,
        "intact": hashlib.sha256(stored).hexdigest() == sha256,
        "size": list(now.size),
    }
    return {"say": "compared", "comparison": found}


def decoded(stored: bytes) -> Image.Image:
    """A stored picture as RGB. Raises `SourceRefused`."""
    try:
        with Image.open(io.BytesIO(stored), formats=("JPEG", "PNG", "WEBP")) as opened:
            opened.load()
            return on_white(opened)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SourceRefused("The stored picture could not be read.") from error


def through(picture: Image.Image, kind: tuple[str, dict[str, Any]]) -> Image.Image:
    """The picture as it would be read back from its file."""
    encoded = io.BytesIO()
    name, options = kind
    picture.save(encoded, name, **options)
    return decoded(encoded.getvalue())


def compared(now: Image.Image, kept: Image.Image) -> dict[str, Any]:
    """Pixel for pixel and by perceptual hash; the fields of `RerunResult` that come of pixels."""
    found: dict[str, Any] = {"identical": False, "pdq_distance": distance(now, kept)}
    if now.size != kept.size:
        return found
    largest, total, differing = 0, 0, 0
    # Row by row in bands, so that a large picture takes little memory beside itself.
    band = max(1, 1_000_000 // now.width)
    for top in range(0, now.height, band):
        box = (0, top, now.width, min(now.height, top + band))
        one, two = (np.asarray(each.crop(box), np.int16) for each in (now, kept))
        apart = np.abs(one - two)
        largest = max(largest, int(apart.max()))
        total += int(apart.sum())
        differing += int(np.count_nonzero(apart.max(axis=2)))
    pixels = now.width * now.height
    return found | {
        "identical": largest == 0,
        "largest": largest,
        "mean": round(total / (3 * pixels), 4),
        "differing": round(differing / pixels, 6),
    }


def distance(now: Image.Image, kept: Image.Image) -> int | None:
    """Bits in which the PDQ hashes differ; None where one of the pictures is too plain to be hashed."""
    (one, certain), (two, also) = pdq(now), pdq(kept)
    return hamming(one, two) if min(certain, also) >= TRUSTED else None
