"""Who looks at what in this process. Each change is read and rendered once per view, then fanned out.

A hub marks things dirty and never queues messages, so a storm of five hundred changes costs one
rendering, and every viewer ends at the last state.
"""

import asyncio
import contextlib
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from forum.live import fragments
from forum.live.bridge import Bridge, Message
from forum.live.fragments import View

log = structlog.get_logger(__name__)

#: Seconds between two renderings of one hub: previews of many jobs fall together.
REST = 0.05


class Viewer(Protocol):
    """An open socket."""

    @property
    def member_id(self) -> int | None:
        """Whose it is; None for a visitor."""

    def show(self, pieces: dict[str, str]) -> None:
        """Take rendered pieces by name; a newer piece replaces an unsent older one."""

    def ask_again(self) -> None:
        """Check whether this person may still look."""


@dataclass(slots=True)
class Hub:
    """All viewers of one topic."""

    topic: str
    viewers: dict[View, set[Viewer]] = field(default_factory=lambda: defaultdict(set))
    dirty: set[tuple[str, int]] = field(default_factory=set)
    #: Names of pieces that every page of a view has: those it was sent, as it joined or since.
    known: dict[View, set[str]] = field(default_factory=lambda: defaultdict(set))
    whole: bool = False
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    def mark(self, kind: str, pk: int) -> None:
        """Something changed: read it again soon."""
        self.dirty.add((kind, pk))
        self._wake.set()

    def mark_all(self) -> None:
        """Something may have been missed: read everything again soon."""
        self.whole = True
        self._wake.set()

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=self.topic)

    def stop(self) -> None:
        """Nobody looks any more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            dirty, self.dirty = self.dirty, set()
            whole, self.whole = self.whole, False
            for view in list(self.viewers):
                await self._refresh(view, whole, dirty)
            await asyncio.sleep(REST)

    async def _refresh(self, view: View, whole: bool, dirty: set[tuple[str, int]]) -> None:
        try:
            if whole:
                pieces = await fragments.whole(view)
            else:
                pieces = await fragments.changed(view, dirty, self.known[view])
        except Exception as error:  # the database may be away: the next gap reads all again
            log.warning("hub.unrendered", topic=self.topic, error=type(error).__name__)
            self.whole = True
            await asyncio.sleep(1)
            self._wake.set()
            return
        self.known[view].update(name.removeprefix(fragments.NEW) for name in pieces)
        for viewer in list(self.viewers.get(view, ())):
            viewer.show(pieces)


class Hubs:
    """The hubs of this process, and the bridge that feeds them."""

    def __init__(self) -> None:
        self.by_topic: dict[str, Hub] = {}
        self.bridge = Bridge(on_message=self.hear, on_gap=self.mark_all)

    def join(self, topic: str, view: View, viewer: Viewer) -> None:
        """Seat a viewer. Join first, then send the whole: nothing falls between."""
        self.bridge.ensure()
        hub = self.by_topic.get(topic)
        if hub is None:
            hub = self.by_topic[topic] = Hub(topic)
            hub.start()
        hub.viewers[view].add(viewer)

    def leave(self, topic: str, view: View, viewer: Viewer) -> None:
        """The viewer is gone; the last one closes the hub."""
        hub = self.by_topic.get(topic)
        if hub is None:
            return
        hub.viewers[view].discard(viewer)
        if not hub.viewers[view]:
            del hub.viewers[view]
            hub.known.pop(view, None)
        if not hub.viewers:
            hub.stop()
            del self.by_topic[topic]

    def hear(self, message: Message) -> None:
        """An announcement came in."""
        topic = str(message.get("topic", ""))
        if topic == "access":
            # A session is one member's affair; boards and roles may be anybody's.
            only = message.get("id") if message.get("k") == "session" else None
            self.ask_again(only)
        elif hub := self.by_topic.get(topic):
            with contextlib.suppress(TypeError, ValueError):
                hub.mark(str(message.get("k", "")), int(message.get("id", 0)))

    def mark_all(self) -> None:
        """Announcements may have been missed."""
        for hub in self.by_topic.values():
            hub.mark_all()
        self.ask_again()

    def ask_again(self, member: object = None) -> None:
        """Somebody's access changed: this member's, or anybody's."""
        for hub in self.by_topic.values():
            for viewers in hub.viewers.values():
                for viewer in viewers:
                    if member is None or viewer.member_id == member:
                        viewer.ask_again()


hubs = Hubs()
