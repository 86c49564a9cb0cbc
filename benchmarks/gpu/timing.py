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


def median(work: Callable[[], Any], warm: int = WARM, runs: int | None = None) -> float:
    """Median seconds of a run."""
    for _ in range(warm):
        work()
    return statistics.median(seconds(work) for _ in range(runs or RUNS))


def paired(one: Callable[[], Any], other: Callable[[], Any], runs: int | None = None) -> float:
    """Time of `one` by that of `other`: the median ratio of runs side by side."""
    one(), other()
    return statistics.median(seconds(one) / seconds(other) for _ in range(runs or RUNS))


def operations(work: Callable[[], Any]) -> float:
    """Counted floating-point operations of one run."""
    with FlopCounterMode(display=False) as counter:
        work()
    return float(counter.get_total_flops())


def beside(one: Callable[[], Any], other: Callable[[], Any]) -> Callable[[], Any]:
    """Both in rows of work of their own, where a device has more than one; else one after the other."""
    if not ON_GPU:
        return lambda: (one(), other())
    aside = torch.cuda.Stream()

    def both() -> Any:
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            second = other()
        first = one()
        torch.cuda.current_stream().wait_stream(aside)
        return first, second

    return both


def memory_gb() -> float | None:
    """The most memory taken on a GPU so far, in GiB; None elsewhere."""
    return torch.cuda.max_memory_allocated() / 2**30 if ON_GPU else None


#: Multiplications in a row: so many that the device's clock is the one it holds, not the one it
#: begins with, and that waiting for the end costs nothing.
IN_A_ROW = 50 if ON_GPU else 1


def multiplication(side: int) -> float:
    """Operations a second of a square bfloat16 multiplication: the ceiling for all others."""
    one, two = (torch.randn(side, side, dtype=torch.bfloat16, device=DEVICE) for _ in range(2))
    out = torch.empty_like(one)

    def some() -> None:
        for _ in range(IN_A_ROW):
            torch.mm(one, two, out=out)

    return IN_A_ROW * 2 * side**3 / median(some)


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
