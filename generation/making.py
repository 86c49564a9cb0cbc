"""Carries orders out in the device host: sources in, an engine's work, files and vectors out.

Orders and answers are plain data (see `KINDS` in `ordering.py`). Imports Pillow and numpy, and
whatever the engines do; no Django.
"""

import hashlib
import io
import os
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from generation import comparing, engines, filming, looking
from generation.engines.base import (
    Edits,
    EngineError,
    Failed,
    Item,
    Made,
    Preset,
    Progress,
    SourceRefused,
)
from generation.engines.descriptors import on_white
from generation.engines.pdq import pdq
from generation.requests import EditRequest, LooksRequest

#: Our own renditions and masters; nothing else is ever decoded here.
KINDS = ("JPEG", "PNG", "WEBP")
#: Seconds between two preview frames of one job.
FRAME_EVERY = 0.25
FRAME_SIDE = 256
#: Frames kept of one job, evenly spread.
KEPT = 8
#: Decoded sources kept in memory, of at most 5 MB each with the darkroom.
REMEMBERED = 4
#: Pixels beyond which a source is refused: a stored file of ours never has as many.
MOST_PIXELS = 120_000_000

Say = Callable[..., None]
Image.MAX_IMAGE_PIXELS = MOST_PIXELS


@dataclass(slots=True)
class Strip:
    """Small frames of one job as they come: shown a few times a second, a few kept.

    When twice as many as wanted are held, every second one goes, so that memory stays bounded and
    the kept ones stay evenly spread however many come.
    """

    say: Say
    job: str
    encoder: Executor
    frames: list[Image.Image] = field(default_factory=list)
    _seen: int = 0
    _stride: int = 1
    _shown_at: float = float("-inf")

    def take(self, progress: Progress) -> None:
        """Report a step; show its frame if the last one is old enough; keep it if its turn is."""
        frame = progress.frame
        now = time.monotonic()
        words = {"step": progress.step, "total": progress.total, "stage": progress.stage}
        if frame is not None and now - self._shown_at >= FRAME_EVERY:
            self._shown_at = now
            self.encoder.submit(self._show, frame, words)
        else:
            self.say(say="step", id=self.job, **words)
        if frame is not None:
            self._keep(frame)

    def _show(self, frame: Image.Image, words: dict[str, Any]) -> None:
        self.say(jpeg(frame), say="step", id=self.job, **words)

    def _keep(self, frame: Image.Image) -> None:
        if self._seen % self._stride == 0:
            self.frames.append(frame)
            if len(self.frames) >= 2 * KEPT:
                del self.frames[1::2]
                self._stride *= 2
        self._seen += 1

    def chosen(self) -> list[Image.Image]:
        """At most `KEPT` frames, evenly spread, first and last among them."""
        count = len(self.frames)
        if count <= KEPT:
            return self.frames
        return [self.frames[round(n * (count - 1) / (KEPT - 1))] for n in range(KEPT)]


