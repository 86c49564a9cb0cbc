"""One try at a job, from its claim to its published end. Whatever dies, nothing is published twice."""

import asyncio
import contextlib
import functools
import time
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import structlog
from django.db import InterfaceError, OperationalError
from procrastinate.exceptions import ConnectorException

from generation.jobs import files, previews, publishing
from generation.jobs.files import Bench
from generation.jobs.publishing import Claim
from generation.models import BY_ENGINES, Reason
from generation.prompts import planning
from generation.results import Result
from generation.worker import ordering
from generation.worker.hosts import HostLost, HostSilent, OnStep
from generation.worker.tallies import Tally

Words = dict[str, Any]
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


class Carries(Protocol):
    """What an attempt needs of a host, be it one of its own or a seat in a batch."""

    @property
    def tally(self) -> Tally:
        """Where it is noted what was made there."""

    async def run(self, order: Words, on_step: OnStep, patience: float) -> Words:
        """Have an order carried out. Raises `HostLost`, `HostSilent`."""

    @property
    def begun(self) -> bool:
        """Whether it works on the order by now, or keeps it for later."""

    @property
    def measured(self) -> float | None:
        """Seconds that what it makes together with this order took before; None before the first."""

    def cancel(self, order_id: str) -> None:
        """Nobody waits for this order any more."""

    async def kill(self) -> None:
        """End the work at once."""

    async def refresh(self) -> None:
        """Begin afresh where something failed before."""


@dataclass(slots=True)
class Begun:
    """A claimed job, its working place, and its order or the reason why there is none."""

    held: Claim
    bench: Bench
    order: Words = field(default_factory=dict)
    reason: str = ""
    detail: str = ""
    permanent: bool = True


def begin(job_id: int, token: uuid.UUID) -> Begun | None:
    """Claim a job and write its order, in one go. None when someone else has it."""
    held = publishing.claim(job_id, token, turn=False)
    if held is None:
        return None
    begun = Begun(held, Bench(job_id, token))
    try:
        begun.order = ordering.order_for(held, begun.bench)
    except FileNotFoundError:
        begun.reason, begun.detail = Reason.SOURCE_REFUSED, "A source image is gone."
    except LookupError:
        begun.reason = Reason.NO_MACHINE
    except OSError as error:
        log.warning("storage trouble", job=job_id, error=type(error).__name__)
        begun.reason, begun.permanent = Reason.STORAGE_FULL, False
    return begun


