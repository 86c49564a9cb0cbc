"""One changed thing, rendered for all who may see it. No fragment knows who is looking.

A view is what a page shows of a topic; it is hashable, so that equal pages share one rendering.
"""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from channels.db import database_sync_to_async
from django.template.loader import render_to_string
from django.utils import translation

from forum.beginnings.cards import cards_for as beginning_cards
from forum.beginnings.models import Beginning
from forum.drafts.lines import line
from forum.drafts.models import Draft
from forum.films.cards import cards_for as film_cards
from forum.films.models import Film
from forum.images.models import Image
from forum.reruns.cards import cards_for as rerun_cards
from forum.reruns.models import Rerun
from forum.threads.cards import WINDOW, cards_for
from forum.threads.models import Reply, ReplyQuerySet, Thread
from forum.threads.readings import readings_of
from forum.threads.trees import tree_of

#: Begins the names of pieces that put something new into a page; they are sent before all others.
NEW = "new "

Dirty = set[tuple[str, int]]
Pieces = dict[str, str]


class View(Protocol):
    """What a page shows of a topic."""

    def whole(self) -> Pieces:
        """Everything the page shows, to morph in place."""

    def changed(self, dirty: Dirty, known: set[str]) -> Pieces:
        """The pieces that changed, by name; pages have those in `known` already."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A view in one language: those who read the same language share a rendering."""

    view: View
    language: str

    def whole(self) -> Pieces:
        """Everything, in this language."""
        with translation.override(self.language):
            return self.view.whole()

    def changed(self, dirty: Dirty, known: set[str]) -> Pieces:
        """What changed, in this language."""
        with translation.override(self.language):
            return self.view.changed(dirty, known)


async def whole(view: View) -> Pieces:
    """Everything `view` shows."""
    pieces: Pieces = await database_sync_to_async(view.whole)()
    return pieces


async def changed(view: View, dirty: Dirty, known: set[str]) -> Pieces:
    """What changed of `view`.

    `dirty` holds (kind, id): "reply" with its own id, "job" and "preview" with that of the job.
    """
    pieces: Pieces = await database_sync_to_async(view.changed)(dirty, known)
    return pieces


def replies_of(dirty: Dirty) -> ReplyQuerySet:
    """The replies that dirty ids speak of."""
    jobs = [pk for kind, pk in dirty if kind in {"job", "preview"}]
    own = [pk for kind, pk in dirty if kind == "reply"]
    images = [pk for kind, pk in dirty if kind == "image"]
    replies = Reply.objects
    found = replies.filter(job__in=jobs) | replies.filter(pk__in=own)
    # An image that was withdrawn, hidden or shown again leaves or takes its place in the list.
    return found | replies.filter(image__in=images) if images else found


