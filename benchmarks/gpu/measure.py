"""Measures the diffusers engine against what the device can do. See README.md beside this file."""

import argparse
import itertools
import json
import platform
import random
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import torch
from PIL import Image

from benchmarks.gpu import timing
from benchmarks.gpu.models import full_engine, tiny_engine
from generation.engines.base import Item, Made
from generation.engines.buckets import tokens
from generation.engines.diffusers_ import Diffusers
from generation.engines.diffusion import batches
from generation.engines.diffusion.calls import arguments, padded, row_for
from generation.engines.diffusion.recipes import versions
from generation.engines.diffusion.settings import call_for
from generation.host.making import Workshop
from generation.host.verbs import carry_out
from generation.requests import EditRequest, ImageRef
from generation.worker.tallies import Tally

#: Wanted: (what, least or most, value).
GOALS = {
    "worker / bare loop": ("at least", 0.97),
    "dynamic / best static batch": ("at least", 0.95),
    "dynamic / one at a time, 0.3 load": ("at least", 0.99),
    "share of the ceiling, eager": ("at least", 0.55),
    "share of the ceiling, compiled": ("at least", 0.70),
    "with / without previews": ("at most", 1.01),
    "outside the denoiser": ("at most", 0.08),
    "same picture twice": ("at least", 1),
    "same picture beside other neighbours": ("at least", 1),
}
#: Another item pays when it adds at least this much throughput.
PAYS = 1.05
#: Orders one after another in a run of the worker: the first and the last are not overlapped.
ROUND = 8