class Attempt:
    """One claimed job on one host."""

    def __init__(self, begun: Begun, host: Carries, in_thread: InThread) -> None:
        self.held, self.bench, self.order = begun.held, begun.bench, begun.order
        self._begun, self.host, self._in_thread = begun, host, in_thread
        #: Nobody may publish this any more: cancelled, or taken by another worker.
        self.stopped = False
        #: This worker ends and gives the job back.
        self.drained = False
        self.ended = False
        self._won = False
        self._killing: asyncio.Task[None] | None = None
        self._step: tuple[int, int, str, bytes] | None = None
        #: When the frame that is to be shown was taken, by the machine's monotonic clock.
        self._framed_at: float | None = None
        self._news = asyncio.Event()

    @property
    def begun(self) -> bool:
        """Whether its host works on it by now."""
        return self.host.begun

    def expected(self, factor: float) -> float:
        """Seconds it will take from beginning to end: as measured, else as foreseen, times `factor`."""
        return self.host.measured or self.held.seconds * factor

    async def run(self) -> None:
        """Work, keep the lease, show frames, and bring it to an end. Raises only what nobody expects."""
        aside = [asyncio.create_task(each()) for each in (self._keep_lease, self._show_frames)]
        turn = asyncio.create_task(self._take_turn())
        try:
            await self._come_to_an_end()
        finally:
            for task in aside:
                task.cancel()
            await asyncio.gather(turn, *aside, return_exceptions=True)
            self.ended = True
            await self._in_thread(self._clear_away)

    async def _take_turn(self) -> None:
        """Whose turn is next; the order has gone to the host by then."""
        held = self.held
        with contextlib.suppress(*UNREACHABLE):
            await self._in_thread(publishing.take_turn, held.job_id, held.asker, held.circle)

    def _clear_away(self) -> None:
        self.bench.__exit__(None, None, None)
        if self._won:
            with contextlib.suppress(*UNREACHABLE):
                publishing.make_room(self.held)

    async def _come_to_an_end(self) -> None:
        begun = self._begun
        if begun.reason:
            move = self._give_up if begun.permanent else self._try_later
            await move(begun.reason, begun.detail)
            return
        try:
            answer = await self.host.run(self.order, self._hear, self.patience())
        except (HostLost, HostSilent) as trouble:
            await self.host.kill()
            await self._host_failed(trouble)
            return
        if answer["say"] == "failed":
            await self._failed(answer)
        else:
            await self._publish(answer)

    def patience(self) -> float:
        """Seconds of silence after which the host counts as hung."""
        least = LEAST_PATIENCE
        if self.held.task in BY_ENGINES:
            with contextlib.suppress(KeyError):
                least = float(planning.preset(self.held.preset).settings.get("patience", least))
        return max(least, 3 * self.held.seconds)

    async def _publish(self, answer: Words) -> None:
        """Files first, then the row and its message; what lost takes its files away."""
        if self.stopped:
            return
        try:
            result, won = await self._in_thread(self._bring_out, answer)
        except OSError as error:
            self._say("storing failed", error=type(error).__name__)
            await self._in_thread(self._clear)
            await self._try_later(Reason.STORAGE_FULL, "")
            return
        names = ordering.names_in(result)
        if won is None:
            again = functools.partial(publishing.publish, turn=False)
            won = await self._settle(again, result.as_json(), name=(names or [""])[0], unsure=True)
        self._won = bool(won)
        if self._won:
            self.host.tally.note(answer.get("milliseconds", {}))
        else:
            self._say("lost; its files go")
            await self._in_thread(files.remove, names)

    def _bring_out(self, answer: Words) -> tuple[Result, bool | None]:
        """Files to their names, then the row, in one go; None when the outcome is not known."""
        result = ordering.result_of(self.held, answer, self.bench)
        try:
            return result, publishing.publish(self.held, result.as_json(), turn=False)
        except UNREACHABLE as error:
            self._say("outcome unknown", error=type(error).__name__)
            return result, None

    def _clear(self) -> None:
        """Remove every file of this attempt, finished or not; a storage that is away keeps them.

        What is left then goes with the hourly sweep.
        """
        with contextlib.suppress(OSError), files.reached():
            found = files.left_behind(self.held.job_id, ())
            files.remove(name for name in found if self.held.token.hex in name)

    async def _failed(self, answer: dict[str, Any]) -> None:
        if self.stopped or self.drained or answer["reason"] == "cancelled":
            await self._give_back()
            return
        self._say("failed", reason=answer["reason"], at=answer.get("at", ""))
        self.host.tally.note_failure(answer["reason"])
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
        self.host.tally.note_failure(reason)
        await self._try_later(reason, "")

    async def _give_back(self) -> None:
        """A drained job waits again with its try; of a stopped one there is nothing to say."""
        if self.drained:
            await self._settle(publishing.drain)

    async def _give_up(self, reason: str, detail: str) -> None:
        await self._settle(publishing.give_up, reason, detail)

    async def _try_later(self, reason: str, detail: str) -> None:
        await self._settle(publishing.try_later, reason, detail)

    async def _settle(
        self, move: Callable[..., bool], *words: Any, name: str = "", unsure: bool = False
    ) -> bool:
        """Make a move, however often the database has to be asked. False when we lost.

        A connection lost in commit leaves the outcome unknown (`unsure`): then the row is read before
        anything is done again, and no file is deleted before that says we lost.
        """
        until, pause = time.monotonic() + ASKING, 0.2
        while True:
            try:
                if unsure:
                    known = await self._in_thread(publishing.outcome, self.held, name)
                    if known is not None:
                        return bool(known)
                unsure = True
                return bool(await self._in_thread(move, self.held, *words))
            except UNREACHABLE as error:
                if time.monotonic() > until:
                    raise
                self._say("outcome unknown", error=type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)

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
        if frame:
            self._framed_at = words.get("at")
        self._news.set()

    async def _show_frames(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            assert self._step is not None
            step, self._step = self._step, (*self._step[:3], b"")
            framed_at, self._framed_at = self._framed_at, None
            with contextlib.suppress(*UNREACHABLE):
                if not await self._in_thread(previews.show, self.held, *step):
                    await self.stop()
                elif framed_at is not None:
                    self.host.tally.note_lag(time.monotonic() - framed_at)
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
    job_id: int, host: Carries, in_thread: InThread, underway: dict[int, Attempt]
) -> None:
    """Claim a job and see it through on this host; nothing when someone else has it.

    While it lasts, `underway` holds the attempt under the job's id.
    """
    begun: Begun | None = await in_thread(begin, job_id, uuid.uuid4())
    if begun is None:
        return
    if begun.held.attempt > 1:
        # What failed once may have spoilt the host, or may spoil it for others.
        await host.refresh()
    underway[job_id] = trying = Attempt(begun, host, in_thread)
    try:
        await trying.run()
    finally:
        if underway.get(job_id) is trying:
            del underway[job_id]
