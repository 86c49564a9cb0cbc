"""One engine, measured: every method is one measurement, and needs none of the others."""

import json
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu import arrivals, timing
from benchmarks.gpu.asking import item
from benchmarks.gpu.line import Line
from generation.engines.base import Item, Made
from generation.engines.buckets import tokens
from generation.engines.diffusers_ import Diffusers
from generation.engines.diffusion import batches, placing, watching
from generation.engines.diffusion.calls import arguments, padded, row_for
from generation.engines.diffusion.settings import call_for
from generation.worker.tallies import Tally

#: Orders one after another in a run of the worker: the first and the last are not overlapped.
ROUND = 8
Work = Callable[[], Any]


class Bench:
    """An engine with what is loaded, and everything said of it so far."""

    def __init__(self, engine: Diffusers, *, tiny: bool) -> None:
        self.engine, self.tiny = engine, tiny
        assert engine.loaded is not None
        self.loaded = engine.loaded
        self.pipe = self.loaded.first
        self.size = self.loaded.settings.sizes[0]
        self.said: list[dict[str, Any]] = []
        self.ratios: dict[str, float] = {}
        self._steps: dict[int, Work] = {}
        self._counted: dict[int, float] = {}
        self._top = 0.0
        # Members ask for different things: what is remembered is measured by itself.
        self.loaded.settings.optimise["remember"] = False

    def say(self, **words: Any) -> None:
        """One measurement: a line of JSON, kept for the report."""
        self.said.append(words)
        print(json.dumps(words), flush=True)

    # --- the device and the denoiser --------------------------------------------------------------

    def ceilings(self) -> None:
        """The device's own limits."""
        self.say(what="multiplication", tflops=self.top / 1e12)
        length, heads = (256, 2) if self.tiny else (8704, 24)
        for kernel, rate in timing.attention(length, heads):
            self.say(what="attention", kernel=kernel, tokens=length, tflops=rate / 1e12)

    @property
    def top(self) -> float:
        """Operations a second that the device can do, measured once."""
        self._top = self._top or timing.multiplication(512 if self.tiny else 8192)
        return self._top

    def eager(self) -> None:
        """A step at each batch size: time, share of the ceiling, what another item pays."""
        self.denoiser("eager")

    def compiled(self) -> None:
        """The same with compiled blocks; then a whole edit. The engine stays compiled."""
        for rows in self.rows:
            self.one_step(rows)  # as the pipeline calls it, noted before anything is compiled
        placing.compile_blocks(self.pipe.transformer, self.loaded.device, "regional")
        self.denoiser("compiled")
        took = timing.median(partial(self.edit, 1), 1, 5)
        self.say(what="edit", how="compiled", rows=1, ms=took * 1e3)

    @property
    def rows(self) -> tuple[int, ...]:
        """Batch sizes to try."""
        return (1, 2) if self.tiny else (1, 2, 4)

    def denoiser(self, how: str) -> None:
        """Of all batch sizes: the first call, then the usual one."""
        before = 0.0
        for rows in self.rows:
            step = self.one_step(rows)
            first = timing.seconds(step)
            finite = bool(torch.isfinite(step()).all())
            took = timing.median(step)
            share = self.operations(rows) / took / self.top
            self.say(
                what="denoiser", how=how, rows=rows, ms=took * 1e3, first_s=first, share=share,
                tflop=self.operations(rows) / 1e12, finite=finite, memory_gb=timing.memory_gb(),
                pays=(rows / took) / before if before else None,
            )  # fmt: skip
            if rows == 1:
                assert finite, "numbers that are none take another time: these figures are void"
                self.ratios[f"share of the ceiling, {how}"] = share
            before = rows / took

    def operations(self, rows: int) -> float:
        """Counted operations of a step, told by the batch of one: each row has as many."""
        if 1 not in self._counted:
            # Counted without compiled code, through which the counter does not see.
            with torch.compiler.set_stance("force_eager"):
                self._counted[1] = timing.operations(self.one_step(1))
        return rows * self._counted[1]

    def one_step(self, rows: int) -> Work:
        """The denoiser's call for a batch of edits, as the pipeline makes it."""
        if rows in self._steps:
            return self._steps[rows]
        seen: list[dict[str, Any]] = []

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

        self._steps[rows] = step
        return step

    def overlap(self) -> None:
        """A step and the decoding of another picture, one after the other and beside each other.

        The most that a second row of work on the device could gain: see docs/decisions.
        """
        step, grid = self.one_step(1), self.decoded_grid()

        def decode() -> Any:
            with torch.no_grad():
                return self.pipe.vae.decode(grid, return_dict=False)[0]

        def both() -> Any:
            return step(), decode()

        beside = timing.beside(step, decode)
        one, other = timing.median(step, 1, 5), timing.median(decode, 1, 5)
        gain = 1 - timing.paired(beside, both, runs=5)
        self.say(
            what="overlap", step_ms=one * 1e3, decode_ms=other * 1e3, gain=gain,
            rows_of_work=2 if timing.ON_GPU else 1,
        )  # fmt: skip

    def decoded_grid(self) -> Any:
        """What the pipeline gives its VAE to decode for one picture."""
        seen: list[Any] = []
        hook = self.pipe.vae.decoder.register_forward_pre_hook(lambda _, words: seen.append(words))
        try:
            self.bare(1)()
        finally:
            hook.remove()
        return torch.zeros_like(seen[-1][0]).normal_()

    # --- the engine and the worker ----------------------------------------------------------------

    def worker(self) -> None:
        """The workshop of a device host, one batch of one after another, against a bare loop.

        Sources, files, hash and vector of each are included: done beside the device's work, as in a
        host.
        """
        with tempfile.TemporaryDirectory() as folder:
            line = Line(self.engine, self.loaded.preset, self.size, Path(folder))
            ratio = timing.paired(self.loop(ROUND), partial(line.carry_out, ROUND), runs=5)
        self.ratios["worker / bare loop"] = ratio
        engine = timing.paired(self.bare(1), partial(self.edit, 1), runs=5)
        lags = [1000 * each for each in line.lags]
        self.say(what="worker / bare loop", ratio=ratio, orders=ROUND)
        self.say(what="engine / bare loop", ratio=engine)
        self.say(what="preview lag in the host", ms=statistics.median(lags) if lags else None)

    def loop(self, times: int) -> Work:
        """As many bare calls."""
        bare = self.bare(1)
        return lambda: [bare() for _ in range(times)]

    def remembering(self) -> None:
        """The same prompt and source asked again with other seeds, against new ones each time."""
        self.loaded.settings.optimise["remember"] = True
        seeds = iter(range(10_000, 20_000))

        def again() -> None:
            self.made([item(self.size, 1, seed=next(seeds))])

        def anew() -> None:
            self.engine.memory.clear()
            again()

        try:
            again()
            ratio = timing.paired(again, anew, runs=5)
        finally:
            self.loaded.settings.optimise["remember"] = False
        self.say(what="remembered / anew", ratio=ratio, **self.engine.memory.about())

    def batching(self) -> None:
        """Batches that take who waits, against fixed ones and against one at a time."""
        buckets = [each for each in self.loaded.preset.buckets if each <= 4]
        took = {rows: timing.median(partial(self.edit, rows), 1, 5) for rows in buckets}
        for rows, each in took.items():
            self.say(what="edit", how="eager", rows=rows, ms=each * 1e3, per_second=rows / each)
        self.ratios |= arrivals.ratios(took)
        most = arrivals.worth(took)
        self.say(what="tokens_in_flight", tokens=tokens(self.size, 1) * most, rows=most)

    def previews(self) -> None:
        """A run that shows how its picture comes into being, against one that looks at nothing."""
        looks = watching.clean_before

        def without() -> None:
            watching.clean_before = lambda *_: None
            try:
                self.edit(1)
            finally:
                watching.clean_before = looks

        self.ratios["with / without previews"] = timing.paired(partial(self.edit, 1), without)
        grid = torch.randn(1, *self.grid_shape(), device=self.loaded.device)
        one = timing.median(lambda: batches.Coming(self.loaded.colours.project(grid)).pictures())
        self.say(what="one frame", ms=one * 1e3, ratio=self.ratios["with / without previews"])

    def grid_shape(self) -> tuple[int, int, int]:
        """Latents of one picture: channels, height, width."""
        channels = self.loaded.colours.matrix.shape[0] - 1
        return channels, self.size[1] // 16, self.size[0] // 16

    def outside(self) -> None:
        """Time of an edit that is not the denoiser's; and as a host counts it, by the engine's clock.

        Prompt and source are new, so their encoding counts.
        """
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

    def bare(self, rows: int) -> Work:
        """The pipeline called as a script would, sources ready, pictures out."""
        asked = [item(self.size, seed) for seed in range(rows)]
        call = call_for(asked[0].request, self.loaded.preset)
        ready = padded([row_for(each, call, self.loaded) for each in asked], rows)

        def run() -> Any:
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
