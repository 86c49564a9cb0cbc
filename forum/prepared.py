"""Questions whose SQL is written once: Django takes longer to write it than PostgreSQL to answer it.

The rules (who may see what) stay where they are, in the querysets; what they compile to is kept. Only
for questions that a page asks every time: everything else is better off as a plain queryset.
"""

import copy
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Generic, NamedTuple, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.query import ModelIterable
from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=Model)

#: Numbers that stand for values while SQL is written: no row has them, and they fit into a bigint.
_STAND_INS = range(2**62, 2**62 + 100)


class Prepared(Generic[M]):
    """A queryset with values left open, written on first use; `prepared` makes one.

    `ask(*values, **shape)` gives the queryset. `values` are whole numbers (ids), which change from
    one question to the next and may be used in filters only. `shape` is all else on which the SQL
    depends, hashable: the SQL is kept for each.
    """

    def __init__(self, ask: "Callable[..., QuerySet[M]]") -> None:
        self._ask = ask
        self._written: dict[Any, Written | None] = {}

    def __call__(self, *values: int, **shape: Any) -> list[M]:
        """The rows, as the queryset would give them. One query."""
        key = (len(values), *sorted(shape.items()))
        if key not in self._written:
            self._written[key] = self._write(len(values), shape)
        if (written := self._written[key]) is None:
            return []
        kept, sql, params = written
        # Iterating leaves traces on a compiler and needs this thread's connection: take a copy.
        compiler: Any = copy.copy(kept)
        compiler.connection = connection
        filled = tuple(one.kind(values[one.place]) if type(one) is _Open else one for one in params)
        compiler.as_sql = lambda *_, **__: (sql, filled)
        query = SimpleNamespace(get_compiler=lambda using: compiler)
        asked: Any = SimpleNamespace(db=connection.alias, query=query, _known_related_objects={})
        return list(ModelIterable(asked))

    def _write(self, values: int, shape: dict[str, Any]) -> "Written | None":
        """What is kept; None where no values can give rows, as `none()` says."""
        query = self._ask(*_STAND_INS[:values], **shape).query
        compiler = query.get_compiler(connection.alias)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            return None
        return compiler, sql, tuple(_open(one) for one in params)


#: Its compiler, which knows how to read the rows; the SQL; and the parameters, some of them open.
Written = tuple[SQLCompiler, str, tuple[Any, ...]]


class _Open(NamedTuple):
    """A parameter that is filled in at each question: which value, and as what type."""

    place: int
    kind: type[int]


def _open(param: Any) -> Any:
    """The parameter, or what stands open in its place."""
    if isinstance(param, int) and param in _STAND_INS:
        return _Open(_STAND_INS.index(param), type(param))
    return param


def prepared(ask: "Callable[..., QuerySet[M]]") -> Prepared[M]:
    """Decorates a function that gives a queryset."""
    return Prepared(ask)
