"""A limit on what may be sent, before Django sees it.

Django's ASGI handler writes the whole body to disk before it looks at the address, so without this
a stranger fills the disk through any address, even one that does not exist.
"""

import asyncio
import contextlib
import json
import re
import time
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any

import structlog
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation.trans_real import parse_accept_lang_header

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

MIB = 1024 * 1024
#: Addresses that take pictures. A test holds them against the routes that do.
UPLOADS = re.compile(
    r"/(post/|images/\d+/answer/(upload/)?|api/v1/images|api/v1/images/\d+/(masks|replies/upload))\Z"
)
#: Bytes of a sender that must come within so many seconds, unless the end comes first.
LEAST, WITHIN = 64 * 1024, 20.0
#: Seconds after which every body must have come.
LONGEST = 600.0
#: How much of a refused body is read and thrown away, so that browsers get to read the answer.
DRAIN_BYTES, DRAIN_SECONDS = 128 * MIB, 10.0

log = structlog.get_logger("forum.running")


class BodyLimit:
    """Answers 413 while a body that is too large still streams in, and 408 to senders who stall."""

    def __init__(self, app: Application) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        passage = Passage(scope, receive, send, limit_for(scope))
        if announced(scope) > passage.limit:
            await passage.refuse(413)
        else:
            await self.app(scope, passage.receive, passage.send)
        await passage.end()


def limit_for(scope: Scope) -> int:
    """Bytes that may be sent here. Only those who show a key may send pictures."""
    if UPLOADS.match(scope["path"]) and shows_a_key(scope):
        return int(settings.FORUM_UPLOAD_MB) * MIB + MIB
    return MIB


def shows_a_key(scope: Scope) -> bool:
    """Whether a session cookie or an API key comes along; whether it opens is found out later."""
    if header(scope, b"authorization"):
        return True
    try:
        return settings.SESSION_COOKIE_NAME in SimpleCookie(header(scope, b"cookie"))
    except CookieError:
        return False


def announced(scope: Scope) -> int:
    """The length that the sender claims; 0 where none is claimed."""
    claim = header(scope, b"content-length")
    return int(claim) if claim.isdigit() else 0


def header(scope: Scope, name: bytes) -> str:
    """A request header, or ""."""
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


@dataclass
class Passage:
    """One request on its way in and its answer on the way out."""

    scope: Scope
    inner_receive: Receive
    inner_send: Send
    limit: int
    got: int = 0
    complete: bool = False
    answering: bool = False
    refused: bool = False
    begun: float = field(default_factory=time.monotonic)
    #: Since when, and from which count, the present stretch of LEAST bytes is timed.
    since: float = field(default_factory=time.monotonic)
    counted: int = 0

    async def receive(self) -> Message:
        """The next piece of the body; a disconnect once the request was refused."""
        if self.refused:
            return {"type": "http.disconnect"}
        if self.complete:
            return await self.inner_receive()
        try:
            message = await asyncio.wait_for(self.inner_receive(), self.patience())
        except TimeoutError:
            return await self.refuse(408)
        return await self.weigh(message)

    async def weigh(self, message: Message) -> Message:
        """Count a piece and let it pass, or refuse."""
        self.got += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        if self.got > self.limit:
            return await self.refuse(413)
        if self.got - self.counted >= LEAST:
            self.since, self.counted = time.monotonic(), self.got
        return message

    def patience(self) -> float:
        """Seconds until the sender is too slow."""
        return max(0.0, min(self.since + WITHIN, self.begun + LONGEST) - time.monotonic())

    async def send(self, message: Message) -> None:
        """Pass the application's answer on, unless we have answered."""
        if not self.refused:
            self.answering = True
            await self.inner_send(message)

    async def refuse(self, status: int) -> Message:
        """Answer in the application's place. A disconnect makes Django drop what it has kept."""
        self.refused = True
        log.info("refused body", status=status, path=self.scope["path"][:200], bytes=self.got)
        if not self.answering:
            headers, body = answer(self.scope, status, self.limit)
            await self.inner_send(
                {"type": "http.response.start", "status": status, "headers": headers}
            )
            await self.inner_send({"type": "http.response.body", "body": body, "more_body": True})
        return {"type": "http.disconnect"}

    async def end(self) -> None:
        """Close a refused request. Browsers read no answer before they have sent all."""
        if not self.refused or self.answering:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.drain(), DRAIN_SECONDS)
        await self.inner_send({"type": "http.response.body", "body": b""})

    async def drain(self) -> None:
        """Throw the rest away, up to a measure."""
        while not self.complete and self.got < self.limit + DRAIN_BYTES:
            message = await self.inner_receive()
            if message["type"] == "http.disconnect":
                return
            self.got += len(message.get("body", b""))
            self.complete = not message.get("more_body", False)


def answer(scope: Scope, status: int, limit: int) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of a refusal: a problem document, a fragment or a small page."""
    with translation.override(language(scope)):
        title, sentence = words(status, limit)
        if scope["path"].startswith("/api/"):
            kind, text = "application/problem+json", problem(status, title, sentence)
        elif header(scope, b"hx-request") == "true":
            kind = "text/html; charset=utf-8"
            text = format_html('<p class="notice run" role="alert">{}</p>', sentence)
        else:
            kind = "text/html; charset=utf-8"
            text = render_to_string("refused.html", {"title": title, "sentence": sentence})
    body = text.encode()
    said = {
        **settings.FIXED_HEADERS,
        "Content-Type": kind,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    return [(name.lower().encode(), value.encode()) for name, value in said.items()], body


def words(status: int, limit: int) -> tuple[str, str]:
    """Title and sentence, in the present language."""
    if status == 408:
        return _("That took too long"), _("The rest of what you sent did not arrive in time.")
    most = (limit - MIB if limit > MIB else limit) // MIB
    return _("That is too large"), _("This is larger than %(most)d MB.") % {"most": most}


def problem(status: int, title: str, sentence: str) -> str:
    """A problem document (RFC 9457)."""
    code = "too_large" if status == 413 else "too_slow"
    return json.dumps(
        {"type": "about:blank", "title": title, "status": status, "detail": sentence, "code": code}
    )


def language(scope: Scope) -> str:
    """The first language of the browser that we speak."""
    ours = dict(settings.LANGUAGES)
    for wanted, _weight in parse_accept_lang_header(header(scope, b"accept-language")):
        try:
            found = translation.get_supported_language_variant(wanted)
        except LookupError:
            continue
        if found in ours:
            return found
    return str(settings.LANGUAGE_CODE)
