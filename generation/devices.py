"""Devices that models run on: one host each, which makes one batch and has at most one more waiting."""

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from generation.engines.base import Preset
from generation.hosts import STARTING, Host, HostLost, HostSilent, Words, heard
from generation.tallies import Tally

if TYPE_CHECKING:
    from generation.seats import Batch

#: Batches a host holds: the one that runs, and the next, so that the device never waits for us.
HELD = 2
#: Seconds a host may take to load a preset, where the preset says nothing else.
LOADING = 900.0
#: A host may be silent for three times the expected step, and never less than this.
LEAST_PATIENCE = 30.0
#: How often a batch that never began is given to a fresh host.
FRESH_STARTS = 3
log = structlog.get_logger("generation")


def on_device(preset: Preset) -> bool:
    """Whether a preset runs on a device, in batches, rather than in a pool of hosts on the CPU."""
    usual = "device" if preset.engine == "diffusers" else "pool"
    return bool(preset.settings.get("host", usual) == "device")


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
        #: Slowest step seen in seconds, by what batches have in common.
        self._slowest: dict[Any, float] = {}
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
        return self.ready and len(self.batches) < HELD and not any(b.alone for b in self.batches)

    @property
    def at_last_step(self) -> bool:
        """Whether all it has will be done after the running step."""
        return all(batch.at_last_step for batch in self.batches)

    async def warm(self, preset: Words) -> None:
        """Start the host and load a preset. Raises `HostLost`, `HostSilent`, `RuntimeError`."""
        await self._start()
        with self.host.inbox("warm-up") as inbox:
            self.host.send({"do": "warm", "id": "warm-up", "presets": [preset]})
            words, _ = await heard(inbox, loading(preset))
        if words["say"] == "failed":
            raise RuntimeError(words.get("at") or words["reason"])
        self.facts, self.preset, self.ready = words["facts"], preset["name"], True
        self.on_change()

    def take(self, batch: "Batch") -> None:
        """Carry a batch out; its jobs hear of what comes of it."""
        self.batches.append(batch)
        self.preset = batch.preset
        task = asyncio.create_task(self._carry_out(batch))
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        self.on_change()

    async def _carry_out(self, batch: "Batch") -> None:
        try:
            if await batch.filled():
                self.tally.batches[len(batch.orders)] += 1
                await self._until_answered(batch)
        except Exception as error:
            log.error("batch broke", device=self.name, error=type(error).__name__)
            batch.fail(HostLost(None))
        finally:
            self._free(batch)

    async def _until_answered(self, batch: "Batch") -> None:
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

    async def _converse(self, batch: "Batch") -> None:
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

    def _hear(self, batch: "Batch", words: Words, blob: bytes) -> None:
        if words["say"] == "failed" and words["reason"] == "engine_error":
            self.spoilt = self.spoilt or not words["permanent"]
        last = batch.at_last_step
        batch.hear(words, blob)
        if took := batch.step_seconds:
            self._slowest[batch.key] = max(took, self._slowest.get(batch.key, 0.0))
        if batch.freed:
            self.facts = words.get("facts", self.facts)
            self._free(batch)
        elif batch.at_last_step and not last:
            self.on_change()

    def _free(self, batch: "Batch") -> None:
        if batch in self.batches:
            self.batches.remove(batch)
            self.on_change()

    def _patience(self, batch: "Batch") -> float:
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
