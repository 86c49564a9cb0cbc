"""People for a house under stress: members who post by the API, and browsers that only watch.

Every accepted key and its answer stands in a ledger outside the product.
"""

import asyncio
import contextlib
import io
import json
import re
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

import websockets
from PIL import Image
from websockets.typing import Origin

from tests.faults.house import House

#: An item of a list of answers, up to the next one.
ITEM = re.compile(r'<li id="reply-(\d+)"(.*?)</li>', re.DOTALL)
#: Status when nobody listened, or the answer was lost on its way.
LOST = 0


@dataclass
class Answer:
    """What came back from the house."""

    status: int
    words: Any
    at: float = field(default_factory=time.monotonic)


class Member:
    """Somebody with a token."""

    def __init__(self, house: House, token: str) -> None:
        self.house, self.token = house, token

    def call(
        self, method: str, path: str, body: bytes | None = None, kind: str = "", key: str = ""
    ) -> Answer:
        """One request; status LOST where no answer came."""
        headers = {"Authorization": f"Bearer {self.token}"}
        headers |= {"Content-Type": kind} if kind else {}
        headers |= {"Idempotency-Key": key} if key else {}
        request = urllib.request.Request(
            f"{self.house.url}/api/v1{path}", body, headers, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return Answer(answer.status, json.loads(answer.read()))
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.read().decode(errors="replace"))
        except OSError:
            return Answer(LOST, None)

    def post_image(self, board: str) -> int:
        """A first picture on a board; its id."""
        picture = io.BytesIO()
        Image.linear_gradient("L").resize((64, 48)).convert("RGB").save(picture, "PNG")
        edge = uuid.uuid4().hex
        name = 'Content-Disposition: form-data; name="'
        body = (
            f'--{edge}\r\n{name}board"\r\n\r\n{board}\r\n'
            f'--{edge}\r\n{name}file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        ).encode() + picture.getvalue() + f"\r\n--{edge}--\r\n".encode()  # fmt: skip
        made = self.call("POST", "/images", body, f"multipart/form-data; boundary={edge}")
        assert made.status == 201, made
        return int(made.words["id"])

    def make_board(self) -> str:
        """A public board; its slug."""
        slug = f"b{uuid.uuid4().hex[:8]}"
        words = json.dumps({"slug": slug, "title": "Under stress", "visibility": "public"})
        made = self.call("POST", "/boards", words.encode(), "application/json")
        assert made.status == 201, made
        return slug

    def reply(self, image: int, prompt: str, key: str) -> Answer:
        """Ask for a derivative of the timed engine, once."""
        words = json.dumps({"prompt": prompt, "preset": "timed", "seed": 1}).encode()
        return self.call("POST", f"/images/{image}/replies", words, "application/json", key)

    def reads(self, reply: int) -> dict[str, Any]:
        """How a reply stands."""
        found = self.call("GET", f"/replies/{reply}")
        assert found.status == 200, found
        return dict(found.words)


class Poster(threading.Thread):
    """Posts replies to an image at a steady pace, each until it is accepted, and keeps the ledger."""

    def __init__(self, member: Member, image: int, prompt: str, every: float) -> None:
        super().__init__(daemon=True)
        self.member, self.image, self.prompt, self.every = member, image, prompt, every
        #: Reply id by key.
        self.ledger: dict[str, int] = {}
        self.statuses: Counter[int] = Counter()
        #: Bodies of refusals.
        self.refusals: set[str] = set()
        #: Longest time from the first refusal of a request to its acceptance, in seconds.
        self.longest = 0.0
        self._enough = threading.Event()

    def run(self) -> None:
        """Until told that it is enough."""
        while not self._enough.wait(self.every):
            self.post(uuid.uuid4().hex)

    def post(self, key: str) -> None:
        """One reply, asked for again with its key while the house does not answer."""
        begun = time.monotonic()
        while time.monotonic() - begun < 90:
            answer = self.member.reply(self.image, self.prompt, key)
            self.statuses[answer.status] += 1
            if answer.status == 202:
                self.ledger[key] = int(answer.words["id"])
                self.longest = max(self.longest, time.monotonic() - begun)
                return
            if answer.status != LOST:
                self.refusals.add(str(answer.words))
            time.sleep(0.2)
        raise AssertionError(f"not accepted within 90 s: {self.statuses}")

    def finish(self) -> None:
        """Post no more."""
        self._enough.set()
        self.join(120)
        assert not self.is_alive()


class Watchers:
    """Browsers that look at an image's answers, and come back whenever their socket breaks."""

    def __init__(self, house: House, image: int, count: int) -> None:
        [[self.thread]] = house.ask(f"SELECT thread_id FROM forum_image WHERE id = {image}")
        self.house, self.image, self.count = house, image, count
        #: What each has on its page: the newest item of each reply.
        self.pages: list[dict[int, str]] = [{} for _ in range(count)]
        self.connects, self.closes = 0, Counter[int | str]()
        #: When each last connected, in monotonic seconds.
        self.connected_at: dict[int, float] = {}
        self._begun, self._thread = threading.Event(), threading.Thread(target=self._run)

    @property
    def url(self) -> str:
        """Where they listen."""
        at = self.house.url.replace("http", "ws", 1)
        return f"{at}/ws/threads/{self.thread}/?image={self.image}"

    @property
    def present(self) -> int:
        """How many hold an open socket."""
        return len(self.connected_at)

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._begun.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._enough.set)
        self._thread.join(30)

    def _run(self) -> None:
        asyncio.run(self._watch_until_told())

    async def _watch_until_told(self) -> None:
        self._loop, self._enough = asyncio.get_running_loop(), asyncio.Event()
        self._begun.set()
        watching = [asyncio.create_task(self._watch(number)) for number in range(self.count)]
        await self._enough.wait()
        for each in watching:
            each.cancel()
        ended = await asyncio.gather(*watching, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended

    async def _watch(self, number: int) -> None:
        pause = 0.2
        while True:
            try:
                async with websockets.connect(
                    self.url,
                    origin=Origin(self.house.url),
                    open_timeout=30,
                    close_timeout=2,
                    max_size=2**24,
                ) as socket:
                    self.connects, pause = self.connects + 1, 0.2
                    self.connected_at[number] = time.monotonic()
                    async for text in socket:
                        self._take(number, str(text))
                self.closes[socket.close_code or "lost"] += 1
            except websockets.InvalidStatus as refusal:
                self.closes[f"HTTP {refusal.response.status_code}"] += 1
            except (OSError, TimeoutError, websockets.WebSocketException) as error:
                code = getattr(getattr(error, "rcvd", None), "code", None)
                self.closes[code or type(error).__name__] += 1
            finally:
                self.connected_at.pop(number, None)
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)

    def _take(self, number: int, text: str) -> None:
        for pk, item in ITEM.findall(text):
            self.pages[number][int(pk)] = item

    def missing(self, wanted: dict[int, int]) -> dict[int, set[int]]:
        """By watcher, the replies that are not on its page with their image; `wanted`: reply to image."""
        short: dict[int, set[int]] = {}
        for number, page in enumerate(self.pages):
            lacks = {
                pk for pk, image in wanted.items() if f'"/images/{image}/"' not in page.get(pk, "")
            }
            if lacks:
                short[number] = lacks
        return short


@contextlib.contextmanager
def posting(member: Member, image: int, prompt: str, every: float) -> Iterator[Poster]:
    """A poster at work for the length of the block; it has stopped afterwards."""
    poster = Poster(member, image, prompt, every)
    poster.start()
    try:
        yield poster
    finally:
        poster.finish()
