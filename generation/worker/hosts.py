"""The supervisor's side of device hosts: start, ask, watch, end. Light; asyncio only."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from generation.host import wire
from generation.worker.tallies import Tally

ROOT = Path(__file__).resolve().parents[2]
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

Words = dict[str, Any]
OnStep = Callable[[Words, bytes], None]


class HostLost(Exception):
    """The host ended in the middle of an order."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"the host ended ({code})")
        #: Ended by the system's memory guard, as far as one can tell.
        self.out_of_memory = code == -signal.SIGKILL


class HostSilent(Exception):
    """The host said nothing for longer than it was given."""


Inbox = asyncio.Queue[wire.Message | HostLost]


async def heard(inbox: Inbox, seconds: float | None) -> wire.Message:
    """The next word in an inbox. Raises `HostSilent` after so many seconds, `HostLost` at the end."""
    try:
        async with asyncio.timeout(seconds):
            got = await inbox.get()
    except TimeoutError:
        raise HostSilent from None
    if isinstance(got, HostLost):
        raise got
    return got


class Host:
    """One device host. What it says is put into the inbox of the order it speaks of."""

    def __init__(
        self,
        presets: Sequence[Words] = (),
        tally: Tally | None = None,
        environment: Mapping[str, str] = THREADS,
    ) -> None:
        self._presets, self._environment = presets, environment
        self.tally = tally or Tally()
        self._process: subprocess.Popen[bytes] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._listening: asyncio.Task[None] | None = None
        self._inboxes: dict[str, Inbox] = {}
        #: Processes that we ended ourselves.
        self._ended: set[int] = set()
        #: Whether it has said a word since its start.
        self.warm = False
        self.used = False
        self.rested_at = time.monotonic()

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def begun(self) -> bool:
        """A host of one's own works on an order from its first moment."""
        return True

    @property
    def measured(self) -> float | None:
        """One order is not like another here: only their presets are measured."""
        return None

    @property
    def pid(self) -> int | None:
        """Its process, while there is one."""
        return self._process.pid if self._process else None

    async def start(self) -> None:
        """Start the process and let it load its engines; orders may follow at once."""
        await self.kill()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "generation.host", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                cwd=ROOT,
                env={**without_secrets(os.environ), **offline(), **self._environment},
            )
        self.used = self.warm = False
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._listening = asyncio.create_task(self._listen(reader, self._process))
        self.send({"do": "warm", "id": "warm", "presets": list(self._presets)})

    async def run(self, order: Words, on_step: OnStep, patience: float) -> Words:
        """Have an order carried out; its answer. `on_step` hears of each step on the way.

        Raises `HostLost` when the process ends, `HostSilent` after `patience` seconds without a
        word; a host that raised is of no further use.
        """
        if not self.alive:
            await self.start()
        self.used = True
        with self.inbox(order["id"]) as inbox:
            self.send(order)
            while True:
                words, blob = await heard(inbox, patience if self.warm else patience + STARTING)
                if words["say"] != "step":
                    self.rested_at = time.monotonic()
                    return words
                on_step(words, blob)

    @contextlib.contextmanager
    def inbox(self, *order_ids: str) -> Iterator[Inbox]:
        """What the host says of these orders while the block lasts, and that it ended, if it does."""
        inbox: Inbox = asyncio.Queue()
        self._inboxes |= dict.fromkeys(order_ids, inbox)
        try:
            yield inbox
        finally:
            for order_id in order_ids:
                self._inboxes.pop(order_id, None)

    def send(self, words: Words) -> None:
        """Tell the host something; a host that is gone does not hear it, and its inboxes know."""
        if self._writer is not None:
            self._writer.write(wire.packed(words))

    def cancel(self, order_id: str) -> None:
        """Tell the engine that nobody waits for this order any more."""
        self.send({"do": "cancel", "id": order_id})

    async def refresh(self) -> None:
        """Let the next order begin in a new process, if this one has been used."""
        if self.used:
            await self.kill()

    async def kill(self) -> None:
        """End the process at once and wait for it."""
        process, self._process = self._process, None
        writer, self._writer = self._writer, None
        if process is not None:
            self._ended.add(process.pid)
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await asyncio.to_thread(process.wait)
        if writer is not None:
            writer.close()
        if self._listening is not None:
            await asyncio.wait([self._listening])

    async def _listen(
        self, reader: asyncio.StreamReader, process: "subprocess.Popen[bytes]"
    ) -> None:
        try:
            while True:
                words, blob = await wire.receive(reader)
                self.warm = True
                if (inbox := self._inboxes.get(words.get("id", ""))) is not None:
                    inbox.put_nowait((words, blob))
        except wire.LineBroken:
            lost = HostLost(await self._ending(process))
            for inbox in set(self._inboxes.values()):
                inbox.put_nowait(lost)

    async def _ending(self, process: "subprocess.Popen[bytes]") -> int | None:
        """The exit code, or minus the signal; None when we ended it ourselves."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = await asyncio.to_thread(process.wait, 5)
            return None if process.pid in self._ended else code
        return None


class Pool:
    """At most `size` hosts, started when needed, the warmest taken first."""

    def __init__(self, size: int, presets: Sequence[Words] = ()) -> None:
        self.size = size
        self.tally = Tally()
        self._presets = presets
        self._idle: list[Host] = []
        self._turns = asyncio.Semaphore(size)
        self.busy: set[Host] = set()

    @contextlib.asynccontextmanager
    async def host(self) -> AsyncIterator[Host]:
        """A host for one order. If the block raises, the host ends: nobody knows its state."""
        async with self._turns:
            host = self._idle.pop() if self._idle else Host(self._presets, self.tally)
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
            host = Host(self._presets, self.tally)
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


def offline() -> Mapping[str, str]:
    """What keeps a host's libraries off the net, unless FORUM_STUDIO_ONLINE lets them."""
    online = os.environ.get("FORUM_STUDIO_ONLINE", "").lower() in ("1", "true", "yes", "on")
    return {} if online else OFFLINE


def without_secrets(environment: "os._Environ[str]") -> dict[str, str]:
    """The environment without what names keys and passwords."""
    return {
        name: value
        for name, value in environment.items()
        if not any(secret in name for secret in SECRETS)
    }
