"""Lays a lineage out: a drawing in rows for the eye, an indented list for everybody.

Rows by longest distance from the oldest image; within a row by the mean place of the sources
(Sugiyama's barycentre, one sweep down), which keeps families together.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from forum.images.lineage import Edge, Lineage, Node

#: Sides of a picture in the drawing, and the distances between two, in units of the drawing.
WIDTH, HEIGHT, GAP, FALL, MARGIN = 96, 64, 28, 56, 12
#: Indentation beyond which the list goes no deeper to the eye.
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Box:
    """Where a node is drawn: its upper left corner."""

    node: Node
    x: int
    y: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def middle(self) -> int:
        """Where edges leave and arrive."""
        return self.x + self.width // 2


@dataclass(frozen=True, slots=True)
class Line:
    """An edge as an SVG path; `further` for sources beside the one that was answered."""

    path: str
    further: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything the SVG needs, in units of its view box."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the indented list; `again` where the image already stands further up."""

    node: Node
    level: int
    again: bool = False


def draw(lineage: Lineage) -> Drawing:
    """The drawing of a lineage. Time grows with nodes plus edges."""
    rows = _ordered_rows(lineage)
    widest = max(len(row) for row in rows)
    full = widest * (WIDTH + GAP) - GAP
    boxes = {
        node.key: _box(node, place, len(row), full)
        for row in rows
        for place, node in enumerate(row)
    }
    lines = tuple(
        Line(_curve(boxes[edge.source], boxes[edge.child]), edge.position > 0)
        for edge in lineage.edges
    )
    height = len(rows) * (HEIGHT + FALL) - FALL
    return Drawing(full + 2 * MARGIN, height + 2 * MARGIN, tuple(boxes.values()), lines)


def _ordered_rows(lineage: Lineage) -> list[list[Node]]:
    by_row: dict[int, list[Node]] = defaultdict(list)
    for node in lineage.nodes:
        by_row[node.row].append(node)
    sources: dict[str, list[str]] = defaultdict(list)
    for edge in lineage.edges:
        sources[edge.child].append(edge.source)
    place: dict[str, float] = {}
    rows = []
    for _number, row in sorted(by_row.items()):
        row = sorted(row, key=lambda node: _mean([place[key] for key in sources[node.key]]))
        place.update({node.key: (at + 0.5) / len(row) for at, node in enumerate(row)})
        rows.append(row)
    return rows


def _mean(places: list[float]) -> float:
    return sum(places) / len(places) if places else 0.5


def _box(node: Node, place: int, count: int, full: int) -> Box:
    inset = (full - (count * (WIDTH + GAP) - GAP)) // 2
    return Box(node, MARGIN + inset + place * (WIDTH + GAP), MARGIN + node.row * (HEIGHT + FALL))


def _curve(source: Box, child: Box) -> str:
    start, end = source.y + source.height, child.y
    bend = (start + end) // 2
    return f"M{source.middle} {start}C{source.middle} {bend} {child.middle} {bend} {child.middle} {end}"


def indented(lineage: Lineage) -> list[Entry]:
    """The same as a list: each image under the one it answers. A further source is named again."""
    children: dict[str, list[Edge]] = defaultdict(list)
    answers = set()
    for edge in lineage.edges:
        children[edge.source].append(edge)
        answers.add(edge.child)
    nodes = {node.key: node for node in lineage.nodes}
    roots = [node.key for node in lineage.nodes if node.key not in answers]
    return list(_walk(roots, children, nodes))


def _walk(
    roots: list[str], children: dict[str, list[Edge]], nodes: dict[str, Node]
) -> Iterator[Entry]:
    """Depth first, without recursion: a lineage may be deeper than Python's stack."""
    seen: set[str] = set()
    ahead = [(key, 0) for key in reversed(roots)]
    while ahead:
        key, level = ahead.pop()
        again = key in seen
        yield Entry(nodes[key], min(level, DEEPEST), again)
        if not again:
            seen.add(key)
            ahead += [(edge.child, level + 1) for edge in reversed(children[key])]
