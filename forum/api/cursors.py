"""Lists in pages: each answer names where the next one begins."""

import base64
from typing import TYPE_CHECKING, Any, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext as _

from forum.api.problems import Trouble

if TYPE_CHECKING:
    from collections.abc import Sequence

Row = TypeVar("Row", bound=Model)
#: The largest id of a table.
LARGEST = 2**63 - 1


def cut(
    rows: "QuerySet[Row]", *, cursor: str, limit: int, newest_first: bool = True
) -> "tuple[Sequence[Row], str | None]":
    """One page by id and the cursor of the next, None at the end. Raises Trouble for a foreign one.

    A cursor names the last row that was shown, so rows that come or go meanwhile shift nothing.
    """
    if cursor:
        last = opened(cursor)
        rows = rows.filter(Q(pk__lt=last) if newest_first else Q(pk__gt=last))
    found = list(rows.order_by("-pk" if newest_first else "pk")[: limit + 1])
    more = len(found) > limit
    page = found[:limit]
    return page, sealed(page[-1].pk) if more else None


def sealed(pk: Any) -> str:
    """A cursor: opaque, so that nobody counts on what is in it."""
    return base64.urlsafe_b64encode(f"after:{pk}".encode()).decode().rstrip("=")


def opened(cursor: str) -> int:
    """The id in a cursor of ours."""
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        word, _colon, pk = base64.urlsafe_b64decode(padded).decode().partition(":")
        if word != "after" or not 0 < (found := int(pk)) <= LARGEST:
            raise ValueError
    except ValueError:
        raise Trouble(422, "invalid", _("This cursor is not one of ours.")) from None
    return found
