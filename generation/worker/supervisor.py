"""The supervisor: one asyncio process that takes tasks and lets device hosts make pictures.

It awaits and asks the database in threads; everything heavy happens in hosts. No numpy here.
"""

import asyncio
import contextlib
import functools
import os
import platform
import signal
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any, TypeVar

import psycopg
import structlog
from django.conf import settings
from django.db import connections
from django.db.models.functions import Now
from procrastinate.contrib.django import app
from procrastinate.exceptions import ConnectorException
from procrastinate.psycopg_connector import PsycopgConnector

from generation.engines.base import Preset
from generation.engines.buckets import batch_key, most_for
from generation.engines.sources import lacking
from generation.jobs import pace, publishing
from generation.jobs.posting import FILM, LIGHT
from generation.models import Worker
from generation.prompts import planning
from generation.requests import EditRequest
from generation.versions import film_formats, installed
from generation.worker import ending, warming
from generation.worker.attempts import UNREACHABLE, Attempt, attempt
from generation.worker.batching import Batcher, Closing
from generation.worker.devices import Device, found
from generation.worker.ending import Ending
from generation.worker.hosts import Pool
from generation.worker.taking import Takers
from generation.worker.watchdog import Watchdog

T = TypeVar("T")
#: Periodic tasks; every role serves them, so that no worker is without one.
SWEEP = "sweep"
BEAT_EVERY = 10.0
#: Jobs fetched for each place in a batch: one is published, one is made, one is next, one finds its
#: company.
ROWS = 4
#: Seconds for a question to a database that may be gone, when we are asked to end.
ASKING = 3.0
#: Threads that ask the database.
DATABASE_THREADS = 4
#: Quick tasks run side by side.
LIGHT_AT_ONCE = 4
log = structlog.get_logger("generation")


def queues_for(roles: list[str]) -> list[str]:
    """Queue names of roles: "light", "embed", "film", "edit" or "edit:darkroom".

    "edit" is every preset whose weights and packages are on this machine.

    Raises `ValueError` for a role that is none, and for a preset that cannot be made here.
    """
    here = planning.presets()
    known = [f"edit:{name}" for name in here]
    queues: list[str] = []
    for role in roles:
        if role == "edit":
            queues += [f"edit:{name}" for name, each in here.items() if not lacking(each)]
        elif role in (LIGHT, "embed", FILM, *known):
            if role in known and (missing := lacking(here[role.partition(":")[2]])):
                raise ValueError(missing)
            queues.append(role)
        else:
            there = ", ".join((LIGHT, "embed", FILM, *known))
            raise ValueError(f"There is no queue {role!r}: {there}.")
    return list(dict.fromkeys(queues))


