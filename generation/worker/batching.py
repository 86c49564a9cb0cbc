"""Groups of compatible jobs: what may run in one call of an engine, and when a group goes. Light.

The rule, for each device: one batch runs, and at most one more waits at its host. Turns go by the
oldest job that waits. Its batch goes at once when it is full; a batch that is not full goes when the
device is idle or at its last step, so that nobody waits longer than for what runs already.

An idle device waits for nobody, but for those who are at the door: fetched, and being read. That is a
matter of milliseconds, and `AT_THE_DOOR` at most.

What loads models: presets that are loaded go first. Another one has its turn when somebody waited for it
longer than `SWAP_AFTER` seconds *and* the newest of the loaded ones was served for as long, or for `RUNS`
times what the load costs (`LONGEST_RUN` seconds at most): so two presets that are both asked for without
end are served in runs, and loading takes at most a share of 1 in 1 + `RUNS`. Where nobody waits for what is
loaded just now, but it runs or somebody was served less than a load ago, it is in use all the same, and
the same holds, but that a load that costs little is waited for as little. A device that nobody uses loads at
once.

A job that was tried before runs alone, with nothing beside it at the host: what it may do wrong harms
nobody else.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from generation.worker.devices import Device
from generation.worker.seats import Batch, Seat

#: Seconds that jobs of other presets wait at most before the loaded one gives way.
SWAP_AFTER = 20.0
#: So many times what a load cost, what was loaded is served before it gives way.
RUNS = 4
LONGEST_RUN = 120.0
#: Seconds that an idle device waits at most for jobs that were fetched and are being read.
AT_THE_DOOR = 0.03


class Closing(Exception):
    """This worker ends: whoever waits for a seat goes back to the queue."""


class Batcher:
    """Jobs that wait for a device, and the devices."""

    def __init__(self, devices: Sequence[Device], swap_after: float = SWAP_AFTER) -> None:
        self.devices, self.swap_after = list(devices), swap_after
        self.waiting: list[Seat] = []
        self._at_the_door = 0
        self._closed = False
        #: Looks again at whoever had to wait for a swap, or for somebody at the door.
        self._later: asyncio.TimerHandle | None = None
        for device in devices:
            device.on_change = self.arrange

    @contextlib.contextmanager
    def at_the_door(self) -> Iterator[None]:
        """While the block lasts, somebody who was fetched is being read, and may want a seat."""
        self._at_the_door += 1
        try:
            yield
        finally:
            self._at_the_door -= 1
            # Whoever was read takes the seat first: it is asked for without a pause.
            asyncio.get_running_loop().call_soon(self.arrange)

    @contextlib.asynccontextmanager
    async def seat(
        self, key: tuple[Any, ...], preset: str, most: int, *, alone: bool = False
    ) -> AsyncIterator[Seat]:
        """A seat in a batch, waited for. Jobs of one `key` share batches. Raises `Closing`."""
        if self._closed:
            raise Closing
        seat = Seat(key, preset, most, alone)
        self.waiting.append(seat)
        self.arrange()
        try:
            await seat.placed
            yield seat
        finally:
            if seat in self.waiting:
                self.waiting.remove(seat)
            seat.leave()

    def arrange(self) -> None:
        """Form every batch that may go now."""
        for device in self.devices:
            while group := self._next(device):
                for seat in group:
                    self.waiting.remove(seat)
                device.take(Batch(group, device))

    def _next(self, device: Device) -> list[Seat]:
        """Who goes to this device now; nobody while it is better to wait for more."""
        if not device.has_room or (first := self._first(device)) is None:
            return []
        if first.alone:
            return [first] if device.quiet else []
        group = [seat for seat in self.waiting if seat.key == first.key and not seat.alone]
        group = group[: first.most]
        if len(group) == first.most:
            return group
        if device.idle:
            return [] if self._others_come(first) else group
        return group if device.at_last_step else []

    def _others_come(self, first: Seat) -> bool:
        """Whether an idle device waits a moment longer for those who are being read just now."""
        left = first.since + AT_THE_DOOR - time.monotonic()
        if not self._at_the_door or left <= 0:
            return False
        self._look_again(left)
        return True

    def _first(self, device: Device) -> Seat | None:
        """The job whose turn it is on this device: the oldest, but models are not swapped lightly."""
        if not self.waiting:
            return None
        oldest, here = self.waiting[0], device.resident
        mine = next((seat for seat in self.waiting if seat.preset in here), None)
        if oldest is mine or not device.preset:
            return oldest
        left = self._until_swap(device, oldest, run=mine is not None)
        if left <= 0:
            return oldest
        if mine is None:
            self._look_again(left)
        return mine

    def _until_swap(self, device: Device, seat: Seat, *, run: bool) -> float:
        """Seconds until another model may be loaded for this job; `run`: others want what is loaded."""
        now, cost = time.monotonic(), device.cost(seat.preset)
        waited = now - seat.since
        if any(other.has_room and seat.preset in other.resident for other in self.devices):
            return self.swap_after - waited  # another device has it, and will take it first
        run_for = min(RUNS * cost, LONGEST_RUN)
        if run:
            patience, run_for = self.swap_after, max(self.swap_after, run_for)
        elif device.batches or now - device.served_at < cost:
            patience = min(self.swap_after, run_for)
        else:
            return 0.0
        return max(patience - waited, run_for - (now - device.swapped_at))

    def _look_again(self, seconds: float) -> None:
        """Arrange anew in a while, for nothing else may happen until then."""
        if self._later is not None:
            self._later.cancel()
        self._later = asyncio.get_running_loop().call_later(seconds, self.arrange)

    def close(self) -> None:
        """Place nobody any more; who waits is told to go back."""
        self._closed = True
        if self._later is not None:
            self._later.cancel()
        for seat in self.waiting:
            if not seat.placed.done():
                seat.placed.set_exception(Closing())
