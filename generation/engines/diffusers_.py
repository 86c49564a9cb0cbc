"""The engine `diffusers`: instruction editing and making by diffusion models, many at a time."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from PIL import Image

from generation.engines.base import Cancelled, EngineError, Failed, Item, Made, Preset, Progress
from generation.engines.diffusion import exchanging, loading
from generation.engines.diffusion.batches import Ceilings, Run, bucket_for, cause_of
from generation.engines.diffusion.calls import Row, following_the_same, row_for
from generation.engines.diffusion.loading import Loaded
from generation.engines.diffusion.remembering import Memory
from generation.engines.diffusion.settings import Call, call_for
from generation.requests import EditRequest, ImageRef

#: What torch raises where memory ends; Apple's GPUs have no class of their own for it.
OUT_OF_MEMORY = (torch.OutOfMemoryError, RuntimeError)


class OutOfMemory(EngineError):
    """This image needs more memory than the machine has."""

    reason = "out_of_memory"


class MixedBatch(ValueError):
    """Items that cannot share one call of a pipeline were sent as one batch."""


class Diffusers:
    """Runs one preset of diffusers on one device."""

    name = "diffusers"
    version = "1"

    def __init__(self) -> None:
        self.loaded: Loaded | None = None
        self._ceilings = Ceilings()
        #: Encodings that need not be made again; kept while presets come and go.
        self.memory = Memory()
        self._spent: Counter[str] = Counter()

    def load(self, preset: Preset) -> None:
        """Bring the preset's weights onto the device. Raises `NotLoaded`.

        Pipelines stay where a preset differs from the last one only in what it keeps of a source.
        """
        if self.loaded is not None and self.shares(preset):
            self.loaded = exchanging.exchanged(self.loaded, preset)
            return
        self._let_go()
        self.loaded = loading.load(preset)
        self._warm_up(self.loaded)

    def shares(self, preset: Preset) -> bool:
        """Whether `load` has nothing to bring onto the device for this preset."""
        return self.loaded is not None and exchanging.alike(self.loaded.preset, preset)

    def unload(self) -> None:
        """Give the memory of weights and caches back."""
        self.memory.clear()
        self._let_go()

    def _let_go(self) -> None:
        if self.loaded is not None:
            device, self.loaded = self.loaded.device, None
            loading.free(device)

    def _warm_up(self, loaded: Loaded) -> None:
        """Run each shape once, for the first of a shape is slow: kernels are chosen, or compiled.

        "first" takes the first size only, "all" every one; each at every batch size.
        """
        usual = "none" if loaded.device.type == "cpu" and not loaded.compiled else "first"
        wish = loaded.settings.optimise.get("warm", usual)
        sizes = loaded.settings.sizes[: {"none": 0, "first": 1}.get(wish)]
        for size in sizes:
            for bucket in loaded.preset.buckets:
                items = [blank(loaded, size, bucket)] * bucket
                list(self.edit(items, lambda _: None, lambda _: False))
                loaded.warmed += 1

    def about(self) -> dict[str, Any]:
        """What an operator wants to know of what is loaded."""
        if self.loaded is None:
            return {}
        return {**self.loaded.about(), "remembered": self.memory.about()}

    def spent(self) -> dict[str, float]:
        """Seconds of each stage since this was asked last, of runs that came to their end or not."""
        spent, self._spent = self._spent, Counter()
        return dict(spent)

    def edit(
        self,
        batch: Sequence[Item],
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[str], bool],
    ) -> Iterator[Made | Failed]:
        """Yield one `Made` or `Failed` for each item.

        Items of one batch share everything but prompt, sources, mask and seed; raises `MixedBatch`
        when they do not. A batch is padded to the next size the preset allows, and that size stands
        in the recipe: at one size, neighbours never change a picture.
        """
        assert self.loaded is not None, "load() comes first"
        ready: list[Row] = []
        calls: set[Call] = set()
        for item in batch:
            try:
                call = call_for(item.request, self.loaded.preset)
                ready.append(self._row(item, call))
                calls.add(call)
            except EngineError as error:
                yield Failed(item.id, error)
        if len(calls) > 1:
            raise MixedBatch(f"These differ: {', '.join(differing(calls))}.")
        remembers = self.loaded.settings.optimise.get("remember", True)
        memory = self.memory if remembers else None
        run = Run(self.loaded, on_progress, cancelled, memory, self._spent)
        for call in calls:
            yield from self._groups(ready, call, run)

    def _groups(self, ready: list[Row], call: Call, run: Run) -> Iterator[Made | Failed]:
        """Rows that follow the same maps together, in a call of their own.

        Each group runs at the size that all would have had: whom a neighbour's picture shows does
        not decide the size of anybody's batch.
        """
        assert self.loaded is not None
        groups = following_the_same(ready)
        if len(groups) > 1:
            buckets = self.loaded.preset.buckets
            most = self._ceilings.most(call.size, buckets)
            call = replace(call, bucket=bucket_for(len(ready), call.bucket, buckets, most))
        for rows in groups:
            yield from self._all(rows, call, run)

    def _row(self, item: Item, call: Call) -> Row:
        """An item made ready. Raises `EngineError`, also where memory ends over its maps."""
        assert self.loaded is not None
        try:
            return row_for(item, call, self.loaded)
        except OUT_OF_MEMORY as error:
            if (ended := cause_of(error)) is None:
                raise
        loading.free(self.loaded.device)
        raise OutOfMemory(ended)

    def _all(self, rows: list[Row], call: Call, run: Run) -> Iterator[Made | Failed]:
        """Every row of one call, in batches as large as preset and memory allow."""
        assert self.loaded is not None
        most = self._ceilings.most(call.size, self.loaded.preset.buckets)
        while rows:
            bucket = bucket_for(len(rows), call.bucket, self.loaded.preset.buckets, most)
            now, rows = rows[:bucket], rows[bucket:]
            yield from self._batch(now, bucket, call, run)

    def _batch(self, rows: list[Row], bucket: int, call: Call, run: Run) -> Iterator[Made | Failed]:
        """One batch. Where memory ends: half the batch, then tiles, then a word to the member."""
        try:
            made = run.made(rows, bucket, call)
        except Cancelled as error:
            yield from (Failed(row.id, error) for row in rows)
            return
        except OUT_OF_MEMORY as error:
            # Kept no longer than this block: a traceback holds the tensors of the failed run.
            if (ended := cause_of(error)) is None:
                raise
        else:
            yield from made
            return
        yield from self._with_less(rows, bucket, call, run, ended)

    def _with_less(
        self, rows: list[Row], bucket: int, call: Call, run: Run, ended: str
    ) -> Iterator[Made | Failed]:
        """The same rows again after the memory ended, with less of it."""
        assert self.loaded is not None
        loading.free(self.loaded.device)
        if bucket > 1:
            half = bucket // 2
            self._ceilings.lower(call.size, half, time.monotonic())
            for first in range(0, len(rows), half):
                yield from self._batch(rows[first : first + half], half, call, run)
        elif not self.loaded.tiled:
            self.loaded.tile()
            yield from self._batch(rows, bucket, call, run)
        else:
            yield from (Failed(row.id, OutOfMemory(ended)) for row in rows)


def blank(loaded: Loaded, size: tuple[int, int], bucket: int) -> Item:
    """A job nobody waits for: a grey picture, no words."""
    pictures = [Image.new("RGB", size, (128, 128, 128))] if "edit" in loaded.pipelines else []
    request = EditRequest(
        preset=loaded.preset.name,
        prompt="",
        seed=0,
        sources=tuple(ImageRef(sha256="", name="", size=size) for _ in pictures),
        size=size,
        bucket=bucket,
    )
    return Item("warm", request, pictures)


def differing(calls: set[Call]) -> list[str]:
    """Names of what is not the same in all calls."""
    return [name for name in Call.__slots__ if len({getattr(call, name) for call in calls}) > 1]
