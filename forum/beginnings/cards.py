"""What is shown of a beginning: its row joined with where its job stands."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise

from forum.beginnings.models import Beginning
from forum.threads import sentences
from generation import queue
from generation.queue import Standing


@dataclass(frozen=True, slots=True)
class Card:
    """One beginning."""

    beginning: Beginning
    standing: Standing | None = None

    @property
    def is_running(self) -> bool:
        """Whether a machine is at it, or has just ended."""
        return self.standing is not None and self.standing.state in ("running", "done")

    @property
    def frame_step(self) -> int:
        """Step of the newest frame; 0 while there is none."""
        return self.standing.frame_step if self.standing and self.standing.has_frame else 0

    @property
    def before(self) -> int:
        """How many jobs will be taken before it."""
        return self.standing.before if self.standing else 0

    @property
    def seconds(self) -> float:
        """Expected seconds until it is done."""
        return self.standing.seconds if self.standing else 0.0

    @property
    def is_paused(self) -> bool:
        """Whether an operator lets its engine rest."""
        return self.standing is not None and self.standing.paused

    @property
    def is_impossible(self) -> bool:
        """Whether no machine at work has its engine."""
        return self.standing is not None and not self.standing.workers

    @property
    def sentence(self) -> Promise:
        """Why it did not come out, and what to do."""
        return sentences.sentence(self.beginning.reason)


def cards_for(beginnings: Iterable[Beginning]) -> list[Card]:
    """Cards in the same order, with one question to the studio."""
    rows = list(beginnings)
    standings = queue.read(row.job for row in rows if row.is_forming)
    return [Card(row, standings.get(row.job)) for row in rows]
