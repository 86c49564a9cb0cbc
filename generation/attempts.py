"""One try at a job, from its claim to its published end. Whatever dies, nothing is published twice."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog
from django.db import InterfaceError, OperationalError
from procrastinate.exceptions import ConnectorException

from generation import files, ordering, planning, previews, publishing
from generation.files import Bench
from generation.hosts import Host, HostLost, HostSilent
from generation.models import BY_ENGINES, Reason
from generation.publishing import Claim
from generation.results import Result

T = TypeVar("T")
#: Runs a function that asks the database, in a thread.
InThread = Callable[..., Awaitable[Any]]

RENEW_EVERY = 10.0
SHOW_EVERY = 0.25
#: A host may be silent for three times the expected time, and never less than this.
LEAST_PATIENCE = 30.0
#: How long a host may take to hear that nobody waits any more.
HEARING = 5.0
#: How long an unknown outcome is asked for before it is left to the sweep.
ASKING = 600.0
UNREACHABLE = (OperationalError, InterfaceError, ConnectorException)
log = structlog.get_logger("generation")


class Attempt:
    """One claimed job on one host."""

    def __init__(self, held: Claim, host: Host, in_thread: InThread) -> None:
        self.held, self.host, self._in_thread = held, host, in_thread
        #: Nobody may publish this any more: cancelled, or taken by another worker.
        self.stopped = False
        #: This worker ends and gives the job back.
        self.drained = False
        self.ended = False
        self._killing: asyncio.Task[None] | None = None
        self._step: tuple[int, int, str, bytes] | None = None
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Work, keep the lease, show frames, and bring it to an end. Raises only what nobody expects."""
        bench: Bench = await self._in_thread(Bench, self.held.job_id, self.held.token)
        aside = [asyncio.create_task(each()) for each in (self._keep_lease, self._show_frames)]
        try:
            await self._come_to_an_end(bench)
        finally:
            for task in aside:
                task.cancel()
            await asyncio.gather(*aside, return_exceptions=True)
            self.ended = True
            await self._in_thread(bench.__exit__, None, None, None)

    async def _come_to_an_end(self, bench: Bench) -> None:
        try:
            order = await self._in_thread(ordering.order_for, self.held, bench)
        except FileNotFoundError:
            await self._give_up(Reason.SOURCE_REFUSED, "A source image is gone.")
            return
        except LookupError:
            await self._give_up(Reason.NO_MACHINE, "")
            return
        try:
            answer = await self.host.run(order, self._hear, self.patience())
        except (HostLost, HostSilent) as trouble:
            await self.host.kill()
            await self._host_failed(trouble)
            return
        if answer["say"] == "failed":
            await self._failed(answer)
        else:
            await self._publish(answer, bench)

    def patience(self) -> float:
        """Seconds of silence after which the host counts as hung."""
        least = LEAST_PATIENCE
        if self.held.task in BY_ENGINES:
            with contextlib.suppress(KeyError):
                least = float(planning.preset(self.held.preset).settings.get("patience", least))
        return max(least, 3 * self.held.seconds)

    async def _publish(self, answer: dict[str, Any], bench: Bench) -> None:
        """Files first, then the row and its message; what lost takes its files away."""
        if self.stopped:
            return
        try:
            result: Result = await self._in_thread(ordering.result_of, self.held, answer, bench)
        except OSError as error:
            self._say("storing failed", error=type(error).__name__)
            await self._in_thread(self._clear)
            await self._try_later(Reason.STORAGE_FULL, "")
            return
        names = ordering.names_in(result)
        won = await self._settle(publishing.publish, result.as_json(), name=(names or [""])[0])
        if not won:
            self._say("lost; its files go")
            await self._in_thread(files.remove, names)

    def _clear(self) -> None:
        """Remove every file of this attempt, finished or not."""
        found = files.left_behind(self.held.job_id, ())
        files.remove(name for name in found if self.held.token.hex in name)

    async def _failed(self, answer: dict[str, Any]) -> None:
        if self.stopped or self.drained or answer["reason"] == "cancelled":
            await self._give_back()
            return
        self._say("failed", reason=answer["reason"], at=answer.get("at", ""))
        move = self._give_up if answer["permanent"] else self._try_later
        await move(answer["reason"], answer["detail"])

    async def _host_failed(self, trouble: HostLost | HostSilent) -> None:
        if self.stopped or self.drained:
            await self._give_back()
            return
        if isinstance(trouble, HostSilent):
            reason = Reason.TIMEOUT
        else:
            reason = Reason.OUT_OF_MEMORY if trouble.out_of_memory else Reason.ENGINE_ERROR
        self._say("host failed", reason=reason)
        await self._try_later(reason, "")

    async def _give_back(self) -> None:
        """A drained job waits again with its try; of a stopped one there is nothing to say."""
        if self.drained:
            await self._settle(publishing.drain)

    async def _give_up(self, reason: str, detail: str) -> None:
        await self._settle(publishing.give_up, reason, detail)

    async def _try_later(self, reason: str, detail: str) -> None:
        await self._settle(publishing.try_later, reason, detail)

    async def _settle(self, move: Callable[..., bool], *words: Any, name: str = "") -> bool:
        """Make a move, however often the database has to be asked. False when we lost.

        A connection lost in commit leaves the outcome unknown: then the row is read before anything
        is done again, and no file is deleted before that says we lost.
        """
        until, pause = time.monotonic() + ASKING, 0.2
        while True:
            try:
                return bool(await self._in_thread(move, self.held, *words))
            except UNREACHABLE as error:
                if time.monotonic() > until:
                    raise
                self._say("outcome unknown", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)
            with contextlib.suppress(*UNREACHABLE):
                known = await self._in_thread(publishing.outcome, self.held, name)
                if known is not None:
                    return bool(known)

    async def _keep_lease(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            with contextlib.suppress(*UNREACHABLE):
                if not await self._in_thread(publishing.renew, self.held):
                    await self.stop()

    def _hear(self, words: dict[str, Any], frame: bytes) -> None:
        """A step of the host's: the newest is kept until the publisher's next turn."""
        step, total, stage = words["step"], words["total"], words["stage"]
        if self._step is not None and self._step[0] > step:
            step, total, stage = self._step[:3]
        self._step = (step, total, stage, frame or (self._step[3] if self._step else b""))
        self._news.set()

    async def _show_frames(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            assert self._step is not None
            step, self._step = self._step, (*self._step[:3], b"")
            with contextlib.suppress(*UNREACHABLE):
                if not await self._in_thread(previews.show, self.held, *step):
                    await self.stop()
            await asyncio.sleep(SHOW_EVERY)

    async def stop(self) -> None:
        """Nobody waits any more: ask the engine to end, and end the host if it doesn't hear."""
        if not self.stopped:
            self.stopped = True
            await self._ask_to_end()

    async def drain(self) -> None:
        """This worker ends: the job goes back to the queue with its try."""
        if not self.stopped and not self.drained:
            self.drained = True
            await self._ask_to_end()

    async def _ask_to_end(self) -> None:
        self.host.cancel(self.held.token.hex)
        asyncio.get_running_loop().call_later(HEARING, self._insist)

    def _insist(self) -> None:
        if not self.ended:
            self._say("host does not hear")
            self._killing = asyncio.create_task(self.host.kill())

    def _say(self, event: str, **words: Any) -> None:
        log.info(event, job=self.held.job_id, attempt=self.held.attempt, **words)


async def attempt(
    job_id: int, host: Host, in_thread: InThread, underway: dict[int, Attempt]
) -> None:
    """Claim a job and see it through on this host; nothing when someone else has it.

    While it lasts, `underway` holds the attempt under the job's id.
    """
    held: Claim | None = await in_thread(publishing.claim, job_id, uuid.uuid4())
    if held is None:
        return
    if held.attempt > 1 and host.used:
        # What failed once may have spoilt the host, or may spoil it for others: begin afresh.
        await host.kill()
    underway[job_id] = trying = Attempt(held, host, in_thread)
    try:
        await trying.run()
    finally:
        if underway.get(job_id) is trying:
            del underway[job_id]