class Workshop:
    """Engines, loaded on first use and kept warm."""

    def __init__(self, encoder: Executor | None = None) -> None:
        self._editors: dict[str, Edits] = {}
        self._loaded: dict[str, Preset] = {}
        self._embedders: dict[str, Any] = {}
        self._sources: dict[tuple[str, int, int], Image.Image] = {}
        self._encoder = encoder or ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._files = ThreadPoolExecutor(3, thread_name_prefix="files")

    def warm(
        self, order: dict[str, Any], say: Say, cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        """Load engines and compute the descriptor's tables, which the first picture would wait for."""
        for words in order["presets"]:
            self.editor(preset_from(words))
        grey = Image.new("RGB", (64, 64), (90, 120, 150))
        self.vectors(("wf1",), grey)
        pdq(grey)
        return {"say": "warm"}

    def carry_out(
        self, order: dict[str, Any], say: Say, cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        """One order, its answer as plain data. Raises `EngineError`, `OSError`, `MemoryError`."""
        return VERBS[order["do"]](self, order, say, cancelled)

    def film(
        self, order: dict[str, Any], say: Say, cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        """A film of stored pictures."""
        return filming.film(order, Strip(say, order["id"], self._encoder).take, cancelled)

    def embed(
        self, order: dict[str, Any], say: Say, cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        """Vectors and PDQ of a stored picture."""
        picture = opened(order["source"], None)
        digits, quality = pdq(picture)
        vectors = self.vectors(order["models"], picture)
        return {"say": "embedded", "vectors": vectors, "pdq": digits, "pdq_quality": quality}

    def looks(
        self, order: dict[str, Any], say: Say, cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        """A sheet of looks of a stored picture, written beside its final place."""
        editor = self.editor(preset_from(order["preset"]))
        wanted = LooksRequest.from_json(order["request"])
        row, names = looking.sheet(editor, wanted, opened(order["source"], None), cancelled)
        return {
            "say": "looked",
            "names": names,
            "file": written(row, looking.place_of(order), looking.KIND),
        }

    def edit(
        self, order: dict[str, Any], say: Say, cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        """One picture from others: written beside its final place, with what is known of it."""
        begun = time.perf_counter()
        preset = preset_from(order["preset"])
        item = Item(
            id=order["id"],
            request=EditRequest.from_json(order["request"]),
            sources=[self.source(path, preset.max_side) for path in order["sources"]],
        )
        if order["mask"] is not None and item.sources:
            item.mask = mask(order["mask"], item.sources[0].size)
        strip = Strip(say, item.id, self._encoder)
        editor = self.editor(preset)
        ready = time.perf_counter()
        made = one(editor, item, strip, cancelled)
        if (kept_one := order.get("compare_to")) is not None:
            kind = LOSSY if lossy(kept_one["path"]) else LOSSLESS
            return comparing.answer(made, kept_one["path"], kept_one["sha256"], kind)
        edited = time.perf_counter()
        stem = Path(order["folder"]) / order["stem"]
        # What a mask keeps out of reach stays as it is, to the bit: so nothing lossy there.
        from_lossy = item.mask is None and any(map(lossy, order["sources"]))
        master = self._files.submit(master_of, made.picture, stem, from_lossy)
        small = self._files.submit(kept, strip.chosen(), stem)
        hashed = self._files.submit(pdq, made.picture)
        vectors = self.vectors(item.request.embed, made.picture)
        digits, quality = hashed.result()
        words = {
            "say": "made",
            "recipe": made.recipe,
            "vectors": vectors,
            "pdq": digits,
            "pdq_quality": quality,
            "file": master.result(),
            "strip": small.result(),
        }
        words["milliseconds"] = {
            "sources": milliseconds(begun, ready),
            "engine": milliseconds(ready, edited),
            "files": milliseconds(edited, time.perf_counter()),
        }
        return words

    def source(self, path: str, most: int) -> Image.Image:
        """A decoded source; the last few are kept, for an image is often answered many times.

        Stored files never change under their names, and copies have names of their own.
        """
        key = (path, most, os.stat(path).st_mtime_ns if os.path.exists(path) else 0)
        picture = self._sources.pop(key, None) or opened(path, most)
        self._sources[key] = picture
        while len(self._sources) > REMEMBERED:
            del self._sources[next(iter(self._sources))]
        return picture.copy()

    def editor(self, preset: Preset) -> Edits:
        """The engine of this preset, loaded for it."""
        editor = self._editors.get(preset.engine)
        if editor is None:
            editor = self._editors[preset.engine] = engines.editor(preset.engine)
        if self._loaded.get(preset.engine) != preset:
            editor.load(preset)
            self._loaded[preset.engine] = preset
        return editor

    def vectors(self, models: "list[str] | tuple[str, ...]", picture: Image.Image) -> list[Any]:
        """Embeddings of a picture, float32 numbers of unit length, as plain lists."""
        found = []
        for name in models:
            if name not in self._embedders:
                self._embedders[name] = engines.embedder(name)
            numbers = self._embedders[name].embed(picture)
            # Eight digits tell any two float32 of this size apart, and half as many bytes travel.
            found.append({"model": name, "numbers": [round(float(n), 8) for n in numbers]})
        return found


Verb = Callable[[Workshop, dict[str, Any], Say, Callable[[], bool]], dict[str, Any]]
#: What a host can be told to do, by "do" of the order; `ordering.KINDS` names these.
VERBS: dict[str, Verb] = {
    "warm": Workshop.warm,
    "edit": Workshop.edit,
    "embed": Workshop.embed,
    "film": Workshop.film,
    "looks": Workshop.looks,
}


def one(editor: Edits, item: Item, strip: Strip, cancelled: Callable[[], bool]) -> Made:
    """The one picture of a batch of one. Raises what the engine says of a failure."""
    for answer in editor.edit([item], strip.take, lambda _: cancelled()):
        if isinstance(answer, Failed):
            raise answer.error
        return answer
    raise EngineError("The engine gave no answer.")


def preset_from(words: dict[str, Any]) -> Preset:
    """A preset from its JSON form."""
    return Preset(**{**words, "buckets": tuple(words["buckets"])})


def opened(path: str, most: int | None) -> Image.Image:
    """A stored picture of ours as RGB, its longer side at most `most` pixels.

    Raises `SourceRefused` when it is gone or cannot be read.
    """
    try:
        with Image.open(path, formats=KINDS) as stored:
            if most is not None:
                # JPEG can be decoded at an eighth of its size at once; nothing sharper is lost.
                stored.draft("RGB", (most, most))
            stored.load()
            picture = on_white(stored)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise SourceRefused("A source image could not be read.") from error
    if most is not None and max(picture.size) > most:
        picture.thumbnail((most, most), Image.Resampling.HAMMING, reducing_gap=2.0)
    return picture


def mask(path: str, size: tuple[int, int]) -> Image.Image:
    """A stored mask in L mode, as large as the picture it is for."""
    grey = opened(path, None).convert("L")
    return grey if grey.size == size else grey.resize(size, Image.Resampling.BILINEAR)


#: For what comes of lossless sources. Effort 0 of method 0: measured a third of the time of Pillow's
#: default effort, and 3 per cent more bytes.
LOSSLESS = ("WEBP", {"lossless": True, "method": 0, "quality": 0})
#: For what comes of lossy ones: there is no sharper truth to keep. Measured at 1280 x 960: 7 ms and
#: 340 kB of CPU and disk, where lossless WebP takes 80 ms and 1,175 kB. Full colour resolution, so
#: that an answer to an answer keeps its edges.
LOSSY = ("JPEG", {"quality": 95, "subsampling": 0})
SMALL = ("WEBP", {"method": 0, "quality": 75})


def lossy(path: str) -> bool:
    """Whether a stored picture is a JPEG or a lossy WebP, by its first bytes."""
    with open(path, "rb") as stored:
        head = stored.read(4096)
    return head.startswith(b"\xff\xd8") or (head[8:12] == b"WEBP" and b"VP8 " in head)


def master_of(picture: Image.Image, stem: Path, from_lossy: bool) -> dict[str, Any]:
    """Write the finished picture, as exactly as its sources deserve."""
    kind = LOSSY if from_lossy else LOSSLESS
    return written(picture, stem.with_name(f"{stem.name}.{SUFFIX[kind[0]]}"), kind)


SUFFIX = {"WEBP": "webp", "JPEG": "jpg"}


def written(picture: Image.Image, path: Path, kind: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    """Encode, write aside as `path`.part, flush to the disk; facts about the file."""
    encoded = io.BytesIO()
    name, options = kind
    picture.save(encoded, name, **options)
    content = encoded.getbuffer()
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return {
        "path": str(unfinished),
        "mime": f"image/{name.lower()}",
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "width": picture.width,
        "height": picture.height,
    }


def kept(frames: list[Image.Image], stem: Path) -> list[dict[str, Any]]:
    """Write the kept preview frames."""
    return [written(frame, Path(f"{stem}-{n}.webp"), SMALL) for n, frame in enumerate(frames)]


def jpeg(frame: Image.Image) -> bytes:
    """A preview of about 5 kB."""
    if max(frame.size) > FRAME_SIDE:
        frame = frame.copy()
        frame.thumbnail((FRAME_SIDE, FRAME_SIDE))
    encoded = io.BytesIO()
    frame.convert("RGB").save(encoded, "JPEG", quality=60)
    return encoded.getvalue()


def milliseconds(begin: float, end: float) -> int:
    """Whole milliseconds between two `time.perf_counter` values."""
    return round((end - begin) * 1000)
