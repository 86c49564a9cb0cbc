"""Stands where a host's line to its supervisor is: gives orders, hears answers."""

import itertools
import threading
import time
from dataclasses import fields
from pathlib import Path
from typing import Any

from benchmarks.gpu.asking import Size, item, picture
from generation.engines.base import Preset
from generation.engines.diffusers_ import Diffusers
from generation.host.making import Workshop
from generation.host.verbs import carry_out


class Line:
    """The workshop of a device host, with an engine that is loaded already."""

    def __init__(self, engine: Diffusers, preset: Preset, size: Size, folder: Path) -> None:
        self._folder, self._workshop = folder, Workshop()
        self._workshop.residents.put(preset, engine)
        self._preset = {each.name: getattr(preset, each.name) for each in fields(preset)}
        self._size, self._numbers = size, itertools.count()
        self._answered = threading.Semaphore(0)
        #: Seconds from a step to its encoded preview.
        self.lags: list[float] = []
        for name in ("one", "two"):
            picture(size, len(name)).save(folder / f"{name}.webp", lossless=True)

    def carry_out(self, times: int) -> None:
        """So many orders, the next one always foreseen; until the last picture is a file."""
        orders = [self._order() for _ in range(times)]
        self._workshop.foresee(orders[0], self._say)
        for order, following in zip(orders, [*orders[1:], None], strict=True):
            if following is not None:
                self._workshop.foresee(following, self._say)
            carry_out(self._workshop, order, self._say, lambda _="": False)
        for _ in orders:
            self._answered.acquire()

    def _order(self) -> dict[str, Any]:
        number = next(self._numbers)
        source = self._folder / ("one.webp", "two.webp")[number % 2]
        job = {
            "id": f"job{number}", "preset": self._preset, "mask": None, "sources": [str(source)],
            "request": item(self._size, 1, seed=number).request.as_json(),
            "folder": str(self._folder), "stem": f"made{number % 2}",
        }  # fmt: skip
        return {"do": "batch", "id": f"batch{number}", "orders": [job]}

    def _say(self, blob: bytes = b"", **words: Any) -> None:
        if words["say"] in ("made", "failed"):
            assert words["say"] == "made", words
            self._answered.release()
        elif "at" in words:
            self.lags.append(time.monotonic() - words["at"])
