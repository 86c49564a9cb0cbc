"""Judging a rerun: the verdict from the pixels, and what differs from the pages of the recipe."""

from typing import Any

from forum.reruns.models import Verdict
from generation.results import RerunResult

#: Same to the eye: hashes at most so many bits of 256 apart, and no channel of any pixel further
#: than so many of 255. Re-encoding a photograph stays below; a changed detail does not.
SAME_BITS, SAME_PIXELS = 10, 32
#: What differs from run to run without making a difference.
IGNORED = frozenset(
    {"milliseconds", "stages", "frames", "unread", "operations", "versions", "engine", "version"}
)
LONGEST = 120

Difference = dict[str, str]


def verdict(result: RerunResult) -> Verdict:
    """Identical bit for bit, same to the eye, or different."""
    if result.identical:
        return Verdict.IDENTICAL
    if result.largest is None or result.largest > SAME_PIXELS:
        return Verdict.DIFFERENT
    alike = result.pdq_distance is None or result.pdq_distance <= SAME_BITS
    return Verdict.SAME if alike else Verdict.DIFFERENT


def differences(then: dict[str, Any], result: RerunResult) -> list[Difference]:
    """Everything known that is not as it was the first time; {"what": "unknown"} where nothing is.

    `then` is the recipe that was kept. Nothing for an identical picture.
    """
    if result.identical:
        return []
    now = result.recipe
    found = [] if result.intact else [{"what": "file", "then": "", "now": ""}]
    found += apart(versions(then), versions(now))
    found += apart(settled(then), settled(now))
    return found or [{"what": "unknown", "then": "", "now": ""}]


def versions(recipe: dict[str, Any]) -> dict[str, str]:
    """Engine and libraries by name, as they were."""
    found = {str(name): str(value) for name, value in recipe.get("versions", {}).items()}
    engine = str(recipe.get("engine", ""))
    return {engine: str(recipe.get("version", ""))} | found if engine else found


def settled(recipe: dict[str, Any]) -> dict[str, str]:
    """Every other fact of a recipe as text; operations without the time they took."""
    facts = {name: text(value) for name, value in recipe.items() if name not in IGNORED}
    if "operations" in recipe:
        facts["operations"] = text([plain(each) for each in recipe["operations"]])
    return facts


def plain(operation: Any) -> Any:
    """An operation without the time it took."""
    if not isinstance(operation, dict):
        return operation
    return {name: value for name, value in operation.items() if name != "milliseconds"}


def apart(then: dict[str, str], now: dict[str, str]) -> list[Difference]:
    """What has another value now, by name, in the order of the first time."""
    names = dict.fromkeys([*then, *now])
    return [
        {"what": name, "then": then.get(name, ""), "now": now.get(name, "")}
        for name in names
        if then.get(name, "") != now.get(name, "")
    ]


def text(value: Any) -> str:
    """A value in few characters; numbers that are equal are written equally."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(text(each) for each in value)[:LONGEST]
    if isinstance(value, dict):
        inner = ", ".join(f"{name} {text(each)}" for name, each in value.items())
        return inner[:LONGEST]
    return str(value)[:LONGEST]
