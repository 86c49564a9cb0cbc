"""The graph of all that an image comes from and all that comes from it, as one viewer may see it."""

from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import LiteralString

from django.db import connection

from forum.images.models import Descent, Image, ImageState
from forum.members.models import Member

#: Images a page or an API answer shows at most.
LIMIT = 400
#: Frames of the film strip at most.
STRIP = 40

# UNION rather than UNION ALL with CYCLE: equal rows are dropped as they appear. That ends cycles as
# well, and a lineage with several sources, where the number of paths doubles at each step, stays as
# cheap as its number of images.
_BOTH_WAYS: LiteralString = """
WITH RECURSIVE
up(id) AS (
    SELECT %(start)s::bigint
    UNION SELECT d.source_id FROM up JOIN forum_descent d ON d.child_id = up.id),
down(id) AS (
    SELECT %(start)s::bigint
    UNION SELECT d.child_id FROM down JOIN forum_descent d ON d.source_id = down.id)
SELECT id FROM (SELECT id FROM up LIMIT %(limit)s) a
UNION SELECT id FROM (SELECT id FROM down LIMIT %(limit)s) b"""

# Only the line of first sources, which cannot branch; CYCLE ends it even on damaged data.
_LINE: LiteralString = """
WITH RECURSIVE line(id, depth) AS (
    SELECT source_id, 1 FROM forum_descent WHERE child_id = %(start)s AND position = 0
    UNION ALL
    SELECT d.source_id, line.depth + 1 FROM line
    JOIN forum_descent d ON d.child_id = line.id AND d.position = 0
    WHERE line.depth < %(limit)s
) CYCLE id SET again USING path
SELECT id FROM line WHERE NOT again ORDER BY depth DESC"""


@dataclass(frozen=True, slots=True)
class Node:
    """An image in a lineage, or the grey place of one that this viewer may not see."""

    #: Name within this lineage: "i7" for an image one may see, "g1" for a grey place.
    key: str
    #: Empty for a grey place, of which nothing else is told.
    image: Image | None
    #: Steps from the oldest image shown; sources have smaller numbers than what came of them.
    row: int
    #: "withdrawn", "hidden" or "unseen" for a grey place, else "".
    grey: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """`child` was made from `source`; position 0 is the image that was answered."""

    source: str
    child: str
    position: int


@dataclass(frozen=True, slots=True)
class Lineage:
    """Nodes from the oldest to the newest, and edges between them."""

    here: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    #: Whether there is more than was fetched.
    cut: bool = False


def lineage(image: Image, viewer: Member | None, limit: int = LIMIT) -> Lineage:
    """All that `image` comes from and all that comes from it; at most `limit` each way. Five queries.

    What the viewer may not see keeps its place without data. Raises nothing for damaged data: edges
    that would close a circle are left out.
    """
    ids = _ids(_BOTH_WAYS, image.pk, limit)
    cut = len(ids) >= limit
    pairs = list(
        Descent.objects.filter(child__in=ids, source__in=ids).order_by("child", "position")
    )
    rows = rows_of(ids, [(each.source_id, each.child_id) for each in pairs])
    ids.sort(key=lambda pk: (rows[pk], pk))
    nodes = _nodes(ids, viewer, rows)
    key = {pk: node.key for pk, node in zip(ids, nodes, strict=True)}
    edges = tuple(
        Edge(key[each.source_id], key[each.child_id], each.position)
        for each in pairs
        if rows[each.source_id] < rows[each.child_id]
    )
    return Lineage(key[image.pk], nodes, edges, cut)


def ancestors(image: Image, viewer: Member | None, limit: int = STRIP) -> list[Node]:
    """The line of first sources, oldest first, without `image` itself: the film strip. Four queries."""
    ids = _ids(_LINE, image.pk, limit)
    return list(_nodes(ids, viewer, {pk: row for row, pk in enumerate(ids)})) if ids else []


def _ids(sql: LiteralString, start: int, limit: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"start": start, "limit": limit})
        return [row[0] for row in cursor.fetchall()]


def _nodes(ids: Sequence[int], viewer: Member | None, rows: dict[int, int]) -> tuple[Node, ...]:
    """A node for each id in order, with data only where the viewer may see the image."""
    seen = Image.objects.visible_to(viewer).with_files().in_bulk(ids)
    missing = [pk for pk in ids if pk not in seen]
    places = Image.objects.in_visible_boards(viewer).filter(pk__in=missing) if missing else ()
    reasons = {each.pk: each.state for each in places}
    return tuple(
        Node(f"i{pk}", seen[pk], rows[pk])
        if pk in seen
        else Node(f"g{number}", None, rows[pk], _reason(reasons.get(pk)))
        for number, pk in enumerate(ids)
    )


def _reason(state: str | None) -> str:
    """Why a place is grey; of a board one may not see, not even the state is told."""
    return state if state in {ImageState.WITHDRAWN, ImageState.HIDDEN} else "unseen"


def rows_of(ids: Iterable[int], pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Longest distance of each id from one without sources, by (source, child) pairs.

    Kahn's order of topological sorting. Ids inside a circle get the row after all others.
    """
    children: dict[int, list[int]] = defaultdict(list)
    open_sources = dict.fromkeys(ids, 0)
    for source, child in pairs:
        children[source].append(child)
        open_sources[child] += 1
    rows: dict[int, int] = {}
    ready = deque((pk, 0) for pk, count in open_sources.items() if not count)
    while ready:
        pk, row = ready.popleft()
        rows[pk] = row
        for child in children[pk]:
            open_sources[child] -= 1
            if not open_sources[child]:
                ready.append((child, row + 1))
    after = max(rows.values(), default=0) + 1
    return {pk: rows.get(pk, after) for pk in open_sources}
