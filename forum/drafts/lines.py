"""What the page of a draft shows: its turns, where each take stands, and the way back to the image."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.functional import Promise

from forum.drafts.models import Draft, Take
from forum.threads import sentences
from forum.threads.cards import AT_WORK
from forum.threads.placing import Placed
from generation import queue
from generation.queue import Standing


@dataclass(frozen=True, slots=True)
class Card(Placed):
    """One take, and where its job stands."""

    take: Take
    standing: Standing | None = None
    #: Whether the next turn would edit it.
    is_head: bool = False

    @property
    def is_running(self) -> bool:
        """Whether a machine is at it now, or has just been."""
        return self.standing is not None and self.standing.state in AT_WORK

    @property
    def sentence(self) -> Promise:
        """Why it did not come out, and what to do."""
        return sentences.sentence(self.take.reason)


@dataclass(frozen=True, slots=True)
class Turn:
    """What was said at one time, and the candidates that came of it."""

    number: int
    cards: Sequence[Card]
    #: The take that was edited; None is the image itself.
    source: Take | None = None

    @property
    def first(self) -> Take:
        """A take that knows what was said."""
        return self.cards[0].take

    @property
    def is_forming(self) -> bool:
        """Whether something of it still comes into being."""
        return any(card.take.is_forming for card in self.cards)


@dataclass(frozen=True, slots=True)
class Line:
    """A whole draft, newest turn first."""

    draft: Draft | None
    turns: Sequence[Turn] = ()
    #: From the image to the take that the next turn edits.
    path: Sequence[Take] = ()

    @property
    def head(self) -> Take | None:
        """The take that the next turn edits; None is the image itself."""
        return self.path[-1] if self.path else None

    @property
    def is_forming(self) -> bool:
        """Whether something still comes into being."""
        return any(turn.is_forming for turn in self.turns)


def line(draft: Draft | None) -> Line:
    """A draft as its page shows it: two queries."""
    if draft is None:
        return Line(None)
    takes = list(draft.takes.select_related("reply"))
    jobs = [take.job for take in takes if take.is_forming]
    standings = queue.read(jobs) if jobs else {}
    turns: dict[int, list[Card]] = {}
    for take in takes:
        card = Card(take, standings.get(take.job), take.pk == draft.head_id)
        turns.setdefault(take.turn, []).append(card)
    by_pk = {take.pk: take for take in takes}
    newest_first = [
        Turn(number, cards, by_pk.get(cards[0].take.after_id or 0))
        for number, cards in sorted(turns.items(), reverse=True)
    ]
    return Line(draft, newest_first, path(takes, draft.head_id))


def path(takes: Iterable[Take], end: int | None) -> list[Take]:
    """Takes from the image to the one with the id `end`, oldest first."""
    by_pk = {take.pk: take for take in takes}
    found: list[Take] = []
    while end is not None and (take := by_pk.get(end)) is not None and take not in found:
        found.append(take)
        end = take.after_id
    return found[::-1]
