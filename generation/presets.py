"""Preset files: the shipped one, then the operator's laid over it, and where their weights lie.

Light: standard library only, and no Django, for the device host reads this too. A third layer, the
operator's switches in the database, is `generation.jobs.switches`.
"""

import os
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from generation import engines
from generation.engines.base import Preset
from generation.engines.diffusion.settings import Settings, problems
from generation.engines.sources import REVISION, data_folder

SHIPPED = Path(__file__).with_name("presets.toml")
ROOT = Path(__file__).resolve().parent.parent
#: A job keeps the name of its preset in as many characters.
LONGEST_NAME = 40
NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
#: What is a field of `Preset`; all else in a preset's table becomes a setting.
FIELDS = tuple(each.name for each in fields(Preset) if each.name not in ("name", "settings"))
REQUIRED = ("engine", "titles", "licence", "commercial", "max_side", "source_type")

Words = dict[str, Any]


class PresetsBroken(ValueError):
    """The preset files do not hold together; `troubles` says where, one sentence each."""

    def __init__(self, troubles: list[str]) -> None:
        super().__init__(" ".join(troubles))
        self.troubles = troubles


def operators_file() -> Path:
    """FORUM_PRESETS, or presets.toml in FORUM_DATA_DIR, which need not be there."""
    return Path(os.environ.get("FORUM_PRESETS") or data_folder() / "presets.toml").absolute()


def presets() -> dict[str, Preset]:
    """Every preset by name. Files that changed are read anew. Raises `PresetsBroken`."""
    own = operators_file()
    return _presets(own, _stamp(SHIPPED), _stamp(own), bool(os.environ.get("FORUM_PRESETS")))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        facts = path.stat()
    except OSError:
        return None
    return facts.st_mtime_ns, facts.st_size


@lru_cache(maxsize=8)
def _presets(own: Path, _shipped: object, stamp: object, named: bool) -> dict[str, Preset]:
    if stamp is None and named:
        raise PresetsBroken([f"FORUM_PRESETS names {own}, which is not there."])
    words = parsed(SHIPPED)
    if stamp is not None:
        words = merged(words, parsed(own))
    words = completed(words)
    troubles = [f"{own if stamp else SHIPPED}: {each}" for each in check(words)]
    if troubles:
        raise PresetsBroken(troubles)
    return {name: preset_from(name, entry) for name, entry in words.items()}


def completed(words: Words) -> Words:
    """Presets that are `like` another one, with all that they do not say themselves.

    A task whose pipeline is "" is left out. What does not hold stays as it is, for `check` to name.
    """
    found = {}
    for name, entry in words.items():
        whole: Any = entry
        for other in likenesses(name, words)[1:]:
            whole = merged(words[other], whole)
        found[name] = tasks_named(whole)
    return found


def tasks_named(entry: Any) -> Any:
    """A preset's table without the tasks that it switches off."""
    tasks = entry.get("pipelines") if isinstance(entry, dict) else None
    if not isinstance(tasks, dict):
        return entry
    return {**entry, "pipelines": {task: path for task, path in tasks.items() if path != ""}}


def likenesses(name: str, words: Words) -> list[str]:
    """A preset, the one it is like, the one that is like, and so on.

    Empty where one of them is not there, or the way leads back.
    """
    names = [name]
    while isinstance(entry := words.get(names[-1]), dict) and "like" in entry:
        other = str(entry["like"])
        if other in names or not isinstance(words.get(other), dict):
            return []
        names.append(other)
    return names