class Studio:
    """Everything one worker process does."""

    def __init__(self, queues: list[str], name: str = "", hosts: int = 0) -> None:
        self.queues = queues
        self.name = name or f"{platform.node()}-{os.getpid()}"
        presets = planning.presets()
        chosen = [presets[q.partition(":")[2]] for q in queues if q.startswith("edit:")]
        #: Presets that run in batches on devices, by the queue of their jobs.
        self.batched = {f"edit:{each.name}": each for each in chosen if each.on_device}
        names = found(settings.FORUM_STUDIO_DEVICES) if self.batched else []
        self.batcher = Batcher([Device(name) for name in names])
        pooled = [asdict(each) for each in chosen if not each.on_device]
        self.pool = Pool(hosts or settings.FORUM_STUDIO_HOSTS or os.cpu_count() or 1, pooled)
        self.underway: dict[int, Attempt] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self.takers = Takers(self.name, self)
        self._ending = Ending()
        self._threads = ThreadPoolExecutor(DATABASE_THREADS, thread_name_prefix="database")
        self._watchdog = Watchdog(database_answers)

    async def run(self) -> None:
        """Work until SIGTERM or SIGINT."""
        loop = asyncio.get_running_loop()
        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, self._ending.ask)
        self._watchdog.start()
        aside = [asyncio.create_task(each()) for each in (self._turn, self._beat)]
        devices = enumerate(self.batcher.devices)
        opening = [asyncio.create_task(self._open(each, place)) for place, each in devices]
        if self._makes:
            await self.pool.warm()
        for share in self._shares():
            self.takers.start(*share)
        log.info("worker started", name=self.name, queues=" ".join(self.queues))
        await self._ending.asked.wait()
        for task in opening:
            task.cancel()
        await self._end()
        for task in aside:
            task.cancel()
        self._watchdog.rest()
        await self._leave()

    @property
    def _makes(self) -> list[str]:
        """Queues of what hosts of the pool make."""
        return [queue for queue in self.queues if queue != LIGHT and queue not in self.batched]

    @property
    def open_queues(self) -> list[str]:
        """Queues it takes from by now: those of devices only when one is warm."""
        ready = any(device.ready for device in self.batcher.devices)
        return [queue for queue in self.queues if ready or queue not in self.batched]

    def _shares(self) -> list[tuple[str, list[str], int]]:
        """Two takers in one process, so that long edits never stand in the way of quick tasks."""
        shares = []
        if LIGHT in self.queues:
            shares.append(("light", [LIGHT, SWEEP], LIGHT_AT_ONCE))
        elif not self._makes:
            shares.append(("sweep", [SWEEP], 1))
        if self._makes:
            extra = [] if shares else [SWEEP]
            shares.append(("studio", self._makes + extra, self.pool.size + len(extra)))
        return shares

    async def _open(self, device: Device, place: int) -> None:
        """Warm a device up; with the first that is warm, its jobs are taken."""
        presets = warming.order(settings.FORUM_STUDIO_WARM, list(self.batched.values()), place)
        await warming.until_ready(device, presets)
        if sum(each.ready for each in self.batcher.devices) == 1:
            largest = max(max(preset.buckets) for preset in self.batched.values())
            at_once = ROWS * largest * len(self.batcher.devices)
            self.takers.start("device", list(self.batched), at_once)
        await self._write_heartbeat()
        await warming.the_rest(device, presets)

    async def work(self, job_id: int, queue: str, cancelled: Callable[[], bool]) -> None:
        """Make one job; entered from its task. `cancelled` says whether a person took it back.

        The making is a task of its own: when procrastinate gives its task up because the database
        is away, a finished picture is not thrown away with it.
        """
        making = self._tasks.get(job_id)
        if making is None:
            making = self._tasks[job_id] = asyncio.create_task(self._make(job_id, queue))
        try:
            await asyncio.shield(making)
        except asyncio.CancelledError:
            if cancelled() and not making.done():
                if job_id in self.underway:
                    await self.underway[job_id].stop()
                else:
                    making.cancel()  # it waits for a host, or for a seat in a batch
                await asyncio.wait([making])
            raise

    async def _make(self, job_id: int, queue: str) -> None:
        try:
            if (preset := self.batched.get(queue)) is not None:
                await self._make_in_batch(job_id, preset)
            else:
                async with self.pool.host() as host:
                    if self._ending.asked.is_set():
                        await self.in_thread(publishing.put_back, job_id)
                    else:
                        await attempt(job_id, host, self.in_thread, self.underway)
        except Exception as error:
            # The lease runs out and the sweep sees to the job. The error's text may hold a prompt.
            where = traceback.extract_tb(error.__traceback__)[-1]
            log.error(
                "attempt broke",
                job=job_id,
                error=type(error).__name__,
                at=f"{where.name}:{where.lineno}",
            )
        finally:
            del self._tasks[job_id]

    async def _make_in_batch(self, job_id: int, preset: Preset) -> None:
        """Make one job together with others like it. It is claimed when its batch is formed."""
        with self.batcher.at_the_door():
            seen: publishing.Look | None = await self.in_thread(publishing.look, job_id)
        if seen is None:
            return
        request = EditRequest.from_json(seen.request)
        key, most = batch_key(request, preset), most_for(request, preset)
        try:
            async with self.batcher.seat(key, preset.name, most, alone=seen.tried > 0) as seat:
                await attempt(job_id, seat, self.in_thread, self.underway)
        except Closing:
            await self.in_thread(publishing.put_back, job_id)

    async def in_thread(self, function: Callable[..., T], *words: Any) -> T:
        """Run a function that asks the database, with a connection that is given back."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._threads, functools.partial(with_connection, function, *words)
        )

    def about(self) -> dict[str, Any]:
        """What an operator wants to know of this worker; never a prompt."""
        return {
            "device": "cpu",
            "hosts": self.pool.size,
            "at_once": {queue: self._at_once(queue) for queue in self.queues},
            "pid": os.getpid(),
            "python": platform.python_version(),
            "versions": installed(),
            "films": film_formats(),
            "pool": self.pool.tally.about(),
            "devices": [device.about() for device in self.batcher.devices],
        }

    def _at_once(self, queue: str) -> int:
        """How many jobs of a queue are made at the same time, for honest times to wait."""
        if queue not in self.batched:
            return self.pool.size
        return max(self.batched[queue].buckets) * max(1, len(self.batcher.devices))

    async def _turn(self) -> None:
        while True:
            self._watchdog.turned()
            await asyncio.sleep(1)

    async def _beat(self) -> None:
        while True:
            await self._write_heartbeat()
            await self.pool.rest()
            await asyncio.sleep(BEAT_EVERY)

    async def _write_heartbeat(self) -> None:
        with contextlib.suppress(*UNREACHABLE):
            asked = await self.in_thread(heartbeat, self.name, self.open_queues, self.about())
            self.takers.heed(asked)
            self._watchdog.beat()

    async def _end(self) -> None:
        """Take nothing more; let what is under way finish; hand back what does not in time."""
        log.info("worker ends", underway=len(self._tasks))
        self.takers.stop()
        self.batcher.close()
        factors: dict[str, float] = {}
        with contextlib.suppress(*UNREACHABLE, TimeoutError):
            async with asyncio.timeout(ASKING):
                factors = await self.in_thread(pace.factors)
        making = list(self._tasks.values())
        most = settings.FORUM_DRAIN_SECONDS
        await ending.finish(self.underway, making, self._ending, factors, most)
        await self.takers.stopped(3)
        await self.pool.close()
        for device in self.batcher.devices:
            await device.close()

    async def _leave(self) -> None:
        with contextlib.suppress(*UNREACHABLE):
            await self.in_thread(Worker.objects.filter(name=self.name).delete)
        self._threads.shutdown(wait=False, cancel_futures=True)
        await asyncio.to_thread(connections.close_all)


def with_connection(function: Callable[..., T], *words: Any) -> T:
    """Call a function, and give the connection it used back to the pool."""
    try:
        return function(*words)
    finally:
        connections.close_all()


def widen_pool() -> None:
    """Keep a connection ready for every thread: a member waits while one is made."""
    options = connections.settings["default"].get("OPTIONS", {})
    if isinstance(options.get("pool"), dict):
        options["pool"] = {**options["pool"], "min_size": DATABASE_THREADS}


def heartbeat(name: str, queues: list[str], about: dict[str, Any]) -> bool:
    """Say that this worker lives, by the database's clock; whether it is asked to drain."""
    words = {"queues": queues, "about": about, "seen_at": Now()}
    mine = Worker.objects.filter(name=name)
    if not mine.update(**words):
        Worker.objects.create(name=name, started_at=Now(), **words)
    return bool(mine.values_list("draining", flat=True).first())