class Bench:
    """One engine, measured."""

    def __init__(self, engine: Diffusers, *, tiny: bool) -> None:
        self.engine, self.tiny = engine, tiny
        assert engine.loaded is not None
        self.loaded = engine.loaded
        self.pipe = self.loaded.first
        self.size = self.loaded.settings.sizes[0]
        self.said: list[dict[str, Any]] = []
        self.ratios: dict[str, float] = {}

    def say(self, **words: Any) -> None:
        """One measurement: a line of JSON, kept for the report."""
        self.said.append(words)
        print(json.dumps(words), flush=True)

    # --- what is measured -------------------------------------------------------------------------

    def ceilings(self) -> float:
        """The device's own limits."""
        top = timing.multiplication(512 if self.tiny else 8192)
        self.say(what="multiplication", tflops=top / 1e12)
        tokens, heads = (256, 2) if self.tiny else (8704, 24)
        for kernel, rate in timing.attention(tokens, heads):
            self.say(what="attention", kernel=kernel, tokens=tokens, tflops=rate / 1e12)
        return top

    def denoiser(self, top: float, *, compiled: bool) -> None:
        """A step at each batch size: time, share of the ceiling, what another item pays."""
        name = "compiled" if compiled else "eager"
        if compiled:
            self.pipe.transformer.compile_repeated_blocks(fullgraph=True)
        before = 0.0
        for rows in (1, 2) if self.tiny else (1, 2, 4):
            step = self.one_step(rows)
            cold = timing.seconds(step)
            assert torch.isfinite(step()).all(), "random weights must stay finite"
            count = timing.operations(step) if not compiled else self.counted[rows]
            self.counted = {**getattr(self, "counted", {}), rows: count}
            took = timing.median(step)
            share = count / took / top
            self.say(
                what="denoiser", how=name, rows=rows, ms=took * 1e3, cold_s=cold, share=share,
                tflop=count / 1e12, pays=(rows / took) / before if before else None,
            )  # fmt: skip
            if rows == 1:
                self.ratios[f"share of the ceiling, {name}"] = share
            before = rows / took

    def one_step(self, rows: int) -> Callable[[], Any]:
        """The denoiser's call for a batch of edits, as the pipeline makes it."""
        seen: list[Any] = []

        def keep(_: Any, words: Any, more: dict[str, Any]) -> None:
            seen[:] = [more]

        hook = self.pipe.transformer.register_forward_pre_hook(keep, with_kwargs=True)
        try:
            self.bare(rows)()
        finally:
            hook.remove()
        more = {**seen[0], "return_dict": False}

        def step() -> Any:
            with torch.no_grad():
                return self.pipe.transformer(**more)[0]

        return step

    def worker(self) -> None:
        """The workshop of a device host, one batch of one after another, against a bare loop.

        Sources, files, hash and vector of each are included: done beside the device's work, as in a
        host. Nothing is remembered, for a bare loop has no memory either.
        """
        optimise = self.loaded.settings.optimise
        before, optimise["remember"] = optimise.get("remember", True), False
        with tempfile.TemporaryDirectory() as folder:
            line = Line(self, Path(folder))
            ratio = timing.paired(self.loop(ROUND), partial(line.carry_out, ROUND), runs=5)
        optimise["remember"] = before
        self.ratios["worker / bare loop"] = ratio
        engine = partial(self.edit, 1)
        self.say(what="engine / bare loop", ratio=timing.paired(self.bare(1), engine, runs=5))
        self.say(what="worker / bare loop", ratio=ratio, orders=ROUND)
        lags = [1000 * each for each in line.lags]
        self.say(what="preview lag in the host", ms=statistics.median(lags) if lags else None)

    def loop(self, times: int) -> Callable[[], Any]:
        """As many bare calls."""
        bare = self.bare(1)
        return lambda: [bare() for _ in range(times)]

    def remembering(self) -> None:
        """The same prompt and source asked again with other seeds, against new ones each time."""
        seeds = iter(range(10_000, 20_000))

        def again() -> None:
            self.made([item(self.size, 1, seed=next(seeds))])

        def anew() -> None:
            self.engine.memory.clear()
            again()

        again()
        ratio = timing.paired(again, anew, runs=5)
        self.say(what="remembered / anew", ratio=ratio, **self.engine.memory.about())

    def batching(self) -> None:
        """Batches that take who waits, against fixed ones and against one at a time."""
        buckets = [each for each in self.loaded.preset.buckets if each <= 4]
        took = {rows: timing.median(partial(self.edit, rows), 1, 5) for rows in buckets}
        for rows, each in took.items():
            self.say(what="edit", rows=rows, ms=each * 1e3, per_second=rows / each)
        best = max(rows / each for rows, each in took.items())
        full = throughput([0.0] * 64, took)
        self.ratios["dynamic / best static batch"] = full / best
        draw = random.Random(5)
        gaps = [draw.expovariate(0.3 / took[1]) for _ in range(200)]
        arrivals = [sum(gaps[: n + 1]) for n in range(len(gaps))]
        alone = throughput(arrivals, {1: took[1]})
        self.ratios["dynamic / one at a time, 0.3 load"] = throughput(arrivals, took) / alone
        self.say(what="tokens_in_flight", tokens=tokens(self.size, 1) * worth(took))

    def previews(self) -> None:
        """A run whose steps draw frames, against one whose steps do not."""
        project = type(self.loaded.colours).project
        blank = torch.zeros(4, 2, 2, 3, dtype=torch.uint8)

        def without() -> None:
            type(self.loaded.colours).project = lambda _, grid: blank[: grid.shape[0]]  # type: ignore[method-assign]
            try:
                self.edit(1)
            finally:
                type(self.loaded.colours).project = project  # type: ignore[method-assign]

        self.ratios["with / without previews"] = timing.paired(partial(self.edit, 1), without)
        grid = torch.randn(1, *self.grid_shape(), device=self.loaded.device)
        one = timing.median(lambda: batches.Coming(self.loaded.colours.project(grid)).pictures())
        self.say(what="one frame", ms=one * 1e3, ratio=self.ratios["with / without previews"])

    def grid_shape(self) -> tuple[int, int, int]:
        """Latents of one picture: channels, height, width."""
        channels = self.loaded.colours.matrix.shape[0] - 1
        return channels, self.size[1] // 16, self.size[0] // 16

    def outside(self) -> None:
        """Time of an edit that is not the denoiser's; and as a host counts it, by the engine's clock."""
        step = timing.median(self.one_step(1), 1, 5)
        steps = int(self.loaded.settings.call["num_inference_steps"])
        whole = timing.median(partial(self.edit, 1), 1, 5)
        self.ratios["outside the denoiser"] = max(0.0, 1 - steps * step / whole)
        self.engine.spent()
        took = timing.seconds(partial(self.edit, 1))
        spent = self.engine.spent()
        tally = Tally()
        tally.note_spent({**spent, "other": max(0.0, took - sum(spent.values()))})
        self.say(
            what="stages", whole_ms=whole * 1e3, step_ms=step * 1e3, outside=tally.outside,
            **{stage: 1e3 * each for stage, each in tally.spent.items()},
        )  # fmt: skip

    def reproducibility(self) -> None:
        """Bits: twice the same, and beside others."""
        items = [item(self.size, seed) for seed in range(4)]
        first, again = (self.made(items)[0].picture.tobytes() for _ in range(2))
        others = [items[0], *(item(self.size, seed) for seed in (7, 8, 9))]
        beside = self.made(others)[0].picture.tobytes()
        self.ratios["same picture twice"] = float(first == again)
        self.ratios["same picture beside other neighbours"] = float(first == beside)
        alone = self.made(items[:1])[0].picture.tobytes()
        self.say(what="same bits alone and in four", yes=first == alone)

    # --- the means --------------------------------------------------------------------------------

    def bare(self, rows: int) -> Callable[[], Any]:
        """The pipeline called as a script would, sources ready, pictures out."""
        asked = [item(self.size, seed) for seed in range(rows)]
        call = call_for(asked[0].request, self.loaded.preset)

        def run() -> Any:
            ready = padded([row_for(each, call, self.loaded) for each in asked], rows)
            return self.pipe(**arguments(self.pipe, call, ready, self.loaded)).images

        return run

    def edit(self, rows: int) -> list[Made]:
        """A batch through the engine, with frames."""
        return self.made([item(self.size, seed) for seed in range(rows)])

    def made(self, items: list[Item]) -> list[Made]:
        """Everything that came of a batch, in its order."""
        answers = {
            each.id: each for each in self.engine.edit(items, lambda _: None, lambda _: False)
        }
        found = [answers[each.id] for each in items]
        assert all(isinstance(each, Made) for each in found), found
        return found  # type: ignore[return-value]


