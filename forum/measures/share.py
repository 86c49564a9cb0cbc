"""The program's share in an answer, from vectors alone.

Distances are 1 - cosine of wf1 vectors. With s the source, a the answer and n_1 … n_m the null
answers: the way is d(s, a); the program alone goes mean d(s, n_i) of it; how improbable the answer is
for the program is the z-score of mean d(a, n_i) among the values that each n_i has towards the other
null answers (leave one out). The construction is our own: mission B10.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import sqrt
from statistics import fmean, pstdev

Vector = Sequence[float]
#: Distances below this are noise of the descriptor: a way this short has no share.
LEAST = 0.005
#: Spread below which null answers count as one and the same picture.
LEAST_SPREAD = 0.002
#: z-scores beyond this are told as this.
MOST_SCORE = 99.0


@dataclass(frozen=True, slots=True)
class Share:
    """How far the apparatus would have gone without its player."""

    #: Distance from source to answer, and the mean one from source to null answers.
    way: float
    alone: float
    #: Mean distance from the answer to the null answers, and its z-score among theirs.
    apart: float
    score: float
    #: How many null answers were compared.
    among: int

    @property
    def share(self) -> float | None:
        """`alone` as a part of `way`, at most 1; None where the answer hardly left the source."""
        return None if self.way < LEAST else min(1.0, self.alone / self.way)

    @property
    def percent(self) -> int | None:
        """The share in whole per cent."""
        return None if self.share is None else round(100 * self.share)

    @property
    def verdict(self) -> str:
        """A stable word: "improbable", "own" or "usual", by the z-score; 2 and 1 are conventions."""
        if self.score >= 2:
            return "improbable"
        return "own" if self.score >= 1 else "usual"


def share(source: Vector, answer: Vector, nulls: Sequence[Vector]) -> Share:
    """The program's share. Raises ValueError with fewer than three null answers."""
    if len(nulls) < 3:
        raise ValueError("A spread needs at least three null answers.")
    apart = fmean(distance(answer, each) for each in nulls)
    usual = among_themselves(nulls)
    spread = max(pstdev(usual), LEAST_SPREAD)
    score = (apart - fmean(usual)) / spread
    return Share(
        way=distance(source, answer),
        alone=fmean(distance(source, each) for each in nulls),
        apart=apart,
        score=max(-MOST_SCORE, min(MOST_SCORE, score)),
        among=len(nulls),
    )


def among_themselves(vectors: Sequence[Vector]) -> list[float]:
    """Mean distance of each vector to all others."""
    sums = [0.0] * len(vectors)
    for (i, a), (j, b) in combinations(enumerate(vectors), 2):
        far = distance(a, b)
        sums[i] += far
        sums[j] += far
    return [total / (len(vectors) - 1) for total in sums]


def distance(a: Vector, b: Vector) -> float:
    """1 - cosine, from 0 (the same direction) to 2. Raises ValueError for vectors of two models."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    length = sqrt(sum(x * x for x in a) * sum(y * y for y in b))
    return 1.0 - dot / length if length else 1.0
