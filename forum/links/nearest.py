"""Vector search: two statements, one exact and one through the HNSW index, and the choice between them.

Visibility stands in the same SQL as distance. There is no tie-breaker beside the indexed distance:
PostgreSQL would silently leave the index for it.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import QuerySet
from pgvector import HalfVector

from forum.boards.models import Board

#: Fewer visible rows than this are scanned whole: a graph walk would mostly meet what may not be
#: shown, and answers short.
FEW_VISIBLE = 20_000
#: The walk goes on until it has found enough rows that pass the filter.
WALK = {
    "hnsw.iterative_scan": "relaxed_order",
    "hnsw.ef_search": "100",
    # A plan made once for all questions does not know how many rows are wanted.
    "plan_cache_mode": "force_custom_plan",
}
#: So many images are looked at for each one wanted, because the nearest often share a thread.
LOOKED_AT = 10
#: Seconds for which the choice between the two statements holds, and choices kept: one for each viewer
#: who belongs to closed boards, one for all visitors.
REMEMBERED, MOST_CHOICES = 60.0, 10_000
_choices: dict[tuple[str, str, tuple[Any, ...]], tuple[float, bool]] = {}
#: HNSW indexes of earlier versions can be corrupted by vacuum.
LEAST_PGVECTOR = (0, 8, 4)

#: `+ 0` keeps the index out of the exact statement, whose boards may then be joined, in parallel; a
#: join beside the walk would lose its order, hence an array there. The outer part sorts what was
#: found anew, because a relaxed walk yields it nearly in order.
_STATEMENT = """
WITH found AS MATERIALIZED (
    SELECT image_id, thread_id, (vector <=> %s::halfvec({dimensions})){plain} AS distance
    FROM {table}
    WHERE NOT hidden AND thread_id <> ALL(%s::bigint[]) AND board_id {among}
    ORDER BY distance LIMIT %s
)
SELECT image_id, thread_id, 1 - distance, (SELECT count(*) FROM found) FROM (
    SELECT DISTINCT ON (thread_id) * FROM found ORDER BY thread_id, distance + 0
) one_per_thread
ORDER BY distance + 0, image_id LIMIT %s
"""

_VISIBLE = """
SELECT CASE WHEN EXISTS (
    SELECT FROM pg_index WHERE indexrelid = to_regclass(%s) AND indisvalid
) THEN (
    SELECT count(*) FROM (
        SELECT FROM {table} WHERE NOT hidden AND board_id = ANY(ARRAY({boards})) LIMIT %s
    ) seen
) ELSE 0 END
"""

BUILD = """
CREATE INDEX CONCURRENTLY {index} ON {table}
USING hnsw (vector halfvec_cosine_ops) WITH (m = 16, ef_construction = 128)
"""


@dataclass(frozen=True, slots=True)
class Near:
    """An image that is near, the best one of its thread."""

    image: int
    thread: int
    cosine: float


@dataclass(frozen=True, slots=True)
class VectorTable:
    """Where the vectors of one model lie. Vectors of two models never share a table or an index."""

    name: str
    dimensions: int

    @property
    def index(self) -> str:
        """Name of its HNSW index."""
        return f"{self.name}_hnsw"


def nearest(
    table: VectorTable,
    *,
    to: Collection[float],
    boards: QuerySet[Board],
    limit: int,
    apart_from: Collection[int] = (),
) -> list[Near]:
    """The nearest images in these boards, best first, one per thread, none of a hidden image.

    `to` is a vector of the model, `apart_from` are threads to leave out. Raises ValueError for a
    vector of another length.
    """
    question = Question(table, to, boards, limit, apart_from)
    if not walks(table, boards):
        return asked(question, walk=False)
    with transaction.atomic(), connection.cursor() as cursor:
        settings = ", ".join("set_config(%s, %s, true)" for _ in WALK)
        cursor.execute(f"SELECT {settings}", [word for pair in WALK.items() for word in pair])
        return asked(question, walk=True)


def walks(table: VectorTable, boards: QuerySet[Board]) -> bool:
    """Whether the index serves these boards: it exists and enough rows are visible.

    Counting takes a fifth of a walk, and forums grow slowly: the answer is kept for a minute. A wrong
    one costs time, never privacy, for visibility stands in the statement itself.
    """
    try:
        visible, values = _ids_of(boards)
    except EmptyResultSet:
        return False
    choice, now = (table.name, visible, values), time.monotonic()
    chosen_at, walk = _choices.get(choice, (float("-inf"), False))
    if now - chosen_at < REMEMBERED:
        return walk
    walk = _enough(table, visible, values)
    if len(_choices) >= MOST_CHOICES:
        forget_choices()
    _choices[choice] = (now, walk)
    return walk


def _enough(table: VectorTable, visible: str, values: tuple[Any, ...]) -> bool:
    with connection.cursor() as cursor:
        sql = _VISIBLE.format(table=table.name, boards=visible)
        cursor.execute(sql, [table.index, *values, FEW_VISIBLE])
        return bool(cursor.fetchone()[0] == FEW_VISIBLE)


def forget_choices() -> None:
    """Choose anew: an index has come, or another database."""
    _choices.clear()


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for. Raises ValueError for a vector that is not of the table's model."""

    table: VectorTable
    to: Collection[float]
    boards: QuerySet[Board]
    limit: int
    apart_from: Collection[int] = ()

    def __post_init__(self) -> None:
        wanted = self.table.dimensions
        if len(self.to) != wanted:
            raise ValueError(
                f"{self.table.name} holds {wanted} numbers a vector, not {len(self.to)}."
            )

    def statement(self, wide: int, *, walk: bool) -> tuple[str, list[Any]]:
        """SQL and values that look at the `wide` nearest images. EmptyResultSet where no board is."""
        visible, values = _ids_of(self.boards)
        sql = _STATEMENT.format(
            table=self.table.name,
            dimensions=self.table.dimensions,
            among=f"= ANY(ARRAY({visible}))" if walk else f"IN ({visible})",
            plain="" if walk else " + 0",
        )
        vector = HalfVector(list(self.to)).to_text()
        return sql, [vector, list(self.apart_from), *values, wide, self.limit]


