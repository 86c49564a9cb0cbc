"""Graphs of states: declared once, checked early, moved through by compare-and-set."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model

Move = tuple[str, str]


@dataclass(frozen=True)
class Graph:
    """States a thing may be in and the moves between them. Refused when it makes no sense."""

    start: str
    moves: frozenset[Move]
    ends: frozenset[str]

    def __post_init__(self) -> None:
        if lost := self.states - self.reachable():
            raise ValueError(f"Nothing leads to: {', '.join(sorted(lost))}.")
        if stuck := {state for state in self.states - self.ends if not self.after(state)}:
            raise ValueError(f"Nothing leads out of: {', '.join(sorted(stuck))}.")

    @property
    def states(self) -> set[str]:
        """Every state named by a move."""
        return {state for move in self.moves for state in move} | {self.start}

    def after(self, state: str) -> set[str]:
        """Where a thing may go from `state`."""
        return {end for begin, end in self.moves if begin == state}

    def before(self, state: str) -> set[str]:
        """Where a thing may come from to reach `state`."""
        return {begin for begin, end in self.moves if end == state}

    def reachable(self) -> set[str]:
        """All that can be reached from the start."""
        seen: set[str] = set()
        ahead = {self.start}
        while ahead:
            seen |= ahead
            ahead = {end for state in ahead for end in self.after(state)} - seen
        return seen

    def mermaid(self) -> str:
        """The chart for the documentation, one move a line, in a stable order."""
        lines = [f"    [*] --> {self.start}"]
        lines += [f"    {begin} --> {end}" for begin, end in sorted(self.moves)]
        lines += [f"    {end} --> [*]" for end in sorted(self.ends)]
        return "\n".join(["stateDiagram-v2", *lines])


def graph(start: str, moves: Iterable[Move], ends: Iterable[str]) -> Graph:
    """A `Graph` from plain tuples."""
    return Graph(start, frozenset(moves), frozenset(ends))


def move(row: Model, state: str, **more: object) -> bool:
    """Compare-and-set along the `MOVES` of a row's model, with `more` columns written beside.

    False where it stands where no move leads there from; then nothing is written. The row in hand
    learns its new state alone.
    """
    kind: Any = type(row)
    ready = kind.objects.filter(pk=row.pk, state__in=kind.MOVES.before(state))
    if not ready.update(state=state, **more):
        return False
    row.state = state  # type: ignore[attr-defined]
    return True
