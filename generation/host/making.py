"""Carries orders out in the device host: sources in, an engine's work, files and vectors out.

Orders and answers are plain data (see `KINDS` in `ordering.py`). Imports Pillow and numpy, and
whatever the engines do; no Django.
"""

import os
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from generation import engines
from generation.engines.base import (
    Edits,
    EngineError,
    Failed,
    Item,
    Made,
    Preset,
)
from generation.engines.pdq import pdq
from generation.host import comparing, filming, looking
from generation.host.encoding import lossy, master_of, moving_of, written
from generation.host.opening import mask, opened
from generation.host.residents import Residents
from generation.host.strips import Say, Strip, kept
from generation.requests import EditRequest, LooksRequest

#: Decoded sources kept in memory, of at most 5 MB each with the darkroom; more where batches come.
REMEMBERED = 4


@dataclass(slots=True)
class Piece:
    """One picture to be made, from its order to its answer."""

    order: dict[str, Any]
    item: Item
    strip: Strip
    #: `time.perf_counter` when its sources were wanted, when they were there, when it was made.
    begun: float
    ready: float
    edited: float = 0.0


class Workshop:
    """Engines, loaded on first use and kept warm."""

    def __init__(self, encoder: Executor | None = None) -> None:
        self.residents = Residents()
        self._embedders: dict[str, Any] = {}
        self._sources: dict[tuple[str, int, int], Future[Image.Image]] = {}
        self._remembered = REMEMBERED
        self._lock = threading.Lock()
        self._encoder = encoder or ThreadPoolExecutor(1, thread_name_prefix="encoder")
        self._files = ThreadPoolExecutor(3, thread_name_prefix="files")
        # Not one of those: it waits for them.
        self._preparer = ThreadPoolExecutor(1, thread_name_prefix="preparer")
        self._foreseen: dict[str, Future[Piece]] = {}
        #: Finishes pictures of a batch while the device goes on.
        self.finisher = ThreadPoolExecutor(1, thread_name_prefix="finisher")

    def warm(
        self, order: dict[str, Any], say: Say, cancelled: Callable[[], bool]
    ) -> dict[str, Any]:
        """Load engines and compute the descriptor's tables, which the first picture would wait for."""
        begun = time.perf_counter()
        for preset in map(preset_from, order["presets"]):
            if not order.get("if_it_fits") or self.residents.fits(preset):
                self.residents.editor(preset)
        took = time.perf_counter() - begun
        grey = Image.new("RGB", (64, 64), (90, 120, 150))
        self.vectors(("wf1",), grey)
        pdq(grey)
        return {"say": "warm", "seconds": took, "facts": self.facts()}

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
        editor = self.residents.editor(preset_from(order["preset"]))
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
        preset = preset_from(order["preset"])
        piece = self.piece(order, preset, say)
        made = one(self.residents.editor(preset), piece.item, piece.strip, cancelled)
        piece.edited = time.perf_counter()
        return self.finished(piece, made)

    def piece(self, order: dict[str, Any], preset: Preset, say: Say) -> Piece:
        """An order with its sources decoded. Raises `SourceRefused`."""
        begun = time.perf_counter()
        item = Item(
            id=order["id"],
            request=EditRequest.from_json(order["request"]),
            sources=[self.source(path, preset.max_side) for path in order["sources"]],
        )
        if order["mask"] is not None and item.sources:
            item.mask = mask(order["mask"], item.sources[0].size)
        strip = Strip(say, item.id, self._encoder)
        return Piece(order, item, strip, begun, time.perf_counter())

    def finished(self, piece: Piece, made: Made) -> dict[str, Any]:
        """What the host says of a picture that came out: its files are on the disk by then.

        Encoding, hash and vector run side by side: they are what the member waits for at the end.
        """
        order = piece.order
        made.recipe |= told(order["preset"], made)
        if (kept_one := order.get("compare_to")) is not None:
            return comparing.answer(made, kept_one["path"], kept_one["sha256"])
        stem = Path(order["folder"]) / order["stem"]
        # What a mask keeps out of reach stays as it is, to the bit: so nothing lossy there. What
        # began from nothing has no lossy source either.
        from_lossy = piece.item.mask is None and any(map(lossy, order["sources"]))
        if made.frames:
            master = self._files.submit(moving_of, made.frames, made.fps, stem)
        else:
            master = self._files.submit(master_of, made.picture, stem, from_lossy)
        hashed = self._files.submit(pdq, made.picture)
        vectors = self.vectors(piece.item.request.embed, made.picture)
        strip = kept(piece.strip.chosen(), stem)
        digits, quality = hashed.result()
        words = {
            "say": "made",
            "recipe": made.recipe,
            "vectors": vectors,
            "pdq": digits,
            "pdq_quality": quality,
            "file": master.result(),
            "strip": strip,
            "frames": piece.strip.told(),
        }
        words["milliseconds"] = {
            "sources": milliseconds(piece.begun, piece.ready),
            "engine": milliseconds(piece.ready, piece.edited),
            "files": milliseconds(piece.edited, time.perf_counter()),
        }
        return words

    def foresee(self, order: dict[str, Any], say: Say) -> None:
        """Make everything of a batch ready that still waits, while the device works on another."""
        orders = order.get("orders", ())
        wanted = [(path, each["preset"]["max_side"]) for each in orders for path in each["sources"]]
        self._remembered = max(self._remembered, 3 * len(wanted))
        for path, most in wanted:
            self._decoded(path, most)
        for each in orders:
            ready = self._preparer.submit(self.piece, each, preset_from(each["preset"]), say)
            self._foreseen[each["id"]] = ready

    def foreseen(self, order: dict[str, Any], say: Say) -> Piece:
        """A job of a batch with its sources decoded, if need be now. Raises what `piece` does."""
        ready = self._foreseen.pop(order["id"], None)
        if ready is not None:
            return ready.result()
        return self.piece(order, preset_from(order["preset"]), say)

    def forget(self, orders: "list[dict[str, Any]]") -> None:
        """What was made ready for these and is not wanted goes."""
        for each in orders:
            self._foreseen.pop(each["id"], None)

    def source(self, path: str, most: int) -> Image.Image:
        """A decoded source; the last few are kept, for an image is often answered many times."""
        return self._decoded(path, most).result().copy()

    def _decoded(self, path: str, most: int) -> "Future[Image.Image]":
        """Stored files never change under their names, and copies have names of their own."""
        key = (path, most, os.stat(path).st_mtime_ns if os.path.exists(path) else 0)
        with self._lock:
            picture = self._sources.pop(key, None)
            if picture is None or (picture.done() and picture.exception()):
                picture = self._files.submit(opened, path, most)
            self._sources[key] = picture
            while len(self._sources) > self._remembered:
                del self._sources[next(iter(self._sources))]
        return picture

    def facts(self) -> dict[str, Any]:
        """What an operator wants to know of this host: plain data."""
        facts: dict[str, Any] = {"loaded": self.residents.names, "evicted": self.residents.evicted}
        for each in self.residents:
            if about := getattr(each.editor, "about", None):
                facts |= about()
        # Never imported here: where an engine did, its device can be asked.
        if (torch := sys.modules.get("torch")) is not None and torch.cuda.is_available():
            free, total = torch.cuda.mem_get_info()
            facts |= {"memory_gb": gigabytes(total), "memory_used_gb": gigabytes(total - free)}
        return facts

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


def told(preset: dict[str, Any], made: Made) -> dict[str, Any]:
    """What a recipe says whatever the engine: its licence as of now, and how the picture moves."""
    words: dict[str, Any] = {
        "engine_licence": preset["licence"],
        "commercial": preset["commercial"],
    }
    if made.frames:
        seconds = round(len(made.frames) / max(1, made.fps), 2)
        words["moving"] = {"frames": len(made.frames), "seconds": seconds}
    return words


def gigabytes(count: int) -> float:
    """Bytes as gigabytes."""
    return round(count / 2**30, 2)


def milliseconds(begin: float, end: float) -> int:
    """Whole milliseconds between two `time.perf_counter` values."""
    return round((end - begin) * 1000)
