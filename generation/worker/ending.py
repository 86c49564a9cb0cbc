"""How a worker ends: what runs may finish, everything else goes back to the row with its try."""

import asyncio
from collections.abc import Iterable, Mapping

import structlog

from generation.worker.attempts import Attempt

#: Seconds that are always given, however quick jobs usually are: storage and database may be slow.
LEAST = 18.0
#: So many times the longest that runs, as it was measured, is waited for.
TIMES = 2
#: Seconds in which what is given back must be told to the database.
TELLING = 8.0
log = structlog.get_logger("generation")


class Ending:
    """Whether somebody asked this worker to end, and whether they asked twice."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.hurried = asyncio.Event()

    def ask(self) -> None:
        """A signal came: end in order, or at once if it is the second."""
        if self.asked.is_set():
            log.warning("worker is asked again: it gives back what runs")
            self.hurried.set()
        self.asked.set()


def grace(expected: Iterable[float], most: float) -> float:
    """Seconds to wait for jobs that are expected to take so long each; `most` is the operator's."""
    return min(max(LEAST, TIMES * max(expected, default=0.0)), most)


async def finish(
    underway: Mapping[int, Attempt],
    making: Iterable["asyncio.Task[None]"],
    ending: Ending,
    factors: Mapping[str, float],
    most: float,
) -> None:
    """Wait for what is made, as long as it may take; give back what is not done by then.

    `factors` are seconds taken by seconds expected, of each preset.
    """
    await give_back([each for each in underway.values() if not each.begun])
    left = list(making)
    if not left:
        return
    running = {job: each for job, each in underway.items() if each.begun}
    longest = [each.expected(factors.get(each.held.preset, 1.0)) for each in running.values()]
    seconds = grace(longest, most)
    log.info(
        "worker waits for what runs",
        jobs=sorted(running),
        presets=sorted({each.held.preset for each in running.values()}),
        longest=round(max(longest, default=0.0), 1),
        at_most=round(seconds, 1),
    )
    await either(left, ending.hurried, seconds)
    late = [each for each in underway.values() if not each.ended]
    if late:
        why = "asked twice" if ending.hurried.is_set() else "time is up"
        log.info("worker gives back", jobs=sorted(each.held.job_id for each in late), why=why)
    await give_back(late)
    if ending.hurried.is_set():
        await asyncio.gather(*(each.host.kill() for each in late))
    else:
        await either(left, ending.hurried, TELLING)
    await asyncio.wait(left, timeout=TELLING)


async def give_back(attempts: Iterable[Attempt]) -> None:
    """Let these wait again, with their tries."""
    for each in list(attempts):
        await each.drain()


async def either(tasks: "list[asyncio.Task[None]]", event: asyncio.Event, seconds: float) -> None:
    """Wait until all tasks are done or something happens, so long at most."""
    happens = asyncio.create_task(event.wait())
    done = asyncio.create_task(asyncio.wait(tasks))
    either_of = (happens, done)
    try:
        await asyncio.wait(either_of, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for each in either_of:
            each.cancel()
