"""Stands beside a running pipeline: counts its steps, sees the clean-image estimate, can end it.

It wraps the two places that every pipeline of diffusers passes: `scheduler.step` and `vae.decode`.
That works for those without callbacks too (LongCat has none), and raising in a step skips what is
left, decoding included. The next run is bit-equal to a fresh one: tests hold it to that.
"""

import contextlib
import functools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from generation.engines.base import Cancelled

Tensor = torch.Tensor


@dataclass(slots=True)
class Watch:
    """What one run is asked and told. Rows are the places in the batch, padding included."""

    #: Called after each step with its number from 1, how many there are, and the estimate of the
    #: clean image in the space of the loop, or None where the scheduler gives none.
    on_step: Callable[[int, int, Tensor | None], None]
    #: Whether nobody waits for any picture of this batch.
    all_stopped: Callable[[], bool]
    #: Whether this row's picture is wanted: what nobody waits for is not decoded.
    wanted: Callable[[int], bool]
    pace: "Pace"
    clock: "Clock"
    step: int = 0
    #: Moments on the device, by what begins or ends then.
    moments: dict[str, Any] = field(default_factory=dict)
    #: Pairs of moments between which rows were decoded.
    decoded: list[tuple[Any, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.moments["begun"] = self.clock.now()

    def mark(self, name: str, *, again: bool = True) -> None:
        """Note that something begins or ends now; without `again`, only the first time."""
        if again or name not in self.moments:
            self.moments[name] = self.clock.now()

    def finish(self) -> None:
        """The pictures are there."""
        self.mark("ended")

    def spent(self) -> dict[str, float]:
        """Seconds of each stage: before the denoiser's first call, denoising, decoding."""
        between, moments = self.clock.between, self.moments
        if "denoiser" not in moments or "step" not in moments:
            return {}
        return {
            "encode": between(moments["begun"], moments["denoiser"]),
            "denoise": between(moments["denoiser"], moments["step"]),
            "decode": sum(between(*pair) for pair in self.decoded),
        }

    def milliseconds(self) -> dict[str, int]:
        """The same in whole milliseconds, for a recipe."""
        return {stage: round(1000 * took) for stage, took in self.spent().items()}


class Clock:
    """Moments on a device: on a GPU they stand in its row of work, so that its time counts, not ours."""

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"

    def now(self) -> Any:
        """This moment."""
        if not self._cuda:
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record()
        return event

    def between(self, one: Any, other: Any) -> float:
        """Seconds from one moment to another, which is waited for."""
        if not self._cuda:
            return float(other - one)
        other.synchronize()
        return float(one.elapsed_time(other)) / 1000


class Pace:
    """Keeps Python at most one step ahead of the device.

    Kernels are queued, so without this all steps of a short run would be sent before the first has
    begun: nothing could be stopped, and step numbers would lie. One step ahead, the device never
    waits. On a CPU there is nothing to wait for.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._before: torch.cuda.Event | None = None

    def wait(self) -> None:
        """Until the device has finished the step before the one just sent."""
        if not self._cuda:
            return
        sent: torch.cuda.Event = torch.cuda.Event()  # type: ignore[no-untyped-call]
        sent.record()
        if self._before is not None:
            self._before.synchronize()
        self._before = sent


@contextlib.contextmanager
def watched(pipe: Any, watch: Watch) -> Iterator[None]:
    """While the block runs, steps and decoding of `pipe` go through `watch`.

    Raises `Cancelled` out of the pipeline when nobody waits any more.
    """
    scheduler, vae = pipe.scheduler, pipe.vae
    step, decode = scheduler.step, vae.decode
    scheduler.step = stepping(scheduler, step, pipe, watch)
    vae.decode = decoding(decode, watch)
    first = [
        module.register_forward_pre_hook(lambda *_: watch.mark("denoiser", again=False))
        for module in denoisers(pipe)
    ]
    try:
        yield
    finally:
        for hook in first:
            hook.remove()
        # They were looked up on the class before, and are again.
        del scheduler.step, vae.decode


def denoisers(pipe: Any) -> Iterator[torch.nn.Module]:
    """What a pipeline calls in every step."""
    for name in ("controlnet", "transformer", "transformer_2", "unet"):
        if isinstance(module := getattr(pipe, name, None), torch.nn.Module):
            yield module


def stepping(
    scheduler: Any, step: Callable[..., Any], pipe: Any, watch: Watch
) -> Callable[..., Any]:
    """`scheduler.step` that reports. Its signature stays, for pipelines inspect it."""

    @functools.wraps(step)
    def watched_step(
        model_output: Tensor, timestep: Any, sample: Tensor, *words: Any, **more: Any
    ) -> Any:
        if watch.all_stopped():
            raise Cancelled
        clean = clean_before(scheduler, model_output, timestep, sample)
        out = step(model_output, timestep, sample, *words, **more)
        watch.step += 1
        watch.pace.wait()
        watch.mark("step")
        watch.on_step(
            watch.step,
            max(steps_of(pipe, scheduler), watch.step),
            clean_after(out) if clean is None else clean,
        )
        return out

    return watched_step


def decoding(decode: Callable[..., Any], watch: Watch) -> Callable[..., Any]:
    """`vae.decode` that takes one row at a time, and leaves out those nobody waits for.

    A row decoded alone does not depend on the batch it ran in, and needs a share of the memory.
    """

    @functools.wraps(decode)
    def watched_decode(latents: Tensor, *words: Any, **more: Any) -> Any:
        if watch.all_stopped():
            raise Cancelled
        more["return_dict"] = False
        begun = watch.clock.now()
        rows: list[Tensor | None] = [
            decode(latents[row : row + 1], *words, **more)[0] if watch.wanted(row) else None
            for row in range(latents.shape[0])
        ]
        watch.decoded.append((begun, watch.clock.now()))
        one = next((row for row in rows if row is not None), None)
        if one is None:
            raise Cancelled
        return (torch.cat([torch.zeros_like(one) if row is None else row for row in rows]),)

    return watched_decode


def steps_of(pipe: Any, scheduler: Any) -> int:
    """How many steps this run has."""
    return int(getattr(pipe, "num_timesteps", None) or len(scheduler.timesteps))


def clean_before(scheduler: Any, output: Tensor, timestep: Any, sample: Tensor) -> Tensor | None:
    """The clean image as the model sees it now, where it can be told before the scheduler moves.

    Flow matching: x0 = x_t - sigma * v (Lipman and others 2023, with x_t = (1 - sigma) x0 + sigma
    noise). Multistep solvers that predict x0 convert the output themselves.
    """
    if type(scheduler).__name__.startswith("FlowMatch"):
        index = scheduler.step_index
        index = (scheduler.begin_index or 0) if index is None else index
        sigma = scheduler.sigmas[index].to(sample.device)
        return sample.float() - sigma * output.float()  # type: ignore[no-any-return]
    if predicts_clean(scheduler):
        if scheduler.step_index is None:
            scheduler._init_step_index(timestep)
        return scheduler.convert_model_output(output, sample=sample)  # type: ignore[no-any-return]
    return None


def predicts_clean(scheduler: Any) -> bool:
    """Whether `convert_model_output` of this solver gives the clean image."""
    config = scheduler.config
    solver = str(config.get("algorithm_type", ""))
    return hasattr(scheduler, "convert_model_output") and bool(
        config.get("predict_x0") or solver.endswith("++")
    )


def clean_after(out: Any) -> Tensor | None:
    """The predicted original that Euler, Euler ancestral, DDIM and LCM give with their step."""
    if not isinstance(out, tuple):
        out = (None, getattr(out, "pred_original_sample", None))
    clean: Tensor | None = out[1] if len(out) > 1 else None
    return clean
