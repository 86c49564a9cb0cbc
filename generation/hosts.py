"""The supervisor's side of device hosts: start, ask, watch, end. Light; asyncio only."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from generation import wire

ROOT = Path(__file__).resolve().parent.parent
#: What a host, which opens pictures, has no need to know.
SECRETS = ("SECRET_KEY", "DATABASE_URL", "PASSWORD", "AWS_")
#: One thread for each job: hosts run side by side.
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
#: Hosts fetch nothing, and their libraries have nothing to say of a prompt.
OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
}
#: Seconds a spare host may idle before its memory is given back.
SPARE = 120.0
#: Seconds a host may take, beyond its patience, to import its engines on a busy machine.
STARTING = 60.0
log = structlog.get_logger("generation")

OnStep = Callable[[dict[str, Any], bytes], None]


class HostLost(Exception):
    """The host ended in the middle of an order."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"the host ended ({code})")
        #: Ended by the system's memory guard, as far as one can tell.
        self.out_of_memory = code == -signal.SIGKILL


class HostSilent(Exception):
    """The host said nothing for longer than it was given."""


class Host:
    """One device host, for one order at a time."""

    def __init__(self, presets: Sequence[dict[str, Any]] = ()) -> None:
        self._presets = presets
        self._process: subprocess.Popen[bytes] | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._killed = False
        #: Whether it has said a word since its start.
        self._warm = False
        self.used = False
        self.rested_at = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process and let it load its engines; orders may follow at once."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "generation.host", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
                env={**without_secrets(os.environ), **THREADS, **OFFLINE},
            )
        self._killed = self.used = self._warm = False
        self._reader, self._writer = await asyncio.open_connection(sock=ours)
        self._send({"do": "warm", "id": "warm", "presets": list(self._presets)})

    async def run(self, order: dict[str, Any], on_step: OnStep, patience: float) -> dict[str, Any]:
        """Have an order carried out; its answer. `on_step` hears of each step on the way.

        Raises `HostLost` when the process ends, `HostSilent` after `patience` seconds without a
        word; a host that raised is of no further use.
        """
        if not self.alive:
            await self.start()
        assert self._reader is not None
        self.used = True
        self._send(order)
        while True:
            try:
                async with asyncio.timeout(patience if self._warm else patience + STARTING):
                    words, blob = await wire.receive(self._reader)
            except TimeoutError:
                raise HostSilent from None
            except wire.LineBroken:
                raise HostLost(await self._ending()) from None
            self._warm = True
            if words.get("id") != order["id"]:
                continue
            if words["say"] != "step":
                self.rested_at = time.monotonic()
                return words
            on_step(words, blob)

    def cancel(self, order_id: str) -> None:
        """Tell the engine that nobody waits for this order any more."""
        with contextlib.suppress(wire.LineBroken):
            self._send({"do": "cancel", "id": order_id})

    async def kill(self) -> None:
        """End the process at once and wait for it."""
        self._killed = True
        if self._writer is not None:
            self._writer.close()
            self._writer = self._reader = None
        if (process := self._process) is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.to_thread(process.wait)
            self._process = None

    def _send(self, words: dict[str, Any]) -> None:
        if self._writer is not None:
            self._writer.write(wire.packed(words))

    async def _ending(self) -> int | None:
        """The exit code, or minus the signal; None when we ended it ourselves."""
        process = self._process
        if process is None or self._killed:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            return await asyncio.to_thread(process.wait, 5)
        return None


class Pool:
    """At most `size` hosts, started when needed, the warmest taken first."""

    def __init__(self, size: int, presets: Sequence[dict[str, Any]] = ()) -> None:
        self.size = size
        self._presets = presets
        self._idle: list[Host] = []
        self._turns = asyncio.Semaphore(size)
        self.busy: set[Host] = set()

    @contextlib.asynccontextmanager
    async def host(self) -> AsyncIterator[Host]:
        """A host for one order. If the block raises, the host ends: nobody knows its state."""
        async with self._turns:
            host = self._idle.pop() if self._idle else Host(self._presets)
            self.busy.add(host)
            try:
                yield host
            except BaseException:
                await host.kill()
                raise
            finally:
                self.busy.discard(host)
            if host.alive:
                self._idle.append(host)

    async def warm(self) -> None:
        """Have one host ready before the first order."""
        if not self._idle and not self.busy:
            host = Host(self._presets)
            await host.start()
            self._idle.append(host)

    async def rest(self) -> None:
        """Give back the memory of hosts that have idled for long, all but the warmest."""
        spare = [h for h in self._idle[:-1] if time.monotonic() - h.rested_at > SPARE]
        for host in spare:
            self._idle.remove(host)
            await host.kill()

    async def close(self) -> None:
        """End every host."""
        for host in [*self._idle, *self.busy]:
            await host.kill()
        self._idle.clear()


def without_secrets(environment: "os._Environ[str]") -> dict[str, str]:
    """The environment without what names keys and passwords."""
    return {
        name: value
        for name, value in environment.items()
        if not any(secret in name for secret in SECRETS)
    }
