"""Devices that models run on: one host each, which makes one batch and has at most one more waiting."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from generation.worker.hosts import STARTING, Host, HostLost, HostSilent, Words, heard
from generation.worker.seats import Batch
from generation.worker.tallies import NEWEST, Tally

#: Batches a host holds: the one that runs, and the next, so that the device never waits for us.
HELD = 2
#: Seconds a host may take to load a preset, where the preset says nothing else.
LOADING = 900.0
#: A host may be silent for three times the expected step, and never less than this.
LEAST_PATIENCE = 30.0
#: How often a batch that never began is given to a fresh host.
FRESH_STARTS = 3
log = structlog.get_logger("generation")


def found(wanted: str) -> list[str]:
    """Names of this machine's devices: numbers of GPUs, or one "cpu". torch is not asked.

    `wanted` is the operator's list, such as "0,1" or "cpu"; without one, CUDA_VISIBLE_DEVICES and then
    nvidia-smi say what there is.
    """
    listed = wanted or os.environ.get("CUDA_VISIBLE_DEVICES", "") or _by_nvidia()
    return [each.strip() for each in listed.split(",") if each.strip()] or ["cpu"]


def _by_nvidia() -> str:
    if (program := shutil.which("nvidia-smi")) is None:
        return ""
    asked = [program, "--query-gpu=index", "--format=csv,noheader"]
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=True).stdout
        return ",".join(said.split())
    return ""


def environment_of(name: str) -> Mapping[str, str]:
    """What the host of a device has in its environment beside ours."""
    return {} if name == "cpu" else {"CUDA_VISIBLE_DEVICES": name}


class Device:
    """One device with its host. `on_change` is called whenever it may take another batch."""

    def __init__(self, name: str, on_change: Callable[[], None] = lambda: None) -> None:
        self.name, self.on_change = name, on_change
        self.tally = Tally()
        self.host = Host((), self.tally, environment_of(name))
        #: Those that the host has and did not finish on the device, in order.
        self.batches: list[Batch] = []
        #: Preset of the newest batch: what will be loaded when the next one begins.
        self.preset = ""
        self.ready = False
        #: Something went wrong in this host since its start.
        self.spoilt = False
        self.facts: Words = {}
        #: By what batches have in common, in seconds: the slowest step, and the mean of a batch.
        self._slowest: dict[Any, float] = {}
        self._took: dict[Any, float] = {}
        #: Seconds that each preset took to load, the last time.
        self._loads: dict[str, float] = {}
        #: When a preset was taken that had to be loaded, and when something was finished last.
        self.swapped_at = self.served_at = float("-inf")
        #: A preset is being loaded that nobody asked for yet.
        self.warming = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._starting = asyncio.Lock()

    @property
    def idle(self) -> bool:
        """Nothing runs and nothing waits here."""
        return not self.batches

    @property
    def quiet(self) -> bool:
        """Nothing is finished here any more, either: the host could end and nobody would notice."""
        return not self._tasks

    @property
    def has_room(self) -> bool:
        """Whether another batch may be given to it; one that runs alone has no neighbours."""
        free = self.ready and not self.warming and len(self.batches) < HELD
        return free and not any(batch.alone for batch in self.batches)

    @property
    def resident(self) -> set[str]:
        """Presets that need not be loaded: those it has, or the one that will be next."""
        loaded = set(self.facts.get("loaded", ()))
        return loaded if self.preset in loaded else {self.preset}

    @property
    def at_last_step(self) -> bool:
        """Whether all it has will be done after the running step."""
        return all(batch.at_last_step for batch in self.batches)

    async def warm(self, preset: Words, *, if_it_fits: bool = False) -> None:
        """Start the host and load a preset, or only if nobody has to go for it.

        No batch is taken meanwhile. Raises `HostLost`, `HostSilent`, `RuntimeError`.
        """
        self.warming = True
        try:
            await self._start()
            order = {"do": "warm", "id": "warm-up", "presets": [preset], "if_it_fits": if_it_fits}
            with self.host.inbox("warm-up") as inbox:
                self.host.send(order)
                words, _ = await heard(inbox, loading(preset))
            if words["say"] == "failed":
                raise RuntimeError(words.get("at") or words["reason"])
            self.facts, self.ready = words["facts"], True
            if preset["name"] in self.facts["loaded"]:
                self._loads[preset["name"]] = words["seconds"]
                self.preset = preset["name"]
        finally:
            self.warming = False
            self.on_change()

    def cost(self, preset: str) -> float:
        """Seconds that it takes to load a preset here, as far as it was measured; 0 for one it has."""
        return 0.0 if preset in self.resident else self._loads.get(preset, 0.0)

    def measured(self, batch: Batch) -> float | None:
        """Seconds that batches like this one took, and what loading takes where it is under way."""
        took = self._took.get(batch.key)
        if took is None or batch.loaded_at is not None:
            return took
        return took + self._loads.get(batch.preset, 0.0)

    def take(self, batch: Batch) -> None:
        """Carry a batch out; its jobs hear of what comes of it."""
        self.batches.append(batch)
        if batch.preset not in self.resident:
            self.swapped_at = time.monotonic()
        self.preset = batch.preset
        task = asyncio.create_task(self._carry_out(batch))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self.on_change()

    async def _carry_out(self, batch: Batch) -> None:
        try:
            if await batch.filled():
                self.tally.batches[len(batch.orders)] += 1
                await self._until_answered(batch)
        except Exception as error:
            log.error("batch broke", device=self.name, error=type(error).__name__)
            batch.fail(HostLost(None))
        finally:
            self._free(batch)

    async def _until_answered(self, batch: Batch) -> None:
        """Have a batch made. What never began is no fault of its own, and goes to a fresh host."""
        for _ in range(FRESH_STARTS):
            process = await self._start()
            try:
                await self._converse(batch)
                return
            except (HostLost, HostSilent) as trouble:
                await self._end(process)
                if batch.begun_at is not None:
                    batch.fail(trouble)
                    return
        batch.fail(HostLost(None))

    async def _start(self) -> int | None:
        """Have a process; its id."""
        async with self._starting:
            if not self.host.alive:
                self.spoilt = False
                await self.host.start()
            return self.host.pid

    async def _end(self, process: int | None) -> None:
        """End this process, unless somebody else did and another one runs by now."""
        async with self._starting:
            if self.host.pid == process:
                self.tally.restarts += 1
                await self.host.kill()

    async def _converse(self, batch: Batch) -> None:
        """Send a batch and hear what comes back. Raises `HostLost`, `HostSilent`."""
        with self.host.inbox(batch.id, *batch.orders) as inbox:
            self.host.send(batch.words())
            while not (batch.freed and batch.answered):
                try:
                    words, blob = await heard(inbox, self._patience(batch))
                except HostSilent:
                    # While another batch runs, that one is watched.
                    if batch.begun_at is None and any(b.begun_at for b in self.batches):
                        continue
                    raise
                self._hear(batch, words, blob)

    def _hear(self, batch: Batch, words: Words, blob: bytes) -> None:
        if words["say"] == "failed" and words["reason"] == "engine_error":
            self.spoilt = self.spoilt or not words["permanent"]
        last = batch.at_last_step
        batch.hear(words, blob)
        if took := batch.step_seconds:
            self._slowest[batch.key] = max(took, self._slowest.get(batch.key, 0.0))
        if words["say"] == "loaded":
            self._note_load(batch, words)
        if batch.freed:
            self.facts = words.get("facts", self.facts)
            self.tally.note_spent(words.get("spent", {}))
            self._note_end(batch, whole=last)
            self._free(batch)
        elif batch.at_last_step and not last:
            self.on_change()

    def _note_load(self, batch: Batch, words: Words) -> None:
        """The engine is there: how long that took, and who had to go for it."""
        missing = batch.preset not in self.facts.get("loaded", ())
        if missing and batch.begun_at is not None and batch.loaded_at is not None:
            self._loads[batch.preset] = batch.loaded_at - batch.begun_at
            self.swapped_at = batch.loaded_at
        self.facts = {**self.facts, "loaded": words["resident"]}

    def _note_end(self, batch: Batch, *, whole: bool) -> None:
        """The device is free. What nobody waited for to its end says nothing of how long it takes."""
        self.served_at = time.monotonic()
        if batch.loaded_at is not None and whole:
            took = self.served_at - batch.loaded_at
            before = self._took.get(batch.key, took)
            self._took[batch.key] = before + NEWEST * (took - before)

    def _free(self, batch: Batch) -> None:
        if batch in self.batches:
            self.batches.remove(batch)
            self.on_change()

    def _patience(self, batch: Batch) -> float:
        """Seconds of silence after which the host counts as hung."""
        least = float(batch.settings.get("patience", LEAST_PATIENCE))
        if batch.loading:
            return loading({"settings": batch.settings})
        if not self.host.warm:
            return least + STARTING
        expected = self._slowest.get(batch.key) or batch.seconds
        return max(least, 3 * expected)

    async def refresh(self) -> None:
        """Begin afresh where something failed before."""
        if self.spoilt:
            await self.host.kill()

    async def close(self) -> None:
        """End the host."""
        for task in list(self._tasks):
            task.cancel()
        await self.host.kill()

    def about(self) -> Words:
        """For the operator's page: plain data, no prompts."""
        return {
            "name": self.name,
            "ready": self.ready,
            "running": sum(len(batch.orders) for batch in self.batches),
            **self.facts,
            **self.tally.about(),
        }


def loading(preset: Words) -> float:
    """Seconds that loading this preset may take."""
    return float(preset["settings"].get("loading", LOADING))
