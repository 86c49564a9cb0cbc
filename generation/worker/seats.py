"""Jobs in a batch: each has a seat, which its attempt uses as if it were a host of its own. Light."""

import asyncio
import itertools
import time
from collections.abc import Sequence
from typing import Any, Protocol

from generation.worker.hosts import Host, HostLost, HostSilent, OnStep, Words
from generation.worker.tallies import Tally

_numbers = itertools.count(1)


class Maker(Protocol):
    """What a batch knows of the device that makes it."""

    host: Host
    tally: Tally

    def measured(self, batch: "Batch") -> float | None:
        """Seconds that batches like this one took before; None where none did."""

    async def refresh(self) -> None:
        """Begin with a fresh host where something failed in this one."""


class Seat:
    """One job's place: first in the row, then in a batch. An attempt's host."""

    def __init__(self, key: tuple[Any, ...], preset: str, most: int, alone: bool) -> None:
        self.key, self.preset, self.most, self.alone = key, preset, most, alone
        self.since = time.monotonic()
        loop = asyncio.get_running_loop()
        #: The batch it belongs to, once there is one.
        self.placed: asyncio.Future[Batch] = loop.create_future()
        #: Whether there is something to do: True with an order, False when the job is not to be had.
        self.decided: asyncio.Future[bool] = loop.create_future()
        self.answer: asyncio.Future[Words] = loop.create_future()
        self.order: Words = {}
        self.on_step: OnStep = lambda words, blob: None
        self.seconds = 0.0

    @property
    def batch(self) -> "Batch":
        """The batch it belongs to; only once it is placed."""
        return self.placed.result()

    @property
    def begun(self) -> bool:
        """Whether the batch is being made."""
        return self.batch.begun_at is not None

    @property
    def measured(self) -> float | None:
        """Seconds that batches like this one took before, with loading where it still loads."""
        return self.batch.device.measured(self.batch)

    @property
    def tally(self) -> Tally:
        """Where it is noted what was made."""
        return self.batch.device.tally

    async def run(self, order: Words, on_step: OnStep, patience: float) -> Words:
        """Have the order carried out with the rest of the batch. Raises `HostLost`, `HostSilent`."""
        self.order, self.on_step, self.seconds = order, on_step, patience / 3
        self.decided.set_result(True)
        return await self.answer

    def cancel(self, order_id: str) -> None:
        """Nobody waits for this job any more; its neighbours do not notice."""
        self.batch.device.host.cancel(order_id)
        if self.batch.begun_at is None:
            self._abandon()

    async def kill(self) -> None:
        """Wait no longer. The host ends only when everybody in the batch has left it."""
        self._abandon()
        batch = self.batch
        if not batch.freed and batch.begun_at is not None and batch.abandoned:
            await batch.device.host.kill()

    def _abandon(self) -> None:
        if not self.answer.done():
            self.answer.set_exception(HostLost(None))

    async def refresh(self) -> None:
        """Begin afresh where something failed before; a job that was tried before sits alone."""
        await self.batch.device.refresh()

    def leave(self) -> None:
        """The attempt is over, whatever became of it."""
        if not self.decided.done():
            self.decided.set_result(False)
        if not self.answer.done():
            if self.order:
                self.batch.device.host.cancel(self.order["id"])
            self.answer.cancel()
        elif not self.answer.cancelled():
            self.answer.exception()  # seen


class Batch:
    """Jobs that run in one call of an engine."""

    def __init__(self, seats: Sequence[Seat], device: Maker) -> None:
        self.id = f"batch-{next(_numbers)}"
        self.device, self.seats = device, list(seats)
        self.key, self.preset, self.alone = seats[0].key, seats[0].preset, seats[0].alone
        #: Seats by the id of their order, once all have decided.
        self.orders: dict[str, Seat] = {}
        self.settings: Words = {}
        #: When the host took it up, and when the engine was loaded for it.
        self.begun_at: float | None = None
        self.loaded_at: float | None = None
        self.loading = self.freed = self.at_last_step = False
        #: Seconds of the newest step; 0 before the second.
        self.step_seconds = 0.0
        self._step, self._stepped_at = 0, 0.0
        for seat in seats:
            seat.placed.set_result(self)

    async def filled(self) -> bool:
        """Wait until every seat has its order or was left. False when there is nothing to do."""
        took = await asyncio.gather(*(seat.decided for seat in self.seats))
        self.orders = {
            seat.order["id"]: seat for seat, has in zip(self.seats, took, strict=True) if has
        }
        for seat in self.orders.values():
            self.settings = seat.order["preset"]["settings"]
        return bool(self.orders)

    def words(self) -> Words:
        """The order for the host."""
        return {
            "do": "batch",
            "id": self.id,
            "orders": [seat.order for seat in self.orders.values()],
        }

    @property
    def seconds(self) -> float:
        """How long all of it is expected to take."""
        return sum(seat.seconds for seat in self.orders.values())

    @property
    def answered(self) -> bool:
        """Whether nobody waits any more."""
        return all(seat.answer.done() for seat in self.orders.values())

    @property
    def abandoned(self) -> bool:
        """Whether everybody stopped waiting before an answer came."""
        ends = [seat.answer for seat in self.orders.values()]
        return all(end.done() and (end.cancelled() or end.exception()) for end in ends)

    def hear(self, words: Words, blob: bytes) -> None:
        """What the host says of the batch, or of one of its jobs."""
        say, seat = words["say"], self.orders.get(words["id"])
        if seat is None:
            self._hear_of_all(say, words)
        elif say == "step":
            self._hear_step(words)
            if not seat.answer.done():
                seat.on_step(words, blob)
        elif not seat.answer.done():
            seat.answer.set_result(words)

    def _hear_of_all(self, say: str, words: Words) -> None:
        now = time.monotonic()
        if say == "began":
            self.begun_at = self._stepped_at = now
        self.loading = say == "loading"
        if say == "loaded":
            self.loaded_at = self._stepped_at = now
        if say in ("freed", "failed"):
            self.freed = self.at_last_step = True
        if say == "failed":
            for seat in self.orders.values():
                if not seat.answer.done():
                    seat.answer.set_result(words)

    def _hear_step(self, words: Words) -> None:
        if words["step"] > self._step:
            now = time.monotonic()
            self.step_seconds, self._stepped_at = now - self._stepped_at, now
            self._step = words["step"]
        self.at_last_step = self.at_last_step or words["step"] >= words["total"] - 1

    def fail(self, trouble: HostLost | HostSilent) -> None:
        """The host is gone: everybody who still waits hears of it."""
        self.freed = True
        for seat in self.seats:
            if not seat.answer.done():
                seat.answer.set_exception(trouble)
