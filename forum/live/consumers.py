"""Sockets: they only tell. Everything people do goes over HTTP."""

import asyncio
import contextlib
import time
from collections import Counter, deque
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.utils.crypto import constant_time_compare

from forum.beginnings.models import Beginning
from forum.boards.models import Board
from forum.drafts.models import topic_of
from forum.images.models import Image
from forum.live import fragments
from forum.live.fragments import Answers, Beside, Desk, First, Spoken, Tree, View
from forum.live.hubs import hubs
from forum.live.streams import Stream, Waits
from forum.members.middleware import language_of_socket
from forum.members.models import Member
from forum.threads.models import Thread

#: Close codes: 4xxx is for good, 1013 means come back later.
SIGNED_OUT, FORBIDDEN, TOO_LARGE, TOO_MANY, TRY_LATER = 4401, 4403, 4413, 4429, 1013
#: Seconds between two frames to one viewer, and how long a frame may take to leave.
PACE, PATIENCE = 0.25, 10.0
#: A browser has nothing to say here: at most so many bytes, and so many messages in ten seconds.
LONGEST, MOST = 1024, 20
#: Seconds after which every socket checks its right to look, in case the notice of a change was lost.
RECHECK = 60.0

_open: Counter[str] = Counter()


class Watch(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Shows one view of one topic to one person."""

    topic: str
    view: View
    #: A second thing the page shows, with a topic of its own.
    aside: tuple[str, View] | None = None
    everyone: ClassVar[Counter[str]] = _open
    closed = False

    async def connect(self) -> None:
        """Accept, then refuse with a code: a refusal before accepting looks like a lost network."""
        self.seated = False
        self.pieces: dict[str, str] = {}
        self.wake = asyncio.Event()
        self.said: deque[float] = deque(maxlen=MOST)
        self.tasks: set[asyncio.Task[None]] = set()
        self.language = language_of_socket(self.scope, self.member)
        self.who = f"member:{self.member_id}" if self.member_id else f"address:{self.address}"
        await self.accept()
        if _open[self.who] >= self.limit:
            await self.close(TOO_MANY)
            return
        if not await self.seat():
            await self.close(FORBIDDEN)
            return
        _open[self.who] += 1
        self.seated = True
        for topic, view in self.watched():
            hubs.join(topic, view, self)
        self.show(await fragments.whole(self.spoken(self.view)))
        self.start(self.pump())
        self.start(self.recheck())

    async def disconnect(self, code: int) -> None:
        """Free the seat."""
        if not self.seated:
            return
        self.seated = False
        for topic, view in self.watched():
            hubs.leave(topic, view, self)
        _open[self.who] -= 1
        if not _open[self.who]:
            del _open[self.who]
        for task in self.tasks:
            task.cancel()

    async def close(self, code: int | bool | None = None, reason: str | None = None) -> None:
        """Close once: what is said beside it, or after the browser went, is said to nobody."""
        if not self.closed:
            self.closed = True
            with contextlib.suppress(OSError, RuntimeError):
                await super().close(code, reason)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Nothing is expected; a little is put up with."""
        if self.closed:
            return
        if len(text_data or "") + len(bytes_data or b"") > LONGEST:
            await self.close(TOO_LARGE)
            return
        now = time.monotonic()
        self.said.append(now)
        if len(self.said) == MOST and now - self.said[0] < 10:
            await self.close(TOO_MANY)

    async def seat(self) -> bool:
        """Find topic and view; False where this person may not look."""
        raise NotImplementedError  # pragma: no cover

    # What a hub asks of a viewer.

    def show(self, pieces: dict[str, str]) -> None:
        """Keep the newest version of each piece until it can be sent."""
        if pieces:
            self.pieces.update(pieces)
            self.wake.set()

    def ask_again(self) -> None:
        """Check the right to look, soon."""
        self.start(self.check())

    # Its own work.

    def watched(self) -> list[tuple[str, Spoken]]:
        """Topics and views, as this viewer reads them."""
        aside = [] if self.aside is None else [self.aside]
        return [(topic, self.spoken(view)) for topic, view in [(self.topic, self.view), *aside]]

    def spoken(self, view: View) -> Spoken:
        """A view in the language of this viewer."""
        return Spoken(view, self.language)

    def start(self, work: Any) -> None:
        """Run beside the socket; held strongly, or it would vanish mid-run."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def pump(self) -> None:
        """Send what is new, at most four times a second; a reader who is too slow may come back."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            pieces, self.pieces = self.pieces, {}
            try:
                for frame in frames(pieces):
                    await asyncio.wait_for(self.send(frame), PATIENCE)
            except TimeoutError:
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(self.close(TRY_LATER), 1)
                return
            except (OSError, RuntimeError):  # the browser went while something was on its way
                return
            await asyncio.sleep(PACE)

    async def recheck(self) -> None:
        """Once a minute."""
        while True:
            await asyncio.sleep(RECHECK)
            await self.check()

    async def check(self) -> None:
        """Close when the session is over or the member may no longer look."""
        if not self.seated:
            return
        if not await database_sync_to_async(self.session_holds)():
            await self.close(SIGNED_OUT)
        elif not await self.seat():
            await self.close(FORBIDDEN)

    def session_holds(self) -> bool:
        """Whether the session that opened this socket still opens the house.

        Signing out removes it, and a new password or the end of an account makes it worthless.
        """
        if self.member_id is None:
            return True
        member = self.fresh_member()
        kept = SessionStore(self.scope["session"].session_key).load()
        if member is None or kept.get(SESSION_KEY) != str(member.pk):
            return False
        valid = [member.get_session_auth_hash(), *member.get_session_auth_fallback_hash()]
        return any(constant_time_compare(kept.get(HASH_SESSION_KEY, ""), each) for each in valid)

    @property
    def member_id(self) -> int | None:
        """Id of the session's member."""
        return None if (member := self.member) is None else member.pk

    @property
    def member(self) -> Member | None:
        """The session's member, as the handshake found them."""
        user = self.scope.get("user")
        return user if user is not None and user.is_authenticated else None

    @property
    def address(self) -> str:
        """Where the socket comes from."""
        client = self.scope.get("client")
        return str(client[0]) if client else "unknown"

    @property
    def query(self) -> dict[str, int]:
        """Numbers named in the address; anything else is left aside."""
        words = self.scope["query_string"].decode(errors="replace")
        pairs = (part.partition("=") for part in words.split("&"))
        return {
            key: int(value)
            for key, _, value in pairs
            if value.isascii() and value.isdigit() and len(value) < 19
        }

    @property
    def limit(self) -> int:
        """How many sockets this person may hold."""
        wanted = "MEMBER" if self.member_id else "ADDRESS"
        return int(getattr(settings, f"FORUM_SOCKETS_PER_{wanted}"))

    def fresh_member(self) -> Member | None:
        """The member as the database has it now; None for visitors and for those who were shut out."""
        if self.member_id is None:
            return None
        return Member.objects.filter(pk=self.member_id, is_active=True).first()


def frames(pieces: dict[str, str]) -> list[str]:
    """What to send: new things first, since a page drops changes of what it does not have."""
    new = [piece for name, piece in pieces.items() if name.startswith(fragments.NEW)]
    rest = [piece for name, piece in pieces.items() if not name.startswith(fragments.NEW)]
    return ["\n".join(part) for part in (new, rest) if part]


class WatchThread(Watch):
    """`/ws/threads/<id>/`: the tree; with `?image=<id>`: the answers of one image."""

    async def seat(self) -> bool:
        """Visible threads only."""
        found: bool = await database_sync_to_async(self.find)()
        return found

    def find(self) -> bool:
        """Whether this thread may be seen; remembers topic and view."""
        member = self.fresh_member()
        pk = self.scope["url_route"]["kwargs"]["thread_id"]
        thread = Thread.objects.visible_to(member).filter(pk=pk).first()
        image = self.query.get("image")
        if thread is None:
            return False
        if image is not None and not thread.images.visible_to(member).filter(pk=image).exists():
            return False
        self.topic = thread.topic
        self.view = Tree(pk) if image is None else Answers(pk, image)
        self.aside = None if image is None else (f"image.{image}", Beside(image))
        return True


class WatchStream(Watch):
    """`/ws/stream/`: threads that move, and how many are new; `?board=<id>`: of one board.

    With `&rows=1` they stand as rows.
    """

    async def seat(self) -> bool:
        """Everybody may look at what they may see."""
        self.topic = "stream"
        view = await database_sync_to_async(self.find)()
        if view is None or (self.seated and view != self.view):
            return False  # the page shows another house now: let it be loaded anew
        self.view = view
        return True

    def find(self) -> View | None:
        """The boards this person may look into: one rendering serves all who see the same."""
        boards = Board.objects.visible_to(self.fresh_member())
        board = self.query.get("board")
        if board is not None:
            boards = boards.filter(pk=board)
        found = frozenset(boards.values_list("pk", flat=True))
        if board is not None and not found:
            return None
        return Stream(found, rows=bool(self.query.get("rows")))


class WatchWaiting(WatchStream):
    """`/ws/waiting/`: that something may have been answered, or waits since."""

    def find(self) -> View | None:
        """The boards this person may look into."""
        boards = Board.objects.visible_to(self.fresh_member())
        return Waits(frozenset(boards.values_list("pk", flat=True)))


class WatchDraft(Watch):
    """`/ws/drafts/<image>/`: one's own draft to an image, which may still be empty."""

    async def seat(self) -> bool:
        """For its member alone."""
        found: bool = await database_sync_to_async(self.find)()
        return found

    def find(self) -> bool:
        """Whether this person may draft here; remembers topic and view."""
        member = self.fresh_member()
        to = self.scope["url_route"]["kwargs"]["image_id"]
        image = Image.objects.answerable_by(member).filter(pk=to).first()
        if member is None or image is None:
            return False
        self.topic, self.view = topic_of(member.pk, to), Desk(member.pk, to)
        return True


class WatchBeginning(Watch):
    """`/ws/beginnings/<id>/`: one's own first image, while it forms."""

    async def seat(self) -> bool:
        """For its author alone."""
        found: bool = await database_sync_to_async(self.find)()
        return found

    def find(self) -> bool:
        """Whether it is this person's; remembers topic and view."""
        pk = self.scope["url_route"]["kwargs"]["beginning_id"]
        found = Beginning.objects.of(self.fresh_member()).filter(pk=pk).first()
        if found is None:
            return False
        self.topic, self.view = found.topic, First(found.pk)
        return True


class Nowhere(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Any other address: refused with a code that tells browsers not to come back."""

    async def connect(self) -> None:
        """Accept, then refuse."""
        await self.accept()
        await self.close(4404)
