"""An engine that makes many pictures in the time of one, as a GPU does, and takes as long as told.

The prompt is "4 x 0.05" (steps and seconds of each) and may begin with what shall go wrong at the
second step: "crash", "kill", "hang", "oom", "raise". "until:tea" stays at the second step until the
test opens the gate "tea". What a batch of one size makes of (prompt, seed, source) is always the same;
a batch of another size makes something else of it, as on real devices.
"""

import hashlib
import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

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
)

#: Names the folder of gates: a gate is open when there is a file of its name.
GATES = "FORUM_TEST_GATES"


class OutOfMemory(EngineError):
    """The device has too little memory for this."""

    reason = "out_of_memory"


class Together:
    """Sleeps for as many steps as asked, once for the whole batch."""

    name = "together"
    version = "1"

    def __init__(self) -> None:
        self.preset: Preset | None = None
        self.loads = 0
        self.slept = 0.0

    def load(self, preset: Preset) -> None:
        """Remember for whom; as slow as the preset says, or not at all."""
        time.sleep(float(preset.settings.get("load_seconds", 0)))
        if trouble := preset.settings.get("load_fails"):
            raise EngineError(trouble)
        self.preset, self.loads = preset, self.loads + 1

    def unload(self) -> None:
        """Nothing is held."""
        self.preset = None

    def about(self) -> dict[str, object]:
        """What the operator's page shows."""
        return {"device": "a sleeper", "loads": self.loads}

    def spent(self) -> dict[str, float]:
        """Sleeping is all its work."""
        slept, self.slept = self.slept, 0.0
        return {"denoise": slept}

    def edit(
        self,
        batch: Sequence[Item],
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[str], bool],
    ) -> Iterator[Made | Failed]:
        """One picture for each, all at the end."""
        assert self.preset is not None
        bucket = next(each for each in self.preset.buckets if each >= len(batch))
        *_, steps, _, pause = batch[0].request.prompt.split()
        begun = time.monotonic()

        def tell(step: int) -> None:
            for item in batch:
                on_progress(Progress(item.id, step, int(steps), "sleeping", item.sources[0]))

        for step in range(1, int(steps) + 1):
            time.sleep(float(pause))
            if step == 2:
                for item in batch:
                    go_wrong(item.request.prompt)
            tell(step)
            while step == 2 and any(is_held(item.request.prompt) for item in batch):
                time.sleep(0.1)
                tell(step)
        ran = [begun, time.monotonic()]
        self.slept += ran[1] - begun
        for item in batch:
            if cancelled(item.id):
                yield Failed(item.id, Cancelled())
            elif "oom" in item.request.prompt:
                yield Failed(item.id, OutOfMemory())
            else:
                recipe = {"engine": "together", "bucket": bucket, "batch": len(batch)}
                yield Made(item.id, picture(item, bucket), recipe | {"ran": ran})


def picture(item: Item, bucket: int) -> Image.Image:
    """What comes of one item in a batch of this size, whoever its neighbours are."""
    words = f"{item.request.prompt}{item.request.seed}{bucket}"
    pixels = np.resize(
        np.frombuffer(hashlib.sha256(words.encode()).digest(), np.uint8), (24, 24, 3)
    )
    return Image.blend(item.sources[0].resize((24, 24)), Image.fromarray(pixels), 0.5)


def is_held(prompt: str) -> bool:
    """Whether one of its gates is still closed."""
    names = (word.removeprefix("until:") for word in prompt.split() if word.startswith("until:"))
    return not all(Path(os.environ[GATES], name).exists() for name in names)


def go_wrong(prompt: str) -> None:
    """As asked."""
    if "crash" in prompt:
        os.kill(os.getpid(), signal.SIGSEGV)
    if "kill" in prompt:  # as the system does when the memory of the machine ends
        os.kill(os.getpid(), signal.SIGKILL)
    if "hang" in prompt:
        time.sleep(600)
    if "raise" in prompt:
        raise RuntimeError("something broke")
