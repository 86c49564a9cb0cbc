"""An engine that makes a fixed picture from (source, prompt, seed) in as many timed steps as asked.

The prompt is "20 x 0.05" (steps and seconds of each), and may begin with what shall go wrong:
"crash", "hang", "raise", "refuse", each at its third step.
"""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from PIL import Image

from generation.engines.base import (
    Cancelled,
    EngineError,
    Failed,
    Item,
    Made,
    Preset,
    Progress,
    SourceRefused,
)


class Timed:
    """Takes as long as it is told."""

    name = "timed"
    version = "1"

    def load(self, preset: Preset) -> None:
        """Nothing to load."""

    def unload(self) -> None:
        """Nothing is held."""

    def edit(
        self,
        batch: Sequence[Item],
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[str], bool],
    ) -> Iterator[Made | Failed]:
        """One picture for each item, or what went wrong."""
        for item in batch:
            try:
                yield self.made(item, on_progress, cancelled)
            except EngineError as error:
                yield Failed(item.id, error)

    def made(
        self,
        item: Item,
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[str], bool],
    ) -> Made:
        """One picture."""
        *trouble, steps, _, pause = item.request.prompt.split()
        digest = hashlib.sha256(f"{item.request.prompt}{item.request.seed}".encode()).digest()
        pixels = np.resize(np.frombuffer(digest, np.uint8), (24, 24, 3))
        picture = Image.blend(item.sources[0].resize((24, 24)), Image.fromarray(pixels), 0.5)
        for step in range(1, int(steps) + 1):
            if cancelled(item.id):
                raise Cancelled
            time.sleep(float(pause))
            if step == 3:
                go_wrong(trouble)
            on_progress(Progress(item.id, step, int(steps), "timing", picture))
        return Made(item.id, picture, {"engine": "timed", "prompt": item.request.prompt})


def go_wrong(trouble: list[str]) -> None:
    """As asked."""
    if "crash" in trouble:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "hang" in trouble:
        time.sleep(600)
    if "raise" in trouble:
        raise EngineError("It did not come out.")
    if "refuse" in trouble:
        raise SourceRefused
