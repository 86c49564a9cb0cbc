"""Batches of members who come and go, on a clock that only measured times of real batches move on."""

import random

#: Another item pays when it adds at least this much throughput.
PAYS = 1.05

Times = dict[int, float]


def throughput(arrivals: list[float], took: Times) -> float:
    """Images a second when a free device takes who waits, padded to the next batch size.

    `took` has seconds of a batch by its size; the largest is the most that is taken at once.
    """
    clock, waiting = 0.0, sorted(arrivals)
    while waiting:
        clock = max(clock, waiting[0])
        here = sum(1 for each in waiting if each <= clock)
        rows = min(here, max(took))
        clock += took[min(size for size in took if size >= rows)]
        del waiting[:rows]
    return len(arrivals) / clock


def worth(took: Times) -> int:
    """The largest batch that still pays."""
    best = min(took)
    for rows in sorted(took)[1:]:
        if (rows / took[rows]) / (best / took[best]) < PAYS:
            break
        best = rows
    return best


def ratios(took: Times) -> dict[str, float]:
    """Dynamic batches as a studio makes them, up to the largest that pays, against others."""
    allowed = {rows: each for rows, each in took.items() if rows <= worth(took)}
    best = max(rows / each for rows, each in took.items())
    draw = random.Random(5)
    gaps = [draw.expovariate(0.3 / took[1]) for _ in range(200)]
    arrivals = [sum(gaps[: n + 1]) for n in range(len(gaps))]
    alone = throughput(arrivals, {1: took[1]})
    return {
        "dynamic / best static batch": throughput([0.0] * 64, allowed) / best,
        "dynamic / one at a time, 0.3 load": throughput(arrivals, allowed) / alone,
    }
