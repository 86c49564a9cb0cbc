"""Makes films of pictures that exist: animated WebP with Pillow, MP4 with PyAV where it is installed.

Frames stream: two pictures and the frame between them are in memory, whatever the film's length,
beside what the encoder keeps of the finished film.
"""

import hashlib
import importlib
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from generation.engines.base import Cancelled, EngineError, Progress, SourceRefused
from generation.host.troubles import of_storage

#: Frames a second of a dissolve.
PACE = 12
#: Limits: pictures, longer side in pixels, seconds that one stays or dissolves, bytes of the film.
MOST_SHOTS, MOST_SIDE, MOST_SECONDS, MOST_BYTES = 48, 1080, 10.0, 40_000_000
#: What stands around pictures of another shape: the paper of the darkroom.
GROUND = (20, 18, 16)
SMALL = 256
WEBP = {"quality": 78, "method": 2, "minimize_size": False, "kmin": 9, "kmax": 17, "loop": 0}
#: The first of these that the build of FFmpeg has. All play in browsers but the last.
CODECS = ("libx264", "libopenh264", "h264_videotoolbox", "mpeg4")
FONTS = ("NotoSansCJK-Regular.ttc", "NotoSerifCJK-Regular.ttc", "DejaVuSans.ttf")

Take = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Score:
    """Times of a film in whole frames and milliseconds."""

    shots: int
    hold: int
    #: Frames of one dissolve.
    steps: int

    @property
    def frames(self) -> int:
        """Pictures and what lies between them."""
        return self.shots + (self.shots - 1) * self.steps

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return round((self.shots * self.hold + (self.frames - self.shots) * 1000 / PACE) / 1000, 2)


def film(order: dict[str, Any], take: Take, cancelled: Callable[[], bool]) -> dict[str, Any]:
    """Make the film of an order (see `ordering.film_order`); what the host says of it.

    Raises `SourceRefused` for pictures that cannot be read, `Cancelled`, `EngineError`.
    """
    words = order["film"]
    shots = words["shots"]
    if not 2 <= len(shots) <= MOST_SHOTS:
        raise SourceRefused(f"A film is made of 2 to {MOST_SHOTS} pictures.")
    side = min(MOST_SIDE, max(16, int(words["side"])))
    hold, fade = (min(MOST_SECONDS, max(0.0, float(words[key]))) for key in ("hold", "fade"))
    score = Score(len(shots), max(100, round(hold * 1000)), round(fade * PACE))
    size = canvas([each["path"] for each in shots], side)
    reel = watched(frames(shots, size, score), order["id"], score, take, cancelled)
    path = Path(order["folder"]) / f"{order['stem']}.{words['format']}.part"
    write = WRITERS.get(words["format"])
    if write is None:
        raise EngineError(f"There are no films of the kind {words['format']!r:.20}.")
    write(path, reel, size, score)
    return {
        "say": "filmed",
        "file": facts(path, words["format"], size),
        "frames": score.frames,
        "seconds": score.seconds,
    }


