"""A recipe as people read it: groups of facts."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from forum.threads import keeping
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
    yield _("not understood"), ", ".join(str(each) for each in recipe.get("unread", []))


@dataclass(frozen=True, slots=True)
class Step:
    """One operation that the engine ran."""

    name: str
    title: str
    #: Settings as (name, value), the place it was limited to aside.
    settings: tuple[tuple[str, str], ...]
    region: str
    #: How much of it was done: 1 is as designed.
    amount: str
    #: Whether the open program has a page for it.
    is_open: bool


def steps(recipe: dict[str, Any]) -> list[Step]:
    """What the engine really did, in order; empty for engines that read their prompts whole."""
    titles = queue.titles(get_language() or "en")
    done = (each for each in recipe.get("operations", []) if isinstance(each, dict))
    return [step(each, titles) for each in done]


def step(words: dict[str, Any], titles: dict[str, str]) -> Step:
    """One operation of a recipe as people read it."""
    name = str(words.get("name", ""))
    settings = dict(words.get("settings") or {})
    region = str(words.get("region") or settings.pop("region", "") or "")
    return Step(
        name=name,
        title=titles.get(name, name),
        settings=tuple((each, short(value)) for each, value in settings.items()),
        region=queue.region_titles(get_language() or "en").get(region, region),
        amount=short(words.get("amount")),
        is_open=name in titles,
    )


@dataclass(frozen=True, slots=True)
class Frame:
    """A kept frame of how an image came into being."""

    #: Role of its file, such as "strip-3".
    role: str
    label: str


def frames(recipe: dict[str, Any], roles: list[str]) -> list[Frame]:
    """Kept frames with what the engine was at: "Night", "Impressionist · 2 of 4", "step 3 of 20"."""
    titles = queue.titles(get_language() or "en")
    told = recipe.get("frames", [])
    stages = [str(each.get("stage", "")) for each in told]
    found = []
    for place, role in enumerate(roles):
        words = told[place] if place < len(told) else {}
        found.append(Frame(role, label(words, stages, place, titles)))
    return found


def label(words: dict[str, Any], stages: list[str], place: int, titles: dict[str, str]) -> str:
    """What one frame shows, in the reader's language."""
    stage = str(words.get("stage", ""))
    if stage in titles:
        if stages.count(stage) == 1:
            return titles[stage]
        numbers = {
            "stage": titles[stage],
            "n": stages[: place + 1].count(stage),
            "total": stages.count(stage),
        }
        return gettext("%(stage)s · %(n)s of %(total)s") % numbers
    if map_shown := keeping.frame(stage):
        return map_shown
    if words.get("total"):
        return gettext("step %(step)s of %(total)s") % words
    return gettext("frame %(n)s") % {"n": place + 1}


def made_with(recipe: dict[str, Any]) -> Iterator[Row]:
    """Engine, preset, weights and their licence."""
    engine = f"{recipe.get('engine', '')} {recipe.get('version', '')}".strip()
    yield _("engine"), engine
    name = str(recipe.get("preset", ""))
    yield _("preset"), name
    yield _("weights"), str(recipe.get("weights", ""))
    licence, commercial = licence_of(recipe, name)
    if licence:
        free = "" if commercial else " · " + gettext("not for money")
        yield _("licence of the engine"), licence + free
    yield _("licences of its parts"), keeping.licences(recipe)


def licence_of(recipe: dict[str, Any], name: str) -> tuple[str, bool]:
    """The engine's licence when it was made, and whether it allows trade; older recipes say neither."""
    if said := recipe.get("engine_licence"):
        return str(said), bool(recipe.get("commercial", True))
    preset = queue.presets().get(name)
    return ("", True) if preset is None else (preset.licence, preset.commercial)


def numbers(recipe: dict[str, Any]) -> Iterator[Row]:
    """Seed, steps, strength and size."""
    for name, title in (("seed", _("seed")), ("steps", _("steps")), ("strength", _("strength"))):
        yield title, short(recipe.get(name))
    yield _("size"), " × ".join(str(side) for side in recipe.get("size", []))


def made_from(recipe: dict[str, Any]) -> Iterator[Row]:
    """Sources and mask, by the hash of their file, and what was kept of them."""
    yield _("sources"), "\n".join(str(each) for each in recipe.get("sources", []))
    yield _("mask"), str(recipe.get("mask") or "")
    yield _("kept"), keeping.kept(recipe)


def short(value: Any) -> str:
    """A value as few characters; empty for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(value)
