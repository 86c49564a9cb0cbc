"""One call of a pipeline for many items: fixed sizes, previews on the way, pictures at the end."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import torch
from PIL import Image

from generation.engines.base import Cancelled, Failed, Made, Progress
from generation.engines.diffusion.calls import Row, arguments, padded
from generation.engines.diffusion.colours import gridded
from generation.engines.diffusion.finishing import rounded_there
from generation.engines.diffusion.loading import Loaded
from generation.engines.diffusion.outside import kept_outside
from generation.engines.diffusion.pictures import feathered, within
from generation.engines.diffusion.recipes import digest, recipe
from generation.engines.diffusion.remembering import Memory, remembered
from generation.engines.diffusion.settings import Call, Size
from generation.engines.diffusion.union import rows_apart
from generation.engines.diffusion.watching import Clock, Pace, Watch, watched

#: Seconds between two frames of a run, at least: five a second.
FRAME_EVERY = 0.2
#: Longer side of a frame, in pixels.
FRAME_SIDE = 256
#: Seconds for which a batch size that was too large is not tried again.
LOWERED = 600.0
STAGE = "denoising"


class Ceilings:
    """Batch sizes that the memory of this device is too small for, remembered for a while."""

    def __init__(self) -> None:
        self._lowered: dict[Size, tuple[int, float]] = {}

    def lower(self, size: Size, bucket: int, now: float) -> None:
        """From now on at most `bucket` at this size."""
        self._lowered[size] = (bucket, now + LOWERED)

    def most(self, size: Size, buckets: Sequence[int]) -> int:
        """The largest batch to try at this size."""
        bucket, until = self._lowered.get(size, (max(buckets), 0.0))
        return bucket if time.monotonic() < until else max(buckets)


def bucket_for(count: int, wanted: int | None, buckets: Sequence[int], most: int) -> int:
    """The size of the next batch: as asked, else the smallest of the preset's that holds `count`.

    Never more than `most`. A recipe's own bucket comes first, for its bits depend on it; where memory
    is known to be too small for it, the next below, as when memory ends over it.
    """
    if wanted is not None and wanted <= most:
        return wanted
    fitting = [bucket for bucket in buckets if bucket <= most] or [1]
    if wanted is not None:
        return fitting[-1]
    return next((bucket for bucket in fitting if bucket >= count), fitting[-1])


def cause_of(error: BaseException) -> str | None:
    """A sentence if this is the end of memory, else None."""
    said = isinstance(error, torch.OutOfMemoryError) or "out of memory" in str(error).lower()
    return "This image needs more memory than the machine has." if said else None


@dataclass(slots=True)
class Run:
    """Makes batches with what is loaded, and tells of each step."""

    loaded: Loaded
    on_progress: Callable[[Progress], None]
    cancelled: Callable[[str], bool]
    #: Encodings of prompts and sources; None computes them anew.
    memory: Memory | None = None
    #: Seconds of each stage, of all runs together.
    spent: Counter[str] = field(default_factory=Counter)
    _framed_at: float = field(default=float("-inf"))
    #: A frame on its way from the device, and the event that says it has come.
    _coming: "Coming | None" = None

    @property
    def identity(self) -> str:
        """What an encoding depends on beside its input: weights, settings, tiles."""
        loaded = self.loaded
        return digest(
            {"preset": asdict(loaded.preset), "parts": loaded.weights, "tiled": loaded.tiled}
        )

    def made(self, rows: Sequence[Row], bucket: int, call: Call) -> list[Made | Failed]:
        """One call of the pipeline. Raises `Cancelled` when nobody waits for any of it."""
        self._framed_at, self._coming = float("-inf"), None
        places = padded(rows, bucket)
        pipe = self.loaded.pipelines[call.task]
        self._show_kept(rows, call)
        watch = Watch(
            on_step=lambda step, total, clean: self._step(rows, call, step, total, clean),
            all_stopped=lambda: all(self.cancelled(row.id) for row in rows),
            wanted=lambda place: place < len(rows) and not self.cancelled(rows[place].id),
            pace=Pace(self.loaded.device),
            clock=Clock(self.loaded.device),
        )
        try:
            with (
                watched(pipe, watch),
                rows_apart(pipe, len(places)),
                remembered(pipe, self.memory, self.identity),
                kept_outside(pipe, places),
                rounded_there(pipe),
            ):
                out = pipe(**arguments(pipe, call, places, self.loaded))
            watch.finish()
        finally:
            self.loaded.rest()
            self.spent.update(watch.spent())
        pictures = out.frames if hasattr(out, "frames") else out.images
        milliseconds = watch.milliseconds()
        return [
            self._end(row, place, pictures[place], bucket, call, milliseconds)
            for place, row in enumerate(rows)
        ]

    def _show_kept(self, rows: Sequence[Row], call: Call) -> None:
        """Before the first step: the maps that each picture will follow, as its first frames."""
        for row in rows:
            for each in row.kept.maps:
                frame = each.picture.copy()
                frame.thumbnail((FRAME_SIDE, FRAME_SIDE))
                self.on_progress(Progress(row.id, 0, call.steps, each.control.kind, frame))

    def _end(
        self,
        row: Row,
        place: int,
        picture: "Image.Image | list[Image.Image]",
        bucket: int,
        call: Call,
        milliseconds: dict[str, int],
    ) -> Made | Failed:
        """What came of one row."""
        if self.cancelled(row.id):
            return Failed(row.id, Cancelled())
        words = {"engine": "diffusers", "version": "1"}
        words |= recipe(row, place, bucket, call, self.loaded, milliseconds)
        frames = picture if isinstance(picture, list) else [picture]
        kept = [masked(row, frame.convert("RGB")) for frame in frames]
        if len(kept) == 1:
            return Made(row.id, kept[0], words)
        return Made(row.id, kept[0], words, frames=kept, fps=self.loaded.settings.fps)

    def _step(
        self, rows: Sequence[Row], call: Call, step: int, total: int, clean: "torch.Tensor | None"
    ) -> None:
        """Tell of a step, with the last frame that has come; send for another if it is time."""
        now = time.monotonic()
        if clean is not None and (step == total or now - self._framed_at >= FRAME_EVERY):
            self._framed_at = now
            grid = gridded(clean.detach(), call.size)[: len(rows)]
            arrived = Coming(self.loaded.colours.project(grid))
            # On a GPU the frame is still being made: it is shown with the next step.
            shown, self._coming = (arrived, None) if arrived.here else (self._coming, arrived)
        else:
            shown, self._coming = self._coming, None
        frames = shown.pictures() if shown is not None else [None] * len(rows)
        of = shown.begun if shown is not None else now
        for row, frame in zip(rows, frames, strict=True):
            if not self.cancelled(row.id):
                self.on_progress(Progress(row.id, step, total, STAGE, framed(row, frame), of))


class Coming:
    """Frames on their way from the device to the computer's memory."""

    def __init__(self, pixels: torch.Tensor) -> None:
        #: When their step was done, by `time.monotonic`.
        self.begun = time.monotonic()
        self._event: Any = None
        if pixels.device.type == "cuda":
            self._pixels = torch.empty(pixels.shape, dtype=torch.uint8, pin_memory=True)
            self._pixels.copy_(pixels, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record()
        else:
            self._pixels = pixels.cpu()

    @property
    def here(self) -> bool:
        """Whether they have come."""
        return self._event is None or bool(self._event.query())

    def pictures(self) -> list[Image.Image | None]:
        """One for each row, waited for."""
        if self._event is not None:
            self._event.synchronize()
        return [Image.fromarray(pixels) for pixels in self._pixels.numpy()]


def framed(row: Row, frame: Image.Image | None) -> Image.Image | None:
    """A frame in the shape of the result, at most `FRAME_SIDE` long, inside the row's mask."""
    if frame is None:
        return None
    if row.mask is not None and row.sources:
        source = row.sources[0].resize(frame.size, Image.Resampling.BILINEAR)
        frame = within(frame, source, row.mask.resize(frame.size, Image.Resampling.BILINEAR))
    frame.thumbnail((FRAME_SIDE, FRAME_SIDE))
    return frame


def masked(row: Row, picture: Image.Image) -> Image.Image:
    """The finished picture inside the mask, the source outside, to the bit."""
    if row.mask is None or not row.sources:
        return picture
    source, mask = row.sources[0], row.mask
    if picture.size != source.size:
        source = source.resize(picture.size, Image.Resampling.LANCZOS)
        mask = mask.resize(picture.size, Image.Resampling.BILINEAR)
    return within(picture, source, feathered(mask))
