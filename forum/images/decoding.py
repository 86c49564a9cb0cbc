"""Opens a stranger's picture, alone in a child process with limits. Pillow, no Django.

`child` is the entrance. It writes the display and the thumbnail into a folder and answers with at
most 64 kB of JSON. Whatever goes wrong ends here and becomes a code.
"""

import contextlib
import io
import json
import os
import resource
import signal
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from forum.images.marks import MANIFEST, marks
from forum.images.renditions import DISPLAY_SIDE, SUFFIX, fitted, renditions, resized

#: Plugins a stranger's file may reach; named here so that they are loaded and nothing else is.
PLUGINS = (
    AvifImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
#: Longest answer in bytes.
ANSWER = 64 * 1024

_ORIENTATION = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIXTEEN_BITS = {"I", "I;16", "I;16B", "I;16L", "I;16N"}


@dataclass(frozen=True, slots=True)
class Limits:
    """What one picture may cost. Pixels are counted in the header, before anything is unpacked."""

    pixels: int
    #: WebP and AVIF need several times the memory of their pixels.
    compact_pixels: int
    #: JPEG can be unpacked at a half, a quarter or an eighth.
    scaled_pixels: int
    shortest_side: int = 16
    longest_side: int = 12_000
    memory_bytes: int = 1536 * 1024**2
    cpu_seconds: int = 10
    wall_seconds: float = 15
    open_files: int = 64

    def pixels_of(self, kind: str) -> int:
        """The limit of pixels for this kind of file."""
        if kind == "JPEG":
            return self.scaled_pixels
        return self.compact_pixels if kind in {"WEBP", "AVIF"} else self.pixels


class Unacceptable(Exception):
    """A picture that is refused: a code of `refusals.TABLE` and the limit it names."""

    def __init__(self, code: str, limit: object = "") -> None:
        super().__init__(code)
        self.code = code
        self.answer = {"refused": code, "limit": limit}


#: Reads a file and writes what it made of it into a folder: see `decode`. A function of a module, for
#: it travels to the child by name.
Read = Callable[[str, str, str, Limits], dict[str, Any]]


def child(
    answer: Connection, source: str, folder: str, kind: str, limits: Limits, read: Read
) -> None:
    """Entrance of the child process: confine, read, answer once, end."""
    confine(limits)
    report = _report(read, source, folder, kind, limits)
    answer.send_bytes(json.dumps(report).encode()[:ANSWER])
    answer.close()


def _report(read: Read, source: str, folder: str, kind: str, limits: Limits) -> dict[str, Any]:
    try:
        report = read(source, folder, kind, limits)
    except Unacceptable as refusal:
        report = refusal.answer
    except MemoryError:
        report = {"refused": "too_costly", "why": "MemoryError"}
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        limit = limits.pixels_of(kind) // 1_000_000
        report = {"refused": "too_many_pixels", "limit": limit, "why": type(error).__name__}
    except Exception as error:
        # Under strict limits Pillow raises seven kinds of exception, and OSError is one of them.
        report = {"refused": "broken", "why": type(error).__name__}
    spent = resource.getrusage(resource.RUSAGE_SELF)
    return {**report, "peak_kb": spent.ru_maxrss, "cpu": spent.ru_utime + spent.ru_stime}


def confine(limits: Limits) -> None:
    """Give up what a decoder does not need, for good: memory, time, files, core dumps, environment."""
    for what, limit in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_NOFILE, limits.open_files),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(ValueError, OSError):  # some systems know no limit of memory
            resource.setrlimit(what, (limit, limit))
    # Ends the child even when the process that watches its time has died.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, limits.wall_seconds + 5)
    os.environ.clear()


