"""A database that is stopped, or hangs: the web process says so at once, and goes on at once."""

import asyncio
import contextlib
import os
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
import websockets
from websockets.typing import Origin

from forum.running.presence import PATIENCE
from forum.running.processes import until
from tests.faults.house import ROOT, busy, free_port
from tests.faults.line import Line
from tests.workers import database_url

#: Seconds until a page says that the database is away, and until it is there again, on an idle machine.
AT_ONCE = 1.5


@dataclass
class Web:
    """A web process whose database is at the end of a line."""

    line: Line
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self, folder: str) -> None:
        words = {"DATABASE_URL": self.line.url, "FORUM_DATA_DIR": folder, "SECRET_KEY": "k" * 50}
        command = ["uvicorn", "forum.asgi:application", "--port", str(self.port)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", *command, "--log-level", "warning"],
            cwd=ROOT, env={**os.environ, **words}, process_group=0,
        )  # fmt: skip
        assert until(lambda: self.get("/")[0] == 200, 60 * busy(), 0.1)

    def get(self, path: str, method: str = "GET", **headers: str):
        """Status, headers, body and seconds of one request."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            headers={name.replace("_", "-"): value for name, value in headers.items()},
            method=method,
        )
        begun = time.monotonic()
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                said = answer.status, answer.headers, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as refusal:
            with refusal:
                said = refusal.code, refusal.headers, refusal.read().decode()
        except OSError:
            said = 0, {}, ""
        return *said, time.monotonic() - begun


@pytest.fixture
def web(transactional_db: None, tmp_path) -> Iterator[Web]:
    line = Line(database_url())
    made = Web(line)
    try:
        made.start(str(tmp_path))
        yield made
    finally:
        line.go_on()
        if made.process is not None:
            made.process.kill()
            made.process.wait()
        line.cut()


def seconds_until(web: Web, status: int) -> float:
    """Seconds until the stream answers like this, asked again and again."""
    begun = time.monotonic()
    assert until(lambda: web.get("/")[0] == status, 30, 0.02)
    return time.monotonic() - begun


def test_a_stopped_database_is_told_at_once_and_calmly(web: Web) -> None:
    web.line.cut()
    took = seconds_until(web, 503)
    status, headers, page, again = web.get("/", Accept_Language="zh-Hans")
    print(f"503 after {took:.2f} s, then in {again:.3f} s")
    assert took < AT_ONCE * busy() and again < 0.5 * busy()
    assert status == 503 and headers["Retry-After"] == headers["Refresh"] == "5"
    assert '<html lang="zh-hans"' in page and "<h1>" in page and "Traceback" not in page
    assert headers["Content-Security-Policy"] and headers["X-Content-Type-Options"] == "nosniff"
    _, headers, words, _ = web.get("/api/v1/boards")
    assert headers["Content-Type"] == "application/problem+json" and '"unavailable"' in words
    _, _, piece, _ = web.get("/", HX_Request="true")
    assert 'role="alert"' in piece and "<html" not in piece
    assert "Refresh" not in web.get("/post/", "POST")[1], "a form that was sent is not asked for"
    assert web.get("/static/css/base.css")[0] == 200
    assert web.get("/healthz")[0] == 503


def test_a_database_that_is_back_is_used_at_once(web: Web) -> None:
    for _ in range(2):
        web.line.cut()
        seconds_until(web, 503)
        time.sleep(3)  # long enough for a back-off to have grown
        web.line.mend()
        took = seconds_until(web, 200)
        print(f"200 after {took:.2f} s")
        assert took < AT_ONCE * busy()
        assert all(web.get("/")[0] == 200 for _ in range(10))


def test_whoever_waits_while_it_stops_waits_no_longer_than_that(web: Web) -> None:
    spent: list[tuple[int, float]] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            status, _, _, seconds = web.get("/boards/")
            spent.append((status, seconds))

    crowd = [threading.Thread(target=ask) for _ in range(6)]
    for each in crowd:
        each.start()
    time.sleep(0.5)
    web.line.cut()
    time.sleep(2.5)
    web.line.mend()
    assert until(lambda: web.get("/")[0] == 200, 30, 0.02)
    over.set()
    for each in crowd:
        each.join()
    longest = max(seconds for _, seconds in spent)
    print(f"{len(spent)} answers, longest {longest:.2f} s")
    assert {status for status, _ in spent} == {200, 503}
    assert longest < (1 + AT_ONCE) * busy()


def test_a_database_that_hangs_is_told_too(web: Web) -> None:
    web.line.halt()
    time.sleep(2 * PATIENCE * busy())
    status, _, _, seconds = web.get("/")
    assert status == 503 and seconds < AT_ONCE * busy()
    web.line.go_on()
    assert seconds_until(web, 200) < (PATIENCE + AT_ONCE) * busy()


def test_sockets_are_asked_to_come_again_and_open_ones_stay(web: Web) -> None:
    async def look() -> tuple[int, float, bool]:
        place, origin = f"ws://127.0.0.1:{web.port}/ws/stream/", f"http://127.0.0.1:{web.port}"
        async with websockets.connect(place, origin=Origin(origin)) as seated:
            web.line.cut()
            await asyncio.to_thread(seconds_until, web, 503)
            begun = time.monotonic()
            async with websockets.connect(place, origin=Origin(origin)) as late:
                await late.wait_closed()
                code, took = late.close_code, time.monotonic() - begun
            web.line.mend()
            await asyncio.to_thread(seconds_until, web, 200)
            await asyncio.sleep(1)
            return code, took, seated.state.name == "OPEN"

    code, took, seated = asyncio.run(look())
    assert code == 1013 and took < AT_ONCE * busy()
    assert seated
    assert until(lambda: web.get("/healthz")[2].count("no connection") == 0, 5 * busy(), 0.1)


def test_a_flood_of_messages_leaves_no_trace(web: Web, capfd) -> None:
    """A real server objects to whatever is said after the end; an attacker would fill the log."""

    async def flood() -> int | None:
        place, origin = f"ws://127.0.0.1:{web.port}/ws/stream/", f"http://127.0.0.1:{web.port}"
        async with websockets.connect(place, origin=Origin(origin)) as socket:
            with contextlib.suppress(websockets.ConnectionClosed):
                for _ in range(200):
                    await socket.send("x")
            await socket.wait_closed()
            return socket.close_code

    assert [asyncio.run(flood()) for _ in range(3)] == [4429] * 3
    time.sleep(0.5)
    for host in ("evil.example", "10.0.0.1"):
        assert web.get("/", Host=host)[0] == 400
    assert "Traceback" not in "".join(capfd.readouterr())