def database_answers() -> bool:
    """Whether a fresh connection works, whatever became of ours."""
    try:
        with psycopg.connect(settings.DATABASE_URL, connect_timeout=3, autocommit=True) as asked:
            asked.execute("SELECT 1")
    except psycopg.Error:
        return False
    return True


def connector() -> PsycopgConnector:
    """procrastinate's own connections: direct ones, because it listens."""
    return PsycopgConnector(
        conninfo=settings.DIRECT_DATABASE_URL, min_size=1, max_size=4, timeout=10,
    )  # fmt: skip


async def serve(studio: Studio) -> None:
    """Run a studio with procrastinate's app on connections that can listen."""
    while True:
        with contextlib.suppress(ConnectorException):
            async with contextlib.AsyncExitStack() as stack:
                stack.enter_context(app.replace_connector(connector()))
                await stack.enter_async_context(app.open_async())
                await studio.run()
                return
        log.warning("the database does not answer yet")
        await asyncio.sleep(2)


def run(queues: list[str], name: str = "", hosts: int = 0) -> None:
    """Run a worker until it is asked to end."""
    widen_pool()
    asyncio.run(_main(queues, name, hosts))


async def _main(queues: list[str], name: str, hosts: int) -> None:
    await serve(Studio(queues, name, hosts))
