"""What lists of threads and of waiting images show: cards that move, and that something is new.

Such a page has places and filters of its own, and what it shows stays where it is. So it is not sent
the whole list: it is asked to catch up, names what it shows, and fetches just that anew.
"""

from dataclasses import dataclass

from django.template.loader import render_to_string

from forum.live.fragments import Dirty, Pieces
from forum.threads.cards import WINDOW, cards_for
from forum.threads.models import Reply, Thread


def catch_up() -> Pieces:
    """The word to a page that it may have missed something."""
    return {"catch-up": render_to_string("live/catch_up.html")}


@dataclass(frozen=True, slots=True)
class Stream:
    """The stream, or one board: threads that move, and how many were opened meanwhile."""

    boards: frozenset[int]
    #: Whether threads stand as rows of a list rather than as cards.
    rows: bool = False

    def whole(self) -> Pieces:
        """The page shows what its reader chose, so it asks for that itself."""
        return catch_up()

    def changed(self, dirty: Dirty, known: set[str]) -> Pieces:
        """Moved threads; those that a page does not show are dropped by it."""
        pks = [pk for _, pk in dirty]
        moved = Thread.objects.filter(pk__in=pks, board__in=self.boards).for_cards()
        pieces: Pieces = {
            f"thread-{thread.pk}": render_to_string(
                "live/thread.html", {"thread": thread, "rows": self.rows}
            )
            for thread in moved
        }
        opened = {pk for kind, pk in dirty if kind == "thread"}
        for thread in moved:
            if thread.pk in opened:
                # Under a name of its own: two in one breath are two.
                pieces[f"new-{thread.pk}"] = render_to_string("live/new.html", {"pk": thread.pk})
        return pieces | self._forming(pks)

    def _forming(self, threads: list[int]) -> Pieces:
        """The newest replies of moved threads: one may stand under "Now envisioning"."""
        rows = Reply.objects.filter(thread__in=threads, thread__board__in=self.boards)
        newest = rows.shown_to_all().for_card().order_by("-pk")[:WINDOW]
        return {
            f"reply-{card.reply.pk}": render_to_string("live/forming.html", {"card": card})
            for card in cards_for(newest)
        }


@dataclass(frozen=True, slots=True)
class Waits:
    """Images that wait for an answer: which ones is each viewer's own, so only the news is told."""

    boards: frozenset[int]

    def whole(self) -> Pieces:
        """Have the page ask."""
        return catch_up()

    def changed(self, dirty: Dirty, known: set[str]) -> Pieces:
        """Have it ask when a thread of these boards moved."""
        pks = [pk for _, pk in dirty]
        moved = Thread.objects.filter(pk__in=pks, board__in=self.boards).exists()
        return catch_up() if moved else {}
