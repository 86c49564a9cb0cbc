"""From PostgreSQL to this process: one LISTEN connection, ids only.

Push is a hint: after every (re)connect everything is marked dirty, so a lost message costs nothing.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import connections
from psycopg.conninfo import make_conninfo

from forum.announce import CHANNEL

log = structlog.get_logger(__name__)

#: Seconds between messages to ourselves; silence for three of them means the line is dead.
PULSE = 15.0
DEAF_AFTER = 3 * PULSE
#: Seconds before the next try, doubling up to the last.
BACK_OFF = (0.2, 5.0)

Message = dict[str, Any]


def conninfo() -> str:
    """Where to listen: the direct address where one is set, else Django's own database."""
    if settings.DIRECT_DATABASE_URL != settings.DATABASE_URL:
        return str(settings.DIRECT_DATABASE_URL)
    words = connections["default"].settings_dict
    named = {
        "dbname": words["NAME"],
        "user": words["USER"],
        "password": words["PASSWORD"],
        "host": words["HOST"],
        "port": words["PORT"],
    }
    return make_conninfo(**{key: str(value) for key, value in named.items() if value})


@dataclass(slots=True)
class Bridge:
    """Hands every announcement to `on_message`, and calls `on_gap` whenever some may have been missed."""

    on_message: Callable[[Message], None]
    on_gap: Callable[[], None]
    heard_at: float = 0.0
    listening: bool = False
    _task: asyncio.Task[None] | None = field(default=None, repr=False)
    _hurry: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    def ensure(self) -> None:
        """Start listening in the running loop, unless that already happens."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run(), name="bridge")

    async def stop(self) -> None:
        """Hang up."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    def hurry(self) -> None:
        """Call at once instead of waiting: the database is known to be back."""
        self._hurry.set()

    def trouble(self) -> str:
        """An empty string while the bus is heard; else what is wrong."""
        if self._task is None or self._task.done():
            return "has not been started"
        if not self.listening:
            return "no connection to listen on"
        if (silence := time.monotonic() - self.heard_at) > DEAF_AFTER:
            return f"nothing heard for {silence:.0f} s"
        return ""

    async def _run(self) -> None:
        wait, longest = BACK_OFF
        while True:
            try:
                await self._listen()
                wait = BACK_OFF[0]
            except (OSError, psycopg.Error, TimeoutError) as error:
                log.warning("bridge.lost", error=type(error).__name__, again_in=wait)
            finally:
                self.listening = False
            self._hurry.clear()
            try:
                await asyncio.wait_for(self._hurry.wait(), wait)
                wait = BACK_OFF[0]
            except TimeoutError:
                wait = min(wait * 2, longest)

    async def _listen(self) -> None:
        async with await psycopg.AsyncConnection.connect(
            conninfo(),
            autocommit=True,
            keepalives_idle=30,
            connect_timeout=5,
            application_name="gegenbild bus",
        ) as line:
            await line.execute(f"LISTEN {CHANNEL}")
            self.listening, self.heard_at = True, time.monotonic()
            self.on_gap()
            while True:
                await self._pulse(line)
                async for notice in line.notifies(timeout=PULSE):
                    self.heard_at = time.monotonic()
                    self._hand_on(notice.payload)
                if time.monotonic() - self.heard_at > DEAF_AFTER:
                    raise TimeoutError

    async def _pulse(self, line: psycopg.AsyncConnection[Any]) -> None:
        # A message to ourselves proves that the whole way from commit to listener works.
        await line.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps({"k": "pulse"})])

    def _hand_on(self, payload: str) -> None:
        try:
            message = json.loads(payload)
        except ValueError:
            log.warning("bridge.unreadable")
            return
        if isinstance(message, dict) and message.get("k") != "pulse":
            self.on_message(message)
