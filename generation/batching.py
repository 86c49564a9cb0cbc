"""Groups of compatible jobs: what may run in one call of an engine, and when a group goes. Light.

The rule, for each device: one batch runs, and at most one more waits at its host. Turns go by the
oldest job that waits. Its batch goes at once when it is full; a batch that is not full goes when the
device is idle or at its last step, so that nobody waits longer than for what runs already.

What loads models: the preset that is loaded goes first while nobody of another preset has waited for
longer than `SWAP_AFTER` seconds.

A job that was tried before runs alone, with nothing beside it at the host: what it may do wrong harms
nobody else.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from generation.devices import Device
from generation.engines.base import Preset
from generation.requests import EditRequest
from generation.seats import Batch, Seat

#: Seconds that jobs of other presets wait at most before the loaded one gives way.
SWAP_AFTER = 20.0


class Closing(Exception):
    """This worker ends: whoever waits for a seat goes back to the queue."""


def size_for(request: EditRequest, preset: Preset) -> tuple[int, int] | None:
    """Width and height at which a request runs; None where the engine follows its source.

    The size asked for, else the preset's size whose shape is nearest to the first source's; the
    preset's first size for a request without sources.
    """
    if request.size is not None:
        return request.size
    sizes: Sequence[Sequence[int]] = preset.settings.get("sizes", ())
    if not sizes:
        return None
    if not request.sources:
        return sizes[0][0], sizes[0][1]
    width, height = request.sources[0].size

    def apart(size: Sequence[int]) -> float:
        """Ratio of the two shapes, at least 1: twice as wide is as far as twice as high."""
        ratio = size[0] * height / (size[1] * max(1, width))
        return max(ratio, 1 / ratio)

    nearest = min(sizes, key=apart)
    return nearest[0], nearest[1]


def batch_key(request: EditRequest, preset: Preset) -> tuple[Any, ...]:
    """What must be equal for two requests to run in one batch: the scalars of an engine's call.

    Prompt, sources, mask and seed are per item. A request made again in the bucket of its recipe
    runs with others of that bucket only.
    """
    return (
        preset.name,
        size_for(request, preset),
        request.steps,
        request.guidance,
        request.strength,
        len(request.sources),
        request.mask is not None,
        bool(request.negative),
        request.bucket,
    )


def most_for(request: EditRequest, preset: Preset) -> int:
    """How many requests like this one a batch may hold.

    The preset's largest bucket, or the largest for which no more tokens are in flight than it allows:
    beyond that a device gains nothing. A token is a square of 16 pixels, of the result or of a source.
    """
    if request.bucket is not None:
        return request.bucket
    size, limit = (
        size_for(request, preset),
        preset.settings.get("batch", {}).get("tokens_in_flight"),
    )
    if size is None or not limit:
        return max(preset.buckets)
    tokens = (size[0] // 16) * (size[1] // 16) * (1 + len(request.sources))
    return max((each for each in preset.buckets if each * tokens <= limit), default=1)


class Batcher:
    """Jobs that wait for a device, and the devices."""

    def __init__(self, devices: Sequence[Device], swap_after: float = SWAP_AFTER) -> None:
        self.devices, self.swap_after = list(devices), swap_after
        self.waiting: list[Seat] = []
        self._closed = False
        for device in devices:
            device.on_change = self.arrange

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
        return group if len(group) == first.most or device.idle or device.at_last_step else []

    def _first(self, device: Device) -> Seat | None:
        """The job whose turn it is on this device: the oldest, but models are not swapped lightly."""
        if not self.waiting:
            return None
        oldest = self.waiting[0]
        if time.monotonic() - oldest.since > self.swap_after:
            return oldest
        return next((each for each in self.waiting if each.preset == device.preset), oldest)

    def close(self) -> None:
        """Place nobody any more; who waits is told to go back."""
        self._closed = True
        for seat in self.waiting:
            if not seat.placed.done():
                seat.placed.set_exception(Closing())