class Line:
    """Stands where a host's line to its supervisor is: gives orders, hears answers."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self._folder, self._workshop = folder, Workshop()
        self._workshop.residents.put(bench.loaded.preset, bench.engine)
        self._preset = {field: getattr(bench.loaded.preset, field) for field in FIELDS}
        self._size, self._numbers = bench.size, itertools.count()
        self._answered = threading.Semaphore(0)
        #: Seconds from a step to its encoded preview.
        self.lags: list[float] = []
        for name in ("one", "two"):
            picture(bench.size, len(name)).save(folder / f"{name}.webp", lossless=True)

    def carry_out(self, times: int) -> None:
        """So many orders, the next one always foreseen; until the last picture is a file."""
        orders = [self._order() for _ in range(times)]
        self._workshop.foresee(orders[0], self._say)
        for order, following in zip(orders, [*orders[1:], None], strict=True):
            if following is not None:
                self._workshop.foresee(following, self._say)
            carry_out(self._workshop, order, self._say, lambda _: False)
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


FIELDS = (
    "name", "engine", "titles", "licence", "commercial", "max_side", "source_type", "buckets",
    "max_sources", "settings",
)  # fmt: skip


def throughput(arrivals: list[float], took: dict[int, float]) -> float:
    """Images a second when a free device takes who waits, padded to the next batch size."""
    clock, waiting = 0.0, sorted(arrivals)
    while waiting:
        clock = max(clock, waiting[0])
        here = sum(1 for each in waiting if each <= clock)
        rows = min(here, max(took))
        clock += took[min(size for size in took if size >= rows)]
        del waiting[:rows]
    return len(arrivals) / clock


def worth(took: dict[int, float]) -> int:
    """The largest batch that still pays."""
    best = min(took)
    for rows in sorted(took)[1:]:
        if (rows / took[rows]) / (best / took[best]) < PAYS:
            break
        best = rows
    return best


def picture(size: tuple[int, int], seed: int) -> Image.Image:
    """Smooth colours."""
    coarse = Image.frombytes("RGB", (8, 8), random.Random(seed).randbytes(192))
    return coarse.resize(size, Image.Resampling.BICUBIC)


def item(size: tuple[int, int], number: int, seed: int | None = None) -> Item:
    """One member's job."""
    source = picture(size, number)
    ref = ImageRef(sha256=f"{number:064x}", name="a", size=size)
    seed = number if seed is None else seed
    request = EditRequest(preset="klein", prompt="at night, in snow", seed=seed, sources=(ref,))
    return Item(f"item{number}", request, [source])


def report(bench: Bench, tiny: bool) -> str:
    """The ratios against what is wanted, then every measurement."""
    about = ", ".join(f"{name} {number}" for name, number in versions())
    device = f"{bench.loaded.device_name} ({platform.machine()})"
    lines = [f"# The studio's diffusers engine, {'toy sizes' if tiny else 'true sizes'}", ""]
    lines += [f"{datetime.now(UTC):%Y-%m-%d}; {device}; {about}.", ""]
    if tiny:
        lines += [
            "**The figures of a GPU are missing.** No GPU was at hand. What follows is the same code on",
            "toy models and a busy CPU: it shows that every measurement runs, and its ratios say nothing",
            "of a real device. Only the last two rows mean what they say.",
            "",
        ]
    lines += ["| ratio | measured | wanted |", "|---|---|---|"]
    for name, (bound, goal) in GOALS.items():
        value = bench.ratios.get(name)
        said = "not measured" if value is None else f"{value:.3f}"
        lines.append(f"| {name} | {said} | {bound} {goal} |")
    lines += ["", "```", *(json.dumps(rounded(each)) for each in bench.said), "```", ""]
    return "\n".join(lines)


def rounded(words: dict[str, Any]) -> dict[str, Any]:
    """Numbers as people read them."""
    return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in words.items()}


def main() -> None:
    """Measure, print, and write the report where asked."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--tiny", action="store_true", help="toy models, on any machine")
    asked.add_argument("--no-compile", action="store_true", help="leave compiled code out")
    asked.add_argument("--out", type=Path, help="write the report to this file")
    words = asked.parse_args()
    bench = Bench(tiny_engine() if words.tiny else full_engine(), tiny=words.tiny)
    top = bench.ceilings()
    bench.denoiser(top, compiled=False)
    for each in (bench.worker, bench.batching, bench.previews, bench.outside, bench.remembering):
        each()
    bench.reproducibility()
    if not words.no_compile and not words.tiny:
        bench.denoiser(top, compiled=True)
    text = report(bench, words.tiny)
    if words.out:
        words.out.write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
