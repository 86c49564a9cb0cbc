"""What the pages show of a film: its row, and where its job stands."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.functional import Promise

from forum.films.models import Film
from forum.threads import sentences
from generation import queue
from generation.queue import Standing


@dataclass(frozen=True, slots=True)
class Card:
    """One film as everybody who may look at all its images sees it."""

    film: Film
    standing: Standing | None = None

    @property
    def is_forming(self) -> bool:
        """Still being made."""
        return self.film.is_forming

    @property
    def is_running(self) -> bool:
        """Whether a machine is at it, or has just ended."""
        return self.standing is not None and self.standing.state in ("running", "done")

    @property
    def sentence(self) -> Promise:
        """Why it did not come out, and what to do."""
        return sentences.sentence(self.film.reason)

    @property
    def megabytes(self) -> float:
        """Size of the file."""
        return self.film.bytes / 1024**2


def cards_for(rows: Iterable[Film]) -> list[Card]:
    """A card for each film, in order; one query for the jobs of those that are being made."""
    films = list(rows)
    forming = [each.job for each in films if each.is_forming and each.job is not None]
    standings = queue.read(forming) if forming else {}
    return [Card(each, standings.get(each.job or 0)) for each in films]