def asked(question: Question, *, walk: bool) -> list[Near]:
    """The answer. Where few large threads take all the places, it looks further."""
    wide = LOOKED_AT * question.limit
    while True:
        try:
            sql, values = question.statement(wide, walk=walk)
        except EmptyResultSet:
            return []
        with connection.cursor() as cursor:
            cursor.execute(sql, values)
            rows = cursor.fetchall()
        if len(rows) >= question.limit or not rows or rows[0][3] < wide:
            return [Near(*row[:3]) for row in rows]
        wide *= 4


def _ids_of(boards: QuerySet[Board]) -> tuple[str, tuple[Any, ...]]:
    return boards.order_by().values("pk").query.sql_with_params()


def pgvector_version() -> tuple[int, ...]:
    """Of the extension in this database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
        return tuple(int(part) for part in cursor.fetchone()[0].split("."))


def make_index(table: VectorTable) -> bool:
    """Build the HNSW index unless a valid one is there; True when it was built.

    Takes about a minute for 100,000 images and does not stop writes, hence not inside a transaction.
    Raises RuntimeError for a pgvector that would corrupt it.
    """
    if pgvector_version() < LEAST_PGVECTOR:
        least = ".".join(str(part) for part in LEAST_PGVECTOR)
        raise RuntimeError(f"pgvector {least} or newer is needed for a vector index.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)", [table.index]
        )
        found = cursor.fetchone()
        if found and found[0]:
            return False
        cursor.execute(f"DROP INDEX IF EXISTS {table.index}")
        # With less memory than the graph needs, building takes three times as long; and it takes
        # longer than any statement of a page may.
        cursor.execute("SET maintenance_work_mem = '512MB'")
        cursor.execute("SET statement_timeout = 0")
        try:
            cursor.execute(BUILD.format(index=table.index, table=table.name))
        finally:
            cursor.execute("RESET maintenance_work_mem")
            cursor.execute("RESET statement_timeout")
    forget_choices()
    return True
