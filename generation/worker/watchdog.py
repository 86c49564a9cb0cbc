"""Ends a worker that only looks alive. A thread, because the loop it watches may be the one that hangs."""

import os
import threading
import time
from collections.abc import Callable

import structlog

#: Exit code after which the supervisor starts the worker again; so it does after any other.
HALF_DEAD = 70
LOOK_EVERY = 5.0
#: Seconds the event loop may stand still.
STANDSTILL = 30.0
#: Seconds a heartbeat may be old while the database answers others.
SILENCE = 40.0
log = structlog.get_logger("generation")


class Watchdog(threading.Thread):
    """Watches two signs of life: the loop that turns, and heartbeats that arrive."""

    def __init__(self, database_answers: Callable[[], bool]) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._database_answers = database_answers
        self._off = threading.Event()
        self.turned_at = self.beat_at = time.monotonic()

    def turned(self) -> None:
        """The loop moves."""
        self.turned_at = time.monotonic()

    def beat(self) -> None:
        """A heartbeat was written."""
        self.beat_at = time.monotonic()

    def rest(self) -> None:
        """Watch no longer."""
        self._off.set()

    def run(self) -> None:
        """Look every few seconds; end the process when it is half dead."""
        looked = time.monotonic()
        while not self._off.wait(LOOK_EVERY):
            now = time.monotonic()
            if now - looked > 2 * LOOK_EVERY:
                # We stood still ourselves: the process was paused, and may go on.
                self.turned_at = self.beat_at = now
            looked = now
            if trouble := self.trouble(now):
                log.error("worker is half dead and ends", trouble=trouble)
                os._exit(HALF_DEAD)

    def trouble(self, now: float) -> str:
        """What is wrong; "" when nothing is. An outage of the database is not our fault."""
        if now - self.turned_at > STANDSTILL:
            return "its loop stands still"
        if now - self.beat_at > SILENCE and self._database_answers():
            return "its heartbeats do not arrive although the database answers"
        return ""
