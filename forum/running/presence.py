"""Whether the database answers right now, known before anybody asks.

A pool waits for a server that is gone as patiently as for a connection that is in use. So the web process
asks once a second on a line of its own: while nobody answers, pages and sockets say so at once, and those
that wait already are let go. The first answer ends it; there is no back-off that would have to run out.
"""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections

from forum.running.health import Application, Scope

log = structlog.get_logger("forum.running")

#: Seconds between two questions, until silence counts, and before another call while nobody answers.
PULSE, PATIENCE, AGAIN = 1.0, 2.0, 0.2
#: Seconds for which the threads of a pool that is let go may take leave.
LEAVE = 0.1
#: RFC 6455's registry: try again later.
TRY_LATER = 1013


class Presence:
    """Watches the database at `url`. `away` is True while it is known not to answer."""

    def __init__(self, url: Callable[[], str]) -> None:
        self.url = url
        self.away = False
        #: Called in the loop as soon as the database is back.
        self.on_back: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def ensure(self) -> None:
        """Watch in the running loop, unless that already happens."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="presence")

    async def stop(self) -> None:
        """Watch no longer; nothing is known from now on."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._task, self.away = None, False

    async def _run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    line = await self._call()
            except (OSError, psycopg.Error) as error:  # TimeoutError is an OSError
                await self._lost(type(error).__name__)
                await asyncio.sleep(AGAIN)
                continue
            with contextlib.suppress(OSError, psycopg.Error):
                async with line:
                    await self._stay(line)

    async def _call(self) -> psycopg.AsyncConnection[Any]:
        return await psycopg.AsyncConnection.connect(
            self.url(),
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=2,
            # A peer that vanished without a word is given up as soon as one that says nothing.
            tcp_user_timeout=int(1000 * PATIENCE),
            application_name="gegenbild presence",
        )

    async def _stay(self, line: psycopg.AsyncConnection[Any]) -> None:
        """Ask until the line breaks. Silence is borne: a database that was halted may go on."""
        while True:
            asked = asyncio.ensure_future(line.execute("SELECT 1"))
            done, _silent = await asyncio.wait({asked}, timeout=PATIENCE)
            if not done:
                await self._lost("silence")
            await asked
            self._back()
            await asyncio.sleep(PULSE)

    async def _lost(self, why: str) -> None:
        if not self.away:
            self.away = True
            log.warning("database away", why=why)
            await asyncio.to_thread(close_pool)

    def _back(self) -> None:
        if not self.away:
            return
        forget_pool()
        self.away = False
        log.info("database back")
        for call in self.on_back:
            call()


def close_pool() -> None:
    """Whoever waits for a connection of this process fails now, and so do all who still ask."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    if wrapper.pool is not None:
        wrapper.pool.close(timeout=LEAVE)


def forget_pool() -> None:
    """Let the next who ask have a new pool, which connects at once."""
    wrapper: Any = connections[DEFAULT_DB_ALIAS]
    wrapper._connection_pools.pop(wrapper.alias, None)


presence = Presence(lambda: str(settings.DATABASE_URL))


class SocketDoor:
    """Asks sockets to come again later while the database is away, instead of letting them wait."""

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if not presence.away:
            await self.application(scope, receive, send)
            return
        await receive()
        # Accepted first: a refused handshake looks like a lost network, and its code is not heard.
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.close", "code": TRY_LATER})
