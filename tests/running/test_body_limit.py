"""Nobody fills the disk: bodies are limited before Django sees the address."""

import asyncio
import contextlib
import json
import re
import socket
import threading
import time
from pathlib import Path

import pytest
import uvicorn
from django.core.asgi import get_asgi_application
from django.urls import reverse

from forum.running import body_limit
from forum.running.body_limit import MIB, UPLOADS, BodyLimit

COOKIE = (b"cookie", b"sessionid=whatever")
PIECE = b"x" * 65536


def scope(path: str = "/nowhere/", *headers: tuple[bytes, bytes], method: str = "POST"):
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(b"host", b"localhost"), *headers],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }


class Wire:
    """A client by hand: sends pieces, keeps what comes back."""

    def __init__(self, pieces, pause: float = 0.0) -> None:
        self.pieces = iter(pieces)
        self.pause = pause
        self.taken = 0
        self.sent: list[dict] = []

    async def receive(self):
        await asyncio.sleep(self.pause)
        piece = next(self.pieces, None)
        if piece is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        self.taken += len(piece)
        return {"type": "http.request", "body": piece, "more_body": True}

    async def send(self, message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[str, str]:
        return {name.decode(): value.decode() for name, value in self.sent[0]["headers"]}

    @property
    def body(self) -> bytes:
        return b"".join(each.get("body", b"") for each in self.sent[1:])


class Reader:
    """An application that reads all it is given, as Django does."""

    def __init__(self) -> None:
        self.got = 0
        self.cut = False

    async def __call__(self, scope, receive, send) -> None:
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                self.cut = True
                return
            self.got += len(message["body"])
            if not message["more_body"]:
                break
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"read"})


async def call(asked, pieces, **words):
    reader, wire = Reader(), Wire(pieces, **words)
    await BodyLimit(reader)(asked, wire.receive, wire.send)
    return reader, wire


async def test_a_small_body_passes():
    reader, wire = await call(scope(), [PIECE] * 15)
    assert (wire.status, reader.got) == (200, 15 * len(PIECE))


async def test_a_stream_is_cut_where_the_limit_is():
    reader, wire = await call(scope(), [PIECE] * 100)
    assert (wire.status, reader.cut) == (413, True)
    assert reader.got <= MIB


async def test_a_claimed_length_is_refused_before_anything_is_read():
    reader, wire = await call(scope("/x/", (b"content-length", b"2000000")), [PIECE] * 2)
    assert (wire.status, reader.got, reader.cut) == (413, 0, False)


async def test_an_understated_length_does_not_help():
    _reader, wire = await call(scope("/x/", (b"content-length", b"10")), [PIECE] * 100)
    assert wire.status == 413


async def test_pictures_may_be_larger_for_those_who_show_a_key(settings):
    settings.FORUM_UPLOAD_MB = 2
    for path, header in [
        ("/post/", COOKIE),
        ("/images/7/answer/upload/", COOKIE),
        ("/images/7/answer/", COOKIE),
        ("/api/v1/images/7/masks", (b"authorization", b"Bearer gb_x")),
        ("/api/v1/images", (b"authorization", b"Bearer gb_x")),
        ("/api/v1/images/7/replies/upload", (b"authorization", b"Bearer gb_x")),
    ]:
        _reader, wire = await call(scope(path, header), [PIECE] * 40)
        assert wire.status == 200, path
        _reader, wire = await call(scope(path, header), [PIECE] * 60)
        assert wire.status == 413, path
        _reader, wire = await call(scope(path), [PIECE] * 40)
        assert wire.status == 413, path


def test_the_addresses_that_take_pictures_are_those_of_the_routes():
    for name, args in [
        ("post", []),
        ("answer", [7]),
        ("answer-upload", [7]),
        ("api:images", []),
        ("api:masks", [7]),
        ("api:reply-upload", [7]),
    ]:
        assert UPLOADS.match(reverse(name, args=args)), name
    assert not UPLOADS.match(reverse("answer-link", args=[7]))


