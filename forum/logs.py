"""What may stand in a log: where something happened, never what somebody typed. No Django."""

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from structlog.typing import EventDict

#: What PostgreSQL adds to an error: the row that was refused, with everything in it.
DETAIL = re.compile(r"(DETAIL|CONTEXT|LINE \d+):.*?(?=\n\S|\Z)", re.DOTALL)
#: Logged words that may hold an exception's own text.
TEXTS = ("exception", "event")


def without_rows(_logger: Any, _name: str, event: "EventDict") -> "EventDict":
    """Leave rows of the database out of what is logged; a processor of structlog's."""
    for key in TEXTS:
        if isinstance(said := event.get(key), str) and ":" in said:
            event[key] = DETAIL.sub(r"\1: left out", said)
    return event
