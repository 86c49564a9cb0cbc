"""Preview frames of one job as they come: shown a few times a second, and a few of them kept."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from generation.engines.base import Progress
from generation.host.encoding import encoded, put

#: Seconds between two preview frames of one job.
FRAME_EVERY = 0.25
FRAME_SIDE = 256
#: Frames kept of one job, evenly spread.
KEPT = 8
#: How kept frames are encoded.
SMALL = ("WEBP", {"method": 0, "quality": 75})

Say = Callable[..., None]


@dataclass(frozen=True, slots=True)
class Small:
    """A kept frame, encoded."""

    content: bytes
    size: tuple[int, int]


@dataclass(slots=True)
class Strip:
    """Small frames of one job as they come: shown a few times a second, a few kept.

    Kept ones are encoded at once, while the engine works on, so that nobody waits for them at the
    end. When twice as many as wanted are held, every second one goes: memory stays bounded, and
    what is kept stays evenly spread however many come.
    """

    say: Say
    job: str
    encoder: Executor
    kept: "list[Future[Small]]" = field(default_factory=list)
    #: Step, total and stage of each kept frame.
    labels: list[dict[str, Any]] = field(default_factory=list)
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
            of = now if progress.framed_at is None else progress.framed_at
            self.encoder.submit(self._show, frame, {**words, "at": of})
        else:
            self.say(say="step", id=self.job, **words)
        if frame is not None:
            self._keep(frame, words)

    def _show(self, frame: Image.Image, words: dict[str, Any]) -> None:
        self.say(jpeg(frame), say="step", id=self.job, **words)

    def _keep(self, frame: Image.Image, words: dict[str, Any]) -> None:
        # The finished picture is always among them.
        if self._seen % self._stride == 0 or words["step"] == words["total"]:
            self.kept.append(self.encoder.submit(small, frame))
            self.labels.append(words)
            if len(self.kept) >= 2 * KEPT:
                for dropped in self.kept[1:-1:2]:
                    dropped.cancel()
                del self.kept[1:-1:2], self.labels[1:-1:2]
                self._stride *= 2
        self._seen += 1

    def chosen(self) -> list[Small]:
        """At most `KEPT` frames, evenly spread, first and last among them; waits for the last."""
        return [self.kept[place].result() for place in self._places()]

    def told(self) -> list[dict[str, Any]]:
        """What the engine was at in each of the chosen frames: step, total, stage."""
        return [self.labels[place] for place in self._places()]

    def _places(self) -> Iterable[int]:
        count = len(self.kept)
        if count <= KEPT:
            return range(count)
        return [round(n * (count - 1) / (KEPT - 1)) for n in range(KEPT)]


def small(frame: Image.Image) -> Small:
    """A frame of the strip, encoded."""
    return Small(encoded(frame, SMALL), frame.size)


def kept(frames: list[Small], stem: Path) -> list[dict[str, Any]]:
    """Write the kept preview frames. They are not worth a flush of the disk each."""
    return [
        put(frame.content, Path(f"{stem}-{n}.webp"), frame.size, SMALL[0], flush=False)
        for n, frame in enumerate(frames)
    ]


def jpeg(frame: Image.Image) -> bytes:
    """A preview of about 5 kB."""
    if max(frame.size) > FRAME_SIDE:
        frame = frame.copy()
        frame.thumbnail((FRAME_SIDE, FRAME_SIDE))
    return encoded(frame.convert("RGB"), ("JPEG", {"quality": 60}))
