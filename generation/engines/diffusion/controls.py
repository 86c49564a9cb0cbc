"""Maps that a result must follow, as presets name them: read and checked here, drawn in `maps`.

Light: standard library only.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

#: Kinds of maps, and the parts that each is estimated by; edges need none.
ESTIMATED_BY: dict[str, tuple[str, ...]] = {
    "canny": (),
    "depth": ("depth",),
    "pose": ("people", "pose"),
}
#: Roles of parts that are estimators, and a class of transformers for each.
ESTIMATORS = {
    "depth": "transformers:DepthAnythingForDepthEstimation",
    "people": "transformers:RTDetrForObjectDetection",
    "pose": "transformers:VitPoseForPoseEstimation",
}
#: Always found, whatever a picture shows.
CERTAIN = "canny"
KEYS = ("kind", "mode", "scale", "otherwise")
PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
Words = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Control:
    """A map drawn from the source that the result must follow."""

    kind: str
    #: Number of this kind of map in the ControlNet's own list.
    mode: int
    scale: float = 0.8
    #: What is followed where a picture shows nothing of this kind; None leaves it out.
    otherwise: "Control | None" = None


def controls(words: Words | list[Words] | None) -> tuple[Control, ...]:
    """The maps of a preset, from one table or from a list of them that `problems` found good."""
    tables = [words] if isinstance(words, dict) else words or []
    return tuple(control(table) for table in tables)


def control(words: Words) -> Control:
    """One map from its table."""
    instead = words.get("otherwise")
    return Control(**{**words, "otherwise": None if instead is None else control(instead)})


# --- what must hold ---------------------------------------------------------------------------


def problems(words: object, parts: object) -> Iterator[str]:
    """One sentence for each thing in `control` that does not hold; `parts` are the preset's."""
    if words is None:
        return
    tables: list[Any] = words if isinstance(words, list) else [words]
    if not tables or not all(isinstance(table, dict) for table in tables):
        yield "control must be a table, or a list of tables, one for each map."
        return
    wrong = [each for table in tables for each in table_problems(table)]
    yield from wrong
    if not wrong:
        yield from list_problems(tables, parts if isinstance(parts, dict) else {})


def table_problems(table: Words, name: str = "control") -> Iterator[str]:
    """Of one map: known keys, a known kind, a mode; the same of what stands in for it."""
    if set(table) - set(KEYS):
        yield f"{name} must be a table of: {', '.join(KEYS)}."
    if not {"kind", "mode"} <= set(table):
        yield f"{name} needs kind and mode."
        return
    if table["kind"] not in ESTIMATED_BY:
        yield f"{name}.kind must be one of {', '.join(ESTIMATED_BY)}."
    if type(table["mode"]) is not int or table["mode"] < 0:
        yield f"{name}.mode must be a number of the ControlNet's list, from 0."
    scale = table.get("scale", 0.8)
    if type(scale) not in (int, float) or not 0 <= scale <= 2:
        yield f"{name}.scale must be a number from 0 to 2."
    yield from otherwise_problems(table.get("otherwise"), f"{name}.otherwise")


def otherwise_problems(table: object, name: str) -> Iterator[str]:
    """Of what stands in for a map: it must be of the kind that is always found."""
    if table is None:
        return
    if not isinstance(table, dict) or table.get("kind") != CERTAIN or "otherwise" in table:
        yield f"{name} must be a table of kind {CERTAIN}, which is always found."
    else:
        yield from table_problems(table, name)


def list_problems(tables: list[Words], parts: Words) -> Iterator[str]:
    """Of all maps together: estimators for them, one of each mode, and something always found."""
    roles = dict.fromkeys(role for table in tables for role in ESTIMATED_BY[table["kind"]])
    for role in roles:
        if not PATH.fullmatch(str((parts.get(role) or {}).get("class", ""))):
            yield f"control needs parts.{role} with a class such as {ESTIMATORS[role]}."
    modes = [table["mode"] for table in tables]
    if len(set(modes)) < len(modes):
        yield "control has two maps of one mode."
    if not any(table["kind"] == CERTAIN or table.get("otherwise") for table in tables):
        yield (
            f"control needs something that is always found: a map of kind {CERTAIN}, or"
            f' otherwise = {{ kind = "{CERTAIN}", mode = … }}.'
        )
