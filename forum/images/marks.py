"""Marks in a file that say it was made by a machine. What they say is hostile text: only names leave here.

Sources: IPTC digital source types (cv.iptc.org/newscodes/digitalsourcetype), C2PA 2.x (manifests in
JUMBF boxes), GB 45438-2025 (`TC260:AIGC`), and the text chunks that generators write.
"""

from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image

#: The name of a manifest of Content Credentials. Cameras sign too, so it alone is no mark of AI.
MANIFEST = "c2pa"

_USER_COMMENT, _DESCRIPTION, _SOFTWARE, _EXIF = 0x9286, 0x010E, 0x0131, 0x8769
_PROGRAMS = ("novelai", "midjourney", "dall-e", "dall·e", "stable diffusion", "firefly", "comfyui")


def marks(picture: Image.Image, data: bytes) -> list[str]:
    """Names of the marks found in an opened picture and its raw bytes, sorted."""
    return sorted({*_in_bytes(data), *_in_words(_words(picture))})


def _in_bytes(data: bytes) -> Iterator[str]:
    """Marks that stand uncompressed in the file, in XMP or inside a manifest."""
    if b"lgorithmicMedia" in data or b"compositeSynthetic" in data:
        yield "iptc-source-type"
    if b"TC260:AIGC" in data or b"tc260.org.cn/ns/AIGC" in data:
        yield "aigc"
    if b"c2pa" in data and b"jumb" in data:
        yield MANIFEST


_RULES: dict[str, Callable[[dict[str, str]], bool]] = {
    "a1111": lambda w: any("Steps: " in text and "Sampler: " in text for text in w.values()),
    "comfyui": lambda w: "workflow" in w and "prompt" in w or '"class_type"' in w.get("prompt", ""),
    "invokeai": lambda w: bool({"invokeai_metadata", "sd-metadata", "dream"} & w.keys()),
    "midjourney": lambda w: "Job ID: " in w.get("description", ""),
    "generator": lambda w: any(name in w.get("software", "").lower() for name in _PROGRAMS),
    "iptc-source-type": lambda w: any("lgorithmicMedia" in text for text in w.values()),
    "aigc": lambda w: any("TC260:AIGC" in text for text in w.values()),
}


def _in_words(words: dict[str, str]) -> Iterator[str]:
    return (name for name, holds in _RULES.items() if holds(words))


def _words(picture: Image.Image) -> dict[str, str]:
    """Text chunks and EXIF fields by lower-case name."""
    found = {
        str(k).lower(): _text(v) for k, v in picture.info.items() if isinstance(v, str | bytes)
    }
    for name in ("exif", "icc_profile"):
        found.pop(name, None)
    found.update(_exif_words(picture))
    return found


def _exif_words(picture: Image.Image) -> dict[str, str]:
    try:
        exif = picture.getexif()
        inner = exif.get_ifd(_EXIF)
    except Exception:  # a broken EXIF block raises nearly anything, and is no reason to refuse
        return {}
    fields = {
        "user comment": inner.get(_USER_COMMENT),
        "exif description": exif.get(_DESCRIPTION),
        "software": exif.get(_SOFTWARE),
    }
    return {name: _text(value) for name, value in fields.items() if value}


def _text(value: Any) -> str:
    """Text of a chunk or an EXIF field; user comments may come in UTF-16 after an eight-byte name."""
    if not isinstance(value, bytes):
        return str(value)
    if value.startswith(b"UNICODE\0"):
        order = "utf-16-le" if value[9:10] == b"\0" else "utf-16-be"
        return value[8:].decode(order, "replace")
    return value.decode("utf-8", "replace")
