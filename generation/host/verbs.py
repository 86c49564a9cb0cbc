"""What a device host can be told to do, by the name an order gives it."""

from collections.abc import Callable
from typing import Any

from generation.host import together
from generation.host.making import Workshop
from generation.host.strips import Say

#: `cancelled()` is about the order itself; a batch asks `cancelled(id)` of each of its jobs.
Verb = Callable[[Workshop, dict[str, Any], Say, Callable[..., bool]], dict[str, Any]]
#: What a host can be told to do, by "do" of the order; `ordering.KINDS` names these.
VERBS: dict[str, Verb] = {
    "warm": Workshop.warm,
    "batch": together.batch,
    "edit": Workshop.edit,
    "embed": Workshop.embed,
    "film": Workshop.film,
    "looks": Workshop.looks,
}


def carry_out(
    workshop: Workshop, order: dict[str, Any], say: Say, cancelled: Callable[..., bool]
) -> dict[str, Any]:
    """One order, its answer as plain data. Raises `EngineError`, `OSError`, `MemoryError`."""
    return VERBS[order["do"]](workshop, order, say, cancelled)
