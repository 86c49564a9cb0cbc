"""A recipe as people read it: groups of facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from generation import queue

Row = tuple[Promise | str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """Facts that belong together: (name, value)."""

    title: Promise
    rows: tuple[Row, ...]


def groups(recipe: dict[str, Any]) -> list[Group]:
    """Said, made with, numbers, from, versions; groups without a fact are left out."""
    parts = [
        (_("said"), said(recipe)),
        (_("made with"), made_with(recipe)),
        (_("numbers"), numbers(recipe)),
        (_("from"), made_from(recipe)),
        (_("versions"), ((name, str(value)) for name, value in recipe.get("versions", {}).items())),
    ]
    found = (
        (title, tuple((name, value) for name, value in rows if value)) for title, rows in parts
    )
    return [Group(title, rows) for title, rows in found if rows]


def said(recipe: dict[str, Any]) -> Iterator[Row]:
    """The prompt as typed and as it was read."""
    yield _("as typed"), str(recipe.get("prompt", ""))
    yield _("as read"), "\n".join(operation(each) for each in recipe.get("operations", []))
    yield _("not understood"), ", ".join(str(each) for each in recipe.get("unread", []))


def operation(words: Any) -> str:
    """One operation with its settings, such as "snow (density 0.6)"."""
    if not isinstance(words, dict):
        return str(words)
    settings = words.get("settings") or {}
    shown = ", ".join(f"{name} {short(value)}" for name, value in settings.items())
    return f"{words.get('name', '')} ({shown})" if shown else str(words.get("name", ""))


def made_with(recipe: dict[str, Any]) -> Iterator[Row]:
    """Engine, preset, weights and their licence."""
    engine = f"{recipe.get('engine', '')} {recipe.get('version', '')}".strip()
    yield _("engine"), engine
    name = str(recipe.get("preset", ""))
    yield _("preset"), name
    yield _("weights"), str(recipe.get("weights", ""))
    preset = queue.presets().get(name)
    if preset is not None:
        free = "" if preset.commercial else " · " + gettext("not for money")
        yield _("licence of the engine"), preset.licence + free


def numbers(recipe: dict[str, Any]) -> Iterator[Row]:
    """Seed, steps, strength and size."""
    for name, title in (("seed", _("seed")), ("steps", _("steps")), ("strength", _("strength"))):
        yield title, short(recipe.get(name))
    yield _("size"), " × ".join(str(side) for side in recipe.get("size", []))


def made_from(recipe: dict[str, Any]) -> Iterator[Row]:
    """Sources and mask, by the hash of their file."""
    yield _("sources"), "\n".join(str(each) for each in recipe.get("sources", []))
    yield _("mask"), str(recipe.get("mask") or "")


def short(value: Any) -> str:
    """A value as few characters; empty for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