def parsed(path: Path) -> Words:
    """A TOML file as plain data. Raises `PresetsBroken`."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise PresetsBroken([f"{path} cannot be read: {said}."]) from None


def merged(below: Words, above: Words) -> Words:
    """`above` laid over `below`: tables key by key, everything else as a whole."""
    together = dict(below)
    for key, value in above.items():
        under = together.get(key)
        both = isinstance(under, dict) and isinstance(value, dict)
        together[key] = merged(under, value) if both else value  # type: ignore[arg-type]
    return together


def preset_from(name: str, entry: Words) -> Preset:
    """A preset from its table; what is no field of its own becomes a setting."""
    words = {key: entry[key] for key in FIELDS if key in entry}
    words["buckets"] = tuple(words.get("buckets", (1,)))
    settings = {key: value for key, value in entry.items() if key not in (*FIELDS, "like")}
    return Preset(name=name, settings=settings, **words)


# --- what must hold ---------------------------------------------------------------------------


def text(value: object) -> bool:
    """Words, not empty."""
    return isinstance(value, str) and bool(value.strip())


def number(least: int, most: int) -> Callable[[object], bool]:
    """A whole number in a range."""
    return lambda value: type(value) is int and least <= value <= most


def positive(value: object) -> bool:
    """A number above zero."""
    return type(value) in (int, float) and value > 0  # type: ignore[operator]


def titles(value: object) -> bool:
    """Words by language, English among them."""
    return isinstance(value, dict) and text(value.get("en")) and all(map(text, value.values()))


def rising(value: object) -> bool:
    """Batch sizes: 1, and others above it in order."""
    good = isinstance(value, list) and all(map(number(1, 64), value))
    return good and bool(value) and value == sorted(set(value))  # type: ignore[call-overload]


def sides(value: object) -> bool:
    """Pairs of width and height, divisible by 8."""
    return isinstance(value, list) and all(
        isinstance(pair, list)
        and len(pair) == 2
        and all(number(8, 8192)(side) and side % 8 == 0 for side in pair)
        for pair in value
    )


def commit(value: object) -> bool:
    """A whole commit, or nothing yet."""
    return value == "" or (isinstance(value, str) and bool(REVISION.fullmatch(value)))


def parts(value: object) -> bool:
    """Further weights by role, each with its model and pin."""
    return isinstance(value, dict) and all(
        isinstance(part, dict) and text(part.get("model")) and commit(part.get("revision", ""))
        for part in value.values()
    )


def table(value: object) -> bool:
    """Anything by name."""
    return isinstance(value, dict)


def yes_or_no(value: object) -> bool:
    """A truth value."""
    return isinstance(value, bool)


def words_list(value: object) -> bool:
    """A list of words."""
    return isinstance(value, list) and all(map(text, value))


#: Rule and wording for each key that has one; keys without a rule are the engine's own affair.
RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "engine": (text, "the name of an engine, or package.module:Class"),
    "titles": (titles, 'words by language, such as { en = "..." }'),
    "licence": (text, "the name of a licence"),
    "commercial": (yes_or_no, "true or false"),
    "max_side": (number(16, 8192), "a number of pixels from 16 to 8192"),
    "source_type": (text, "an IPTC digital source type"),
    "buckets": (rising, "batch sizes in rising order, such as [1, 2, 4]"),
    "max_sources": (number(0, 16), "a number from 0 to 16"),
    "model": (text, "a hub id such as owner/name, or a folder"),
    "revision": (commit, "a commit of 40 hex digits"),
    "parts": (parts, 'tables by role, each with a model, such as { model = "owner/name" }'),
    "gated": (yes_or_no, "true or false"),
    "vram_gb": (positive, "a number of gigabytes"),
    "languages": (words_list, "a list of language codes"),
    "sizes": (sides, "pairs of width and height, divisible by 8"),
    "seconds": (positive, "a number of seconds"),
    "patience": (positive, "a number of seconds"),
    "loading": (positive, "a number of seconds"),
    "host": (lambda value: value in ("device", "pool"), '"device" or "pool"'),
    "batch": (table, "a table"),
    "call": (table, "a table"),
    "optimise": (table, "a table"),
}


def check(words: Words) -> Iterator[str]:
    """One sentence for each thing in merged preset files that does not hold."""
    for name, entry in words.items():
        if not NAME.fullmatch(name) or len(name) > LONGEST_NAME:
            yield f"[{name}] is no name: small letters, digits and hyphens, at most 40."
        elif not isinstance(entry, dict):
            yield f"{name} stands outside a table such as [{name}]."
        elif not likenesses(name, words):
            yield f"[{name}] like must name another preset, and not lead back to this one."
        else:
            yield from (f"[{name}] {trouble}" for trouble in check_entry(entry))


def unknown(entry: Words, engine: str) -> set[str]:
    """Keys that neither all presets have nor this engine reads: most likely a slip of the pen."""
    known = {*FIELDS, *RULES, "like", "files"}
    if engine == "diffusers":
        known |= {"control", *Settings.__dataclass_fields__}
    return set(entry) - known


def check_entry(entry: Words) -> Iterator[str]:
    """What is wrong with one preset's table."""
    for key in REQUIRED:
        if key not in entry:
            yield f"{key} is missing."
    for key, (holds, wanted) in RULES.items():
        if key in entry and not holds(entry[key]):
            yield f"{key} must be {wanted}."
    engine = entry.get("engine")
    if text(engine) and ":" not in str(engine) and engine not in engines.EDITORS:
        yield f"engine {engine!r} is none of: {', '.join(engines.EDITORS)}."
    if engine == "diffusers":
        yield from problems(entry)
    if engine in engines.EDITORS and (strange := unknown(entry, str(engine))):
        yield f"{min(strange)} is nothing that the engine {engine} knows; is it spelt right?"
    limit = entry.get("batch", {})
    if isinstance(limit, dict) and not number(1, 10**9)(limit.get("tokens_in_flight", 1)):
        yield "batch.tokens_in_flight must be a number above 0."
