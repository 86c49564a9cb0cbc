"""Times, ceilings and counted operations."""

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode

WARM, RUNS = 3, 10
ON_GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if ON_GPU else "cpu")


def settle() -> None:
    """Until the device has done all it was sent."""
    if ON_GPU:
        torch.cuda.synchronize()


def seconds(work: Callable[[], Any]) -> float:
    """One run by the clock, the device's work included."""
    settle()
    begun = time.perf_counter()
    work()
    settle()
    return time.perf_counter() - begun


def median(work: Callable[[], Any], warm: int = WARM, runs: int = RUNS) -> float:
    """Median seconds of a run."""
    for _ in range(warm):
        work()
    return statistics.median(seconds(work) for _ in range(runs))


def paired(one: Callable[[], Any], other: Callable[[], Any], runs: int = RUNS) -> float:
    """Time of `one` by that of `other`: the median ratio of runs side by side."""
    one(), other()
    return statistics.median(seconds(one) / seconds(other) for _ in range(runs))


def operations(work: Callable[[], Any]) -> float:
    """Counted floating-point operations of one run."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def multiplication(side: int) -> float:
    """Operations a second of a square bfloat16 multiplication: the ceiling for all others."""
    one, two = (torch.randn(side, side, dtype=torch.bfloat16, device=DEVICE) for _ in range(2))
    return 2 * side**3 / median(lambda: one @ two)


def attention(tokens: int, heads: int) -> Iterator[tuple[str, float]]:
    """Operations a second of attention over `tokens`, by kernel."""
    shape = (1, heads, tokens, 128)
    q, k, v = (torch.randn(shape, dtype=torch.bfloat16, device=DEVICE) for _ in range(3))
    count = 4 * tokens**2 * heads * 128

    def attend() -> torch.Tensor:
        return F.scaled_dot_product_attention(q, k, v)

    yield "default", count / median(attend)
    if ON_GPU:
        from torch.nn.attention import SDPBackend, sdpa_kernel

        kernels = {"flash": SDPBackend.FLASH_ATTENTION, "cudnn": SDPBackend.CUDNN_ATTENTION}
        for name, kernel in kernels.items():
            with contextlib.suppress(RuntimeError), sdpa_kernel(kernel):
                yield name, count / median(attend)