def decode(source: str, folder: str, kind: str, limits: Limits) -> dict[str, Any]:
    """Read the first frame whole and write its renditions into `folder`. What was found, as plain data.

    `kind` is one of `sniffing.KINDS`. Raises Unacceptable, or whatever Pillow raises.
    """
    prepare(source, kind, limits)
    with Image.open(source, formats=[kind]) as opened:
        checked_size(opened.size, limits, kind)
        orientation = _orientation(opened)
        width, height = opened.size[::-1] if orientation >= 5 else opened.size
        opened.draft(None, fitted(opened.size, DISPLAY_SIDE))
        opened.load()
        if opened.mode == "P" and opened.palette is None:
            raise Unacceptable("broken")
        found = marks(opened, Path(source).read_bytes())
        picture = presentable(opened, orientation)
    files = [_written(folder, each) for each in renditions(picture)]
    return {
        "width": width,
        "height": height,
        "marks": [mark for mark in found if mark != MANIFEST],
        "manifest": MANIFEST in found,
        "files": files,
    }


def prepare(source: str, kind: str, limits: Limits) -> None:
    """Be strict from now on, and look whether the file is whole. Raises whatever Pillow raises."""
    # Other warnings are about metadata, which is thrown away anyhow.
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Pillow's own check comes before ours and guards frames as well; ours has the finer limits.
    Image.MAX_IMAGE_PIXELS = limits.longest_side**2
    if kind == "HEIF":
        from pillow_heif import register_heif_opener

        register_heif_opener()
    if kind == "PNG":
        with Image.open(source, formats=[kind]) as opened:
            opened.verify()  # check sums of all chunks, which loading skips


def presentable(opened: Image.Image, orientation: int) -> Image.Image:
    """Fresh RGB pixels in sRGB, upright, on white where they were transparent, at most 2048 px a side."""
    profile = opened.info.get("icc_profile")
    small = resized(eight_bits(opened), DISPLAY_SIDE)
    alpha = small.getchannel("A") if "A" in small.getbands() else None
    colours = in_srgb(
        small.convert("L" if small.mode == "LA" else "RGB") if alpha else small, profile
    )
    fresh = Image.new("RGB", colours.size, "white")
    fresh.paste(colours, mask=alpha)
    turn = _UPRIGHT.get(orientation)
    return fresh if turn is None else fresh.transpose(turn)


def eight_bits(opened: Image.Image) -> Image.Image:
    """The picture in L, LA, RGB, RGBA or CMYK, whatever mode it came in."""
    if opened.mode in _SIXTEEN_BITS:
        return opened.convert("I").point(lambda value: value * (1 / 257)).convert("L")
    see_through = "transparency" in opened.info or opened.mode in {"PA", "La", "RGBa"}
    if see_through and opened.mode not in {"LA", "RGBA"}:
        return opened.convert("RGBA")
    if opened.mode in {"L", "LA", "RGB", "RGBA", "CMYK"}:
        return opened
    return opened.convert("L" if opened.mode == "1" else "RGB")


def in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """RGB in sRGB. A profile that is broken or does not fit the pixels is dropped."""
    if profile:
        with contextlib.suppress(Exception):  # ImageCms.PyCMSError, OSError, TypeError, ValueError
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
            if turned is not None:
                return turned
    return picture.convert("RGB")


def checked_size(size: tuple[int, int], limits: Limits, kind: str) -> None:
    """Raises Unacceptable for a picture with too few pixels or too many."""
    width, height = size
    if min(size) < limits.shortest_side:
        raise Unacceptable("too_small", limits.shortest_side)
    if max(size) > limits.longest_side:
        raise Unacceptable("too_wide", limits.longest_side)
    if width * height > limits.pixels_of(kind):
        raise Unacceptable("too_many_pixels", limits.pixels_of(kind) // 1_000_000)


def _orientation(opened: Image.Image) -> int:
    """EXIF orientation, 1 to 8; 1 where it is missing or unreadable."""
    try:
        value = int(opened.getexif().get(_ORIENTATION, 1))
    except Exception:  # EXIF cut off, looping or absurd never refuses a good picture
        return 1
    return value if value in _UPRIGHT else 1


def _written(folder: str, rendition: Any) -> dict[str, Any]:
    name = f"{rendition.role}{SUFFIX}"
    Path(folder, name).write_bytes(rendition.data)
    return {
        "role": rendition.role,
        "name": name,
        "width": rendition.width,
        "height": rendition.height,
    }
