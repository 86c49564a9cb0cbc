"""Whether the house can serve: database, bus and at least one worker answer.

Rooms register what only they can know; this module imports none of them.
"""

import asyncio
import json
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import psycopg
import structlog
from django.conf import settings
from django.db import connections

Scope = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]

#: Gives "" when all is well, otherwise a short sentence saying what is missing.
Check = Callable[[], str]
EXPECTED = ("database", "bus", "workers")
#: Seconds after which a silent worker no longer counts. Heartbeats come every 10 s.
SILENT_AFTER = 30
_KEEP = 0.5  # seconds for which an answer serves everybody who asks
log = structlog.get_logger("forum.running")
_checks: dict[str, Check] = {}
_guard = threading.Lock()
_last: tuple[float, dict[str, str]] = (float("-inf"), {})


def register(name: str, check: Check) -> None:
    """Let `check` speak for the part called `name`. A later one replaces an earlier one."""
    _checks[name] = check


def database() -> str:
    """Ask on a connection of its own: a pool that waits for one would make us wait with it."""
    try:
        with psycopg.connect(settings.DATABASE_URL, connect_timeout=2, autocommit=True) as asked:
            asked.execute("SET statement_timeout = '2s'")
            asked.execute("SELECT 1")
    except psycopg.Error:
        return "the database does not answer"
    return ""


def workers() -> str:
    """At least one worker must have been heard of lately, by the database's clock."""
    from generation import queue

    return "" if queue.workers(within=SILENT_AFTER) else "no worker has been heard of lately"


def examine() -> dict[str, str]:
    """Every part's trouble, "" where there is none. Without a database nothing else is asked."""
    found = {"database": _ask("database")}
    for name in (*EXPECTED, *_checks):
        if name not in found:
            found[name] = "unknown without the database" if found["database"] else _ask(name)
    return found


def _ask(name: str) -> str:
    check = _checks.get(name)
    if check is None:
        return "has not been started"
    try:
        return check()
    except Exception as error:  # a check that breaks must not break the answer
        return f"could not be asked ({type(error).__name__})"


def recent() -> dict[str, str]:
    """examine(), at most twice a second, however many ask."""
    global _last
    with _guard:
        if time.monotonic() - _last[0] > _KEEP:
            found = examine()
            if found != _last[1]:
                log.info("health changed", **{name: word or "ok" for name, word in found.items()})
            _last = (time.monotonic(), found)
        return _last[1]


def answer() -> tuple[int, dict[str, object]]:
    """Status and body of GET /healthz: 200 while every part answers, else 503."""
    found = recent()
    well = not any(found.values())
    parts = {name: trouble or "ok" for name, trouble in found.items()}
    return (200, {"status": "ok", "parts": parts}) if well else (
        503, {"status": "unavailable", "parts": parts},
    )  # fmt: skip


def _answer_in_thread() -> tuple[int, dict[str, object]]:
    """answer(), giving back the connections that a thread of its own would keep for ever."""
    try:
        return answer()
    finally:
        connections.close_all()


class Door:
    """Answers GET /healthz in front of Django; all else goes through.

    Whoever asks does so every few seconds, by an internal name and without HTTPS: host checks,
    redirects, sessions and a line in the log for each would only be in the way.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"] != "/healthz":
            await self.application(scope, receive, send)
            return
        reading = scope["method"] in {"GET", "HEAD"}
        status, body = await asyncio.to_thread(_answer_in_thread) if reading else (405, {})
        payload = json.dumps(body).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(payload)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-content-type-options", b"nosniff"),
        ] + ([] if reading else [(b"allow", b"GET, HEAD")])
        await send({"type": "http.response.start", "status": status, "headers": headers})
        hidden = scope["method"] == "HEAD"
        await send({"type": "http.response.body", "body": b"" if hidden else payload})


register("database", database)
register("workers", workers)
