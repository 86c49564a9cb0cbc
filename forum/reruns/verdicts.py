"""Judging a rerun: the verdict from the pixels, and what differs from the pages of the recipe."""

from collections.abc import Iterator
from os.path import commonprefix
from typing import Any

from forum.reruns.models import Verdict
from generation.results import RerunResult

#: Same to the eye: hashes at most so many bits of 256 apart, and no channel of any pixel further
#: than so many of 255. Re-encoding a photograph stays below; a changed detail does not.
SAME_BITS, SAME_PIXELS = 10, 32
#: What differs from run to run without making a difference: times, the place in a batch (at one size
#: neither neighbours nor place change a picture), and what only tells of the turns before the last.
#: Engine, libraries, operations and weights are told one by one.
IGNORED = frozenset(
    {
        "milliseconds", "stages", "frames", "unread", "row", "turns",
        "operations", "versions", "engine", "version", "weights", "parts",
    }
)  # fmt: skip
#: Sums of other facts, told only where none of these differs.
SUMS = frozenset({"preset_digest"})
#: Begins the name of a fact about weights.
WEIGHTS = "weights"
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
    found += apart(weights(then), weights(now))
    others = apart(settled(then), settled(now))
    found += [each for each in others if each["what"] not in SUMS]
    return found or others or [{"what": "unknown", "then": "", "now": ""}]


def versions(recipe: dict[str, Any]) -> dict[str, str]:
    """Engine and libraries by name, as they were. An engine may be called as its library is."""
    found = {str(name): str(value) for name, value in recipe.get("versions", {}).items()}
    engine = str(recipe.get("engine", ""))
    name = f"engine {engine}" if engine in found else engine
    return {name: str(recipe.get("version", ""))} | found if engine else found


def weights(recipe: dict[str, Any]) -> dict[str, Any]:
    """Every fact about the weights by name: repository with its commit, scale, digests of files.

    Weights in a folder of the machine have a digest for each file, those of a hub a commit. Recipes
    without parts have at most one line.
    """
    parts = recipe.get("parts")
    if not isinstance(parts, dict):
        return {WEIGHTS: recipe["weights"]} if recipe.get("weights") else {}
    return {name: value for role, part in parts.items() for name, value in of_part(role, part)}


def of_part(role: str, part: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The facts about one part, such as the model, or an adapter. The model's own need no name."""
    name = WEIGHTS if role == "model" else f"{WEIGHTS} {role}"
    commit = f" @ {part['revision'][:12]}" if part.get("revision") else ""
    yield name, f"{part.get('model', '')}{commit}"
    if "scale" in part:
        yield f"{name} scale", part["scale"]
    for path, digest in part.get("files", {}).items():
        yield f"{name} {path}", digest


def settled(recipe: dict[str, Any]) -> dict[str, Any]:
    """Every other fact of a recipe; operations without the time they took."""
    facts = {name: value for name, value in recipe.items() if name not in IGNORED}
    if "operations" in recipe:
        facts["operations"] = [plain(each) for each in recipe["operations"]]
    if turns := recipe.get("turns"):
        # Of a conversation the last turn is made again, from the picture before it.
        facts["prompt"] = turns[-1].get("prompt", "")
    return facts


def plain(operation: Any) -> Any:
    """An operation without the time it took."""
    if not isinstance(operation, dict):
        return operation
    return {name: value for name, value in operation.items() if name != "milliseconds"}


def apart(then: dict[str, Any], now: dict[str, Any]) -> list[Difference]:
    """What has another value now, by name, in the order of the first time.

    Values are told short, and from the place on where two long ones part.
    """
    found = []
    for name in dict.fromkeys([*then, *now]):
        pair = text(then.get(name)), text(now.get(name))
        if pair[0] != pair[1]:
            first, second = shown(*pair)
            found.append({"what": name, "then": first, "now": second})
    return found


def shown(then: str, now: str) -> tuple[str, str]:
    """Two values that differ, each in at most `LONGEST` characters in which the difference is seen."""
    same = len(commonprefix([then, now]))
    skipped = max(0, same - LONGEST // 2) if max(len(then), len(now)) > LONGEST else 0
    lead = "…" if skipped else ""
    first, second = (lead + each[skipped : skipped + LONGEST] for each in (then, now))
    return first, second


def text(value: Any) -> str:
    """A value in characters; numbers that are equal are written equally."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list | tuple):
        return ", ".join(text(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{name} {text(each)}" for name, each in value.items())
    return str(value)