def canvas(paths: list[str], side: int) -> tuple[int, int]:
    """Width and height that hold every picture at a longer side of `side`; even, as video needs."""
    fitted = [fit(size_of(path), side) for path in paths]
    width, height = (max(each[axis] for each in fitted) for axis in (0, 1))
    return max(16, width // 2 * 2), max(16, height // 2 * 2)


def size_of(path: str) -> tuple[int, int]:
    """Width and height of a stored picture. Raises `SourceRefused`."""
    with opened(path) as picture:
        return picture.size


def opened(path: str) -> Image.Image:
    """A stored picture, not decoded yet. Raises `SourceRefused`, `OSError` from the storage."""
    try:
        return Image.open(path, formats=("JPEG", "PNG", "WEBP"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        if of_storage(error):
            raise
        raise SourceRefused("A picture of the film could not be read.") from error


def fit(size: tuple[int, int], side: int) -> tuple[int, int]:
    """A size scaled so that its longer side is `side`."""
    scale = side / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def laid(shot: dict[str, str], size: tuple[int, int]) -> Image.Image:
    """A picture of the film on its ground, with its title where it has one. Raises `SourceRefused`."""
    try:
        with opened(shot["path"]) as stored:
            stored.draft("RGB", size)
            picture = stored.convert("RGB")
    except (OSError, ValueError, SyntaxError) as error:
        if of_storage(error):
            raise
        raise SourceRefused("A picture of the film could not be read.") from error
    scale = min(size[0] / picture.width, size[1] / picture.height)
    fitted = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    picture = picture.resize(fitted, Image.Resampling.LANCZOS, reducing_gap=2.0)
    sheet = Image.new("RGB", size, GROUND)
    sheet.paste(picture, ((size[0] - picture.width) // 2, (size[1] - picture.height) // 2))
    if shot["title"]:
        write_title(sheet, shot["title"])
    return sheet


def write_title(sheet: Image.Image, title: str) -> None:
    """Words in two lines at most at the lower edge, in place, light on a dark band."""
    size = max(12, sheet.height // 24)
    font = a_font(size)
    pen = ImageDraw.Draw(sheet, "RGBA")
    lines = broken(title, lambda text: pen.textlength(text, font) <= sheet.width * 0.92)
    tall = round(size * 1.35)
    top = sheet.height - tall * len(lines) - size // 2
    pen.rectangle((0, top - size // 2, sheet.width, sheet.height), fill=(0, 0, 0, 150))
    for number, line in enumerate(lines):
        place = (sheet.width / 2, top + number * tall)
        pen.text(place, line, font=font, fill=(240, 236, 228), anchor="ma")


def broken(text: str, fits: Callable[[str], bool], most: int = 2) -> list[str]:
    """Text in lines that fit, cut with an ellipsis after the last; Chinese breaks anywhere."""
    words = text.split() if " " in text.strip() else list(text.strip())
    joint = " " if " " in text.strip() else ""
    lines = [""]
    for word in words:
        longer = f"{lines[-1]}{joint}{word}" if lines[-1] else word
        if fits(longer) or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < most:
            lines.append(word)
        else:
            lines[-1] += "…"
            break
    return lines


def a_font(size: int) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    """A font of the machine that knows Chinese if there is one, else Pillow's own."""
    for name in FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def frames(
    shots: list[dict[str, str]], size: tuple[int, int], score: Score
) -> Iterator[tuple[Image.Image, int]]:
    """Every frame in turn with its milliseconds: a picture, then its way to the next."""
    before: Image.Image | None = None
    for shot in shots:
        now = laid(shot, size)
        if before is not None:
            for step in range(1, score.steps + 1):
                # Slow, quick, slow: half a wave of a cosine.
                share = 0.5 - 0.5 * math.cos(math.pi * step / (score.steps + 1))
                yield Image.blend(before, now, share), round(1000 / PACE)
        yield now, score.hold
        before = now


def watched(
    reel: Iterator[tuple[Image.Image, int]],
    film_id: str,
    score: Score,
    take: Take,
    cancelled: Callable[[], bool],
) -> Iterator[tuple[Image.Image, int]]:
    """The same frames, each told of. Raises `Cancelled` when nobody waits for them any more."""
    for number, (picture, milliseconds) in enumerate(reel, start=1):
        if cancelled():
            raise Cancelled
        small = None
        if milliseconds == score.hold:
            small = picture.copy()
            small.thumbnail((SMALL, SMALL))
        take(Progress(film_id, number, score.frames, "film", small))
        yield picture, milliseconds


class Reel(Image.Image):
    """Frames that come one by one, as the picture of many frames that Pillow saves."""

    def __init__(self, source: Iterator[tuple[Image.Image, int]], score: Score) -> None:
        super().__init__()
        self._source, self.n_frames, self._place = source, score.frames, -1
        self.milliseconds: list[int] = []
        self.seek(0)

    def tell(self) -> int:
        """The frame it stands at."""
        return 0

    def seek(self, frame: int) -> None:
        """Take the next frame; what has gone by does not come back."""
        if frame <= self._place:
            return
        picture, milliseconds = next(self._source)
        self._place = frame
        self.milliseconds.append(milliseconds)
        self.im, self._size, self._mode = picture.im, picture.size, picture.mode


def write_webp(
    path: Path, reel: Iterator[tuple[Image.Image, int]], size: tuple[int, int], score: Score
) -> None:
    """An animated WebP."""
    made = Reel(reel, score)
    # Pillow reads times by index as it goes, so the list may still be growing.
    made.save(path, "WEBP", save_all=True, duration=made.milliseconds, **WEBP)


def write_mp4(
    path: Path, reel: Iterator[tuple[Image.Image, int]], size: tuple[int, int], score: Score
) -> None:
    """An MP4 that browsers play. Raises `EngineError` where the package `av` is missing."""
    try:
        av: Any = importlib.import_module("av")
    except ImportError as error:
        raise EngineError("MP4 is not available here: the package av is not installed.") from error
    codec = next(name for name in CODECS if name in av.codecs_available)
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as box:
        stream = box.add_stream(codec, rate=PACE)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 2_000_000
        if codec == "libx264":
            stream.options = {"crf": "22", "preset": "veryfast"}
        stream.thread_count = 1
        for picture, milliseconds in reel:
            shown = av.VideoFrame.from_image(picture)
            for _ in range(max(1, round(milliseconds * PACE / 1000))):
                shown.pts = None
                box.mux(stream.encode(shown))
        box.mux(stream.encode())


WRITERS = {"webp": write_webp, "mp4": write_mp4}
MIMES = {"webp": "image/webp", "mp4": "video/mp4"}


def facts(path: Path, kind: str, size: tuple[int, int]) -> dict[str, Any]:
    """What is known of the finished file, which is on the disk when this returns."""
    digest, length = hashlib.sha256(), 0
    with path.open("rb") as made:
        while piece := made.read(1 << 20):
            digest.update(piece)
            length += len(piece)
        os.fsync(made.fileno())
    if length > MOST_BYTES:
        path.unlink()
        raise EngineError("The film became too large.")
    return {
        "path": str(path),
        "mime": MIMES[kind],
        "bytes": length,
        "sha256": digest.hexdigest(),
        "width": size[0],
        "height": size[1],
    }
