"""Bundle or web: whether the answers of a thread lead to one person, or to and fro among all.

Who answered whom is a simple undirected graph of the n people who spoke; answering oneself is none of it.
Freeman's degree centralization is C = sum(max d - d_i) / ((n - 1)(n - 2)): 1 for a star, in which everybody
answers one person, 0 where all are answered by equally many (L. C. Freeman, "Centrality in social
networks: conceptual clarification", Social Networks 1, 1978/79). The gauge shows 1 - C. In few people
every graph is nearly a star, so that nothing is said under `LEAST` of them. Mission B2.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Final

#: Fewer people than these make no shape.
LEAST: Final = 9
#: From here on towards the web it is called one; as far below, a bundle. Conventions of ours.
WEB, BUNDLE = 2 / 3, 1 / 3
#: People that a drawing has room for.
DRAWN: Final = 60

Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """How the answers of some people run."""

    #: Who spoke, answered or not.
    people: frozenset[int]
    #: Answers by (who answered, who was answered).
    answers: Mapping[Pair, int]

    @property
    def lines(self) -> set[Pair]:
        """Who spoke with whom, the lower number first."""
        return {(min(pair), max(pair)) for pair in self.answers if pair[0] != pair[1]}

    @property
    def is_enough(self) -> bool:
        """Whether there are people enough to say anything."""
        return len(self.people) >= LEAST and bool(self.lines)

    @property
    def centralization(self) -> float:
        """Freeman's, from 0 to 1. Raises ValueError under three people."""
        n = len(self.people)
        if n < 3:
            raise ValueError("Three people at least make a shape.")
        degrees = Counter(each for line in self.lines for each in line)
        highest = max(degrees.values(), default=0)
        return sum(highest - degrees[each] for each in self.people) / ((n - 1) * (n - 2))

    @property
    def percent(self) -> int:
        """How far from bundle to web, 0 to 100."""
        return round(100 * (1 - self.centralization))

    @property
    def verdict(self) -> str:
        """A stable word: "web", "between" or "bundle"."""
        web = 1 - self.centralization
        return "web" if web >= WEB else "between" if web > BUNDLE else "bundle"

    @property
    def to_three(self) -> int:
        """Per cent of the answers that went to the three who were answered most."""
        received: Counter[int] = Counter()
        for (who, whom), many in self.answers.items():
            received[whom] += many if who != whom else 0
        total = received.total()
        return round(100 * sum(many for _, many in received.most_common(3)) / total) if total else 0


def shape(people: Iterable[int], answers: Iterable[tuple[int, int, int]]) -> Shape:
    """From who spoke, and (who answered, who was answered, how often)."""
    told = {(who, whom): many for who, whom, many in answers}
    spoke = {*people, *(each for pair in told for each in pair)}
    return Shape(frozenset(spoke), told)


@dataclass(frozen=True, slots=True)
class Drawing:
    """People around a circle, most answered first, and lines between them; in a square of 100."""

    dots: tuple[tuple[float, float], ...]
    lines: tuple[tuple[float, float, float, float], ...]


def draw(found: Shape) -> Drawing | None:
    """The shape as a drawing without names; None for more people than it has room for."""
    if len(found.people) > DRAWN:
        return None
    degrees = Counter(each for line in found.lines for each in line)
    order = sorted(found.people, key=lambda each: (-degrees[each], each))
    turn = 2 * pi / len(order) if order else 0.0
    place = {
        each: (round(50 + 44 * sin(turn * step), 2), round(50 - 44 * cos(turn * step), 2))
        for step, each in enumerate(order)
    }
    lines = tuple((*place[a], *place[b]) for a, b in sorted(found.lines))
    return Drawing(tuple(place[each] for each in order), lines)
