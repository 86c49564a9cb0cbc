"""Whether the house can serve: database, bus and at least one worker answer.

Rooms register what only they can know; this module imports none of them.
"""

import threading
import time
from collections.abc import Callable

import psycopg
import structlog
from django.conf import settings
from django.http import HttpRequest, JsonResponse

#: Gives "" when all is well, otherwise a short sentence saying what is missing.
Check = Callable[[], str]
EXPECTED = ("database", "bus", "workers")
#: Seconds after which a silent worker no longer counts. Heartbeats come every 10 s.
SILENT_AFTER = 30
_KEEP = 1.0  # seconds for which an answer serves everybody who asks
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
    except Exception:  # a check that breaks must not break the answer
        log.exception("health check failed", part=name)
        return "could not be asked"


def recent() -> dict[str, str]:
    """examine(), at most once a second however many ask."""
    global _last
    with _guard:
        if time.monotonic() - _last[0] > _KEEP:
            found = examine()
            _last = (time.monotonic(), found)
        return _last[1]


def healthz(request: HttpRequest) -> JsonResponse:
    """200 while every part answers, else 503; the body names each part's state."""
    found = recent()
    well = not any(found.values())
    return JsonResponse(
        {
            "status": "ok" if well else "unavailable",
            "parts": {name: trouble or "ok" for name, trouble in found.items()},
        },
        status=200 if well else 503,
        headers={"Cache-Control": "no-store"},
    )


register("database", database)
register("workers", workers)
