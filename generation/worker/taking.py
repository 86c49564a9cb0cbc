"""Takes tasks from the queue: roles side by side in one process, taken up again after every trouble."""

import asyncio
import contextlib
import time
from typing import Any

import psycopg
import structlog
from django.conf import settings
from procrastinate.contrib.django import app

from generation.worker.attempts import UNREACHABLE

#: Seconds beyond FORUM_DRAIN_SECONDS after which procrastinate gives up tasks that still run.
MARGIN = 30.0
log = structlog.get_logger("generation")


class Takers:
    """What one worker takes from, and whether an operator lets it take nothing more."""

    def __init__(self, name: str, studio: Any) -> None:
        self._name, self._studio = name, studio
        self._running: list[asyncio.Task[None]] = []
        self._shares: list[tuple[Any, ...]] = []
        self.draining = False
        self.stopping = asyncio.Event()

    def start(self, role: str, queues: list[str], at_once: int) -> None:
        """Take from these queues, so many at a time, from now on."""
        self._shares.append((role, queues, at_once))
        if role == "light" or not self.draining:
            self._running.append(asyncio.create_task(self._take(role, queues, at_once), name=role))

    def heed(self, draining: bool) -> None:
        """What an operator asked: take nothing more but the house's quick tasks, or take again."""
        if draining == self.draining:
            return
        self.draining = draining
        log.info("worker drains" if draining else "worker takes again", name=self._name)
        if draining:
            for taker in self._running:
                if taker.get_name() != "light":
                    taker.cancel()
            return
        again = [share for share in self._shares if share[0] != "light"]
        self._shares = [share for share in self._shares if share[0] == "light"]
        for share in again:
            self.start(*share)

    def stop(self) -> None:
        """Take nothing more; what runs goes on."""
        self.stopping.set()
        for taker in self._running:
            taker.cancel()

    async def stopped(self, seconds: float) -> None:
        """Wait until all have ended, so long at most."""
        if self._running:
            await asyncio.wait(self._running, timeout=seconds)

    async def _take(self, role: str, queues: list[str], at_once: int) -> None:
        """Take tasks, and take up again after the database was away."""
        pause = 0.5
        while not self.stopping.is_set():
            begun = time.monotonic()
            try:
                await self._take_once(role, queues, at_once)
            except (*UNREACHABLE, psycopg.Error, OSError) as error:
                log.warning("database away", role=role, error=type(error).__name__)
            pause = 0.5 if time.monotonic() - begun > 30 else min(pause * 2, 5.0)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self.stopping.wait()

    async def _take_once(self, role: str, queues: list[str], at_once: int) -> None:
        await app.run_worker_async(
            queues=queues,
            name=f"{self._name}-{role}",
            concurrency=at_once,
            shutdown_graceful_timeout=settings.FORUM_DRAIN_SECONDS + MARGIN,
            fetch_job_polling_interval=1.0,
            delete_jobs="successful",
            install_signal_handlers=False,
            additional_context={"studio": self._studio},
        )
