"""A thread as a tree: every reply below the image it answers."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from forum.threads.cards import Card, cards_for
from forum.threads.models import Reply, ReplyKind, Thread

#: How many replies a page of the tree shows.
WINDOW = 100
#: Deeper replies are indented no further, so that phones can still show them.
DEEPEST = 8

#: Reply, image it answers, image it became, whether it only points there.
Edge = tuple[int, int, int | None, str]


@dataclass(frozen=True, slots=True)
class Branch:
    """A reply and how far it is indented."""

    card: Card
    #: Steps from the first image, 1 for its own answers.
    depth: int

    @property
    def level(self) -> int:
        """Which `.level-n` it takes."""
        return min(self.depth, DEEPEST)


def tree_of(thread: Thread, start: int = 0, limit: int = WINDOW) -> list[Branch]:
    """Replies in the order a tree is read, from the `start`-th on: two queries and those of cards."""
    edges = Reply.objects.filter(thread=thread).shown_to_all().order_by("pk")
    rows: list[Edge] = list(edges.values_list("pk", "to", "image", "kind"))
    window = list(walk(rows, thread.first_image_id or 0))[start : start + limit]
    depths = dict(window)
    cards = cards_for(Reply.objects.filter(pk__in=depths, thread=thread).for_card())
    by_pk = {card.reply.pk: card for card in cards}
    return [Branch(by_pk[pk], depth) for pk, depth in window if pk in by_pk]


def walk(edges: list[Edge], first: int) -> Iterator[tuple[int, int]]:
    """(reply, depth), older branches first, depth first, without recursion: threads are deep.

    A link is a leaf here: what it points to is at home elsewhere, and cycles end so.
    """
    answers: dict[int, list[Edge]] = defaultdict(list)
    for edge in edges:
        answers[edge[1]].append(edge)
    ahead = [(edge, 1) for edge in reversed(answers[first])]
    while ahead:
        (pk, _, image, kind), depth = ahead.pop()
        yield pk, depth
        if image is not None and kind != ReplyKind.LINK:
            ahead += [(edge, depth + 1) for edge in reversed(answers[image])]