@dataclass(frozen=True, slots=True)
class Answers:
    """The newest answers of one image, on its page."""

    thread: int
    image: int

    def whole(self) -> Pieces:
        """The list as the page first shows it."""
        cards = cards_for(self._shown()[:WINDOW])
        words = {"cards": cards, "image_id": self.image, "live": True}
        pieces = {"answers": render_to_string("live/answers.html", words)}
        return pieces | self._readings() | self._size()

    def changed(self, dirty: Dirty, known: set[str]) -> Pieces:
        """One piece for each answer that changed; a new one finds its place by its id."""
        touched = self._shown().filter(pk__in=replies_of(dirty).values("pk"))
        pieces: Pieces = {}
        for card in cards_for(touched):
            name = f"reply-{card.reply.pk}"
            words = {"card": card, "image_id": self.image, "name": name, "new": name not in known}
            # Under a name of its own, or a later state would replace it before it was sent.
            pieces[name if name in known else NEW + name] = render_to_string(
                "live/answer.html", words
            )
        if any(kind == "reading" for kind, _ in dirty):
            pieces |= self._readings()
        if any(kind in {"reply", "image"} for kind, _ in dirty):
            pieces |= self._size()
        return pieces

    def _size(self) -> Pieces:
        """How much the thread holds by now."""
        found = Thread.objects.filter(pk=self.thread).first()
        words = {"thread": found}
        return {"size": render_to_string("live/size.html", words)} if found else {}

    def _readings(self) -> Pieces:
        """What is read in the image, whole: one that was taken back leaves no row to tell of it."""
        words = {"readings": readings_of(self.image), "image_id": self.image}
        return {"readings": render_to_string("live/readings.html", words)}

    def _shown(self) -> ReplyQuerySet:
        return (
            Reply.objects.filter(to=self.image, thread=self.thread)
            .shown_to_all()
            .for_card()
            .order_by("-pk")
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """Resonances, reruns and films beside one image.

    Everybody sees their own, so of what came or went only the news is told; how far a rerun or a
    film has got is the same for all.
    """

    image: int

    #: Kind of an announcement -> the part of the page that is to be fetched anew.
    PARTS: ClassVar[dict[str, str]] = {
        "resonances": "resonances", "rerun": "reruns", "film": "films",
        "looks": "looks",
    }  # fmt: skip

    def whole(self) -> Pieces:
        """Have the page fetch all of it anew."""
        return {name: self._news(name) for name in self.PARTS.values()}

    def changed(self, dirty: Dirty, known: set[str]) -> Pieces:
        """News of each kind once, however many rows changed; and how far the work has got."""
        parts = {self.PARTS[kind] for kind, _ in dirty if kind in self.PARTS}
        jobs = [pk for kind, pk in dirty if kind in {"job", "preview"}]
        return {name: self._news(name) for name in sorted(parts)} | self._progress(jobs)

    def _news(self, part: str) -> str:
        return render_to_string(f"live/{part}.html", {"image_id": self.image})

    def _progress(self, jobs: list[int]) -> Pieces:
        if not jobs:
            return {}
        reruns = Rerun.objects.of(Image(pk=self.image)).waiting().filter(job__in=jobs)
        films = Film.objects.of(Image(pk=self.image)).waiting().filter(job__in=jobs)
        pieces: Pieces = {
            f"rerun-{card.rerun.pk}": render_to_string("live/rerun.html", {"card": card})
            for card in rerun_cards(reruns)
        }
        return pieces | {
            f"film-{card.film.pk}": render_to_string("live/film.html", {"card": card})
            for card in film_cards(films)
        }


@dataclass(frozen=True, slots=True)
class Desk:
    """A member's draft to one image, on its own page; nobody else ever joins its topic.

    It may not be there yet, or no more: another window of the same member may begin it, or leave.
    """

    author: int
    image: int

    PARTS: ClassVar[tuple[str, ...]] = ("steps", "stage", "turns", "leave")

    def whole(self) -> Pieces:
        """The steps, the step one is at, all turns, and the way out."""
        image = Image.objects.filter(pk=self.image).prefetch_related("files").first()
        if image is None:
            return {}
        found = Draft.objects.filter(author=self.author, to=image).first()
        words = {"image": image, "line": line(found)}
        return {
            part: render_to_string("live/draft.html", {**words, "part": part})
            for part in self.PARTS
        }

    def changed(self, dirty: Dirty, known: set[str]) -> Pieces:
        """Previews and places in the queue touch the turns alone; what has come out is said once."""
        pieces = self.whole()
        if all(kind in {"job", "preview"} for kind, _ in dirty):
            return {name: piece for name, piece in pieces.items() if name == "turns"}
        if any(kind == "take" for kind, _ in dirty):
            pieces["said"] = render_to_string("live/take.html")
        return pieces


@dataclass(frozen=True, slots=True)
class First:
    """A first image that forms from words alone, on its author's own page."""

    beginning: int

    def whole(self) -> Pieces:
        """Its card."""
        rows = Beginning.objects.select_related("image").filter(pk=self.beginning)
        return {
            f"beginning-{card.beginning.pk}": render_to_string(
                "live/beginning.html", {"card": card}
            )
            for card in beginning_cards(rows)
        }

    def changed(self, dirty: Dirty, known: set[str]) -> Pieces:
        """All of it: there is one card."""
        return self.whole()


@dataclass(frozen=True, slots=True)
class Tree:
    """A thread as a tree, on its own page."""

    thread: int

    def whole(self) -> Pieces:
        """The tree as the page first shows it."""
        thread = Thread.objects.get(pk=self.thread)
        words = {"thread": thread, "branches": tree_of(thread), "live": True}
        return {"tree": render_to_string("live/tree.html", words)}

    def changed(self, dirty: Dirty, known: set[str]) -> Pieces:
        """A new or finished reply moves the tree; a preview touches its own card alone."""
        if any(kind == "reply" for kind, _ in dirty):
            return self.whole()
        touched = Reply.objects.filter(thread=self.thread).shown_to_all().for_card()
        cards = cards_for(touched.filter(pk__in=replies_of(dirty).values("pk")))
        return {
            (name := f"reply-{card.reply.pk}"): render_to_string(
                "live/answer.html", {"card": card, "name": name}
            )
            for card in cards
        }