async def test_who_stalls_is_told_so(monkeypatch):
    monkeypatch.setattr(body_limit, "WITHIN", 0.2)
    reader, wire = await call(scope(), [b"x"] * 50, pause=0.03)
    assert (wire.status, reader.cut) == (408, True)


async def test_a_slow_phone_that_keeps_sending_passes(monkeypatch):
    monkeypatch.setattr(body_limit, "WITHIN", 0.3)
    monkeypatch.setattr(body_limit, "LEAST", 1000)
    _reader, wire = await call(scope(), [b"x" * 1000] * 20, pause=0.05)
    assert wire.status == 200


async def test_nobody_may_take_for_ever(monkeypatch):
    monkeypatch.setattr(body_limit, "LONGEST", 0.3)
    _reader, wire = await call(scope(), [PIECE] * 12, pause=0.05)
    assert wire.status == 408


async def test_an_application_that_has_answered_is_left_to_it():
    async def hasty(scope, receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        while (await receive())["type"] != "http.disconnect":
            pass

    wire = Wire([PIECE] * 100)
    await BodyLimit(hasty)(scope(), wire.receive, wire.send)
    assert [each["type"] for each in wire.sent] == ["http.response.start", "http.response.body"]


async def test_the_rest_is_read_so_that_browsers_see_the_answer_but_not_without_end(monkeypatch):
    _reader, wire = await call(scope(), [PIECE] * 100)
    assert wire.taken == 100 * len(PIECE)
    monkeypatch.setattr(body_limit, "DRAIN_BYTES", MIB)
    _reader, wire = await call(scope(), [PIECE] * 100)
    assert wire.taken <= 2 * MIB + 2 * len(PIECE)


async def test_programs_get_a_problem_and_people_a_page(settings):
    _reader, wire = await call(scope("/api/v1/boards"), [PIECE] * 20)
    assert wire.headers["content-type"] == "application/problem+json"
    words = json.loads(wire.body)
    assert (words["status"], words["code"]) == (413, "too_large")
    _reader, wire = await call(scope(), [PIECE] * 20)
    assert b"<h1>That is too large</h1>" in wire.body
    assert b"1 MB" in wire.body
    assert not re.search(rb"<script|style=|/work|Traceback", wire.body)
    _reader, wire = await call(scope("/x/", (b"hx-request", b"true")), [PIECE] * 20)
    assert wire.body.startswith(b'<p class="notice run" role="alert">')


async def test_the_upload_limit_is_named_without_the_room_for_the_form(settings):
    settings.FORUM_UPLOAD_MB = 2
    _reader, wire = await call(scope("/post/", COOKIE), [PIECE] * 60)
    assert b"2 MB" in wire.body


async def test_refusals_carry_the_security_headers(settings):
    _reader, wire = await call(scope(), [PIECE] * 20)
    for name, value in settings.FIXED_HEADERS.items():
        assert wire.headers[name.lower()] == value
    assert int(wire.headers["content-length"]) == len(wire.body)


@pytest.fixture
def site(tmp_path: Path, settings):
    """The whole of Django behind the limit, on a real port; its spool in a folder of its own."""
    spool = tmp_path / "spool"
    spool.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(spool)
    settings.ALLOWED_HOSTS = ["*"]
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(BodyLimit(get_asgi_application()), log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listener.getsockname()[1], spool
    server.should_exit = True
    thread.join(10)


def bomb(port: int, megabytes: int, path: str) -> bytes:
    """Send a chunked body as fast as it goes: the first line of the answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        with contextlib.suppress(OSError):
            for _ in range(megabytes):
                wire.sendall(b"100000\r\n" + b"x" * MIB + b"\r\n")
            wire.sendall(b"0\r\n\r\n")
        return wire.recv(4096).split(b"\r\n", 1)[0]


@pytest.mark.parametrize("path", ["/nowhere/", "/", "/api/v1/images", "/post/"])
def test_a_body_bomb_leaves_nothing_on_disk(site, path):
    port, spool = site
    assert bomb(port, 40, path).startswith(b"HTTP/1.1 413")
    assert sum(each.stat().st_size for each in spool.rglob("*") if each.is_file()) == 0
