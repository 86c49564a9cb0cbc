"""What an engine kept of the image that was answered, in words: edges, depth, the pose of people."""

from collections.abc import Iterator
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

#: Kinds of maps, as engines call them in recipes and in the stages of a run.
KINDS: dict[str, Promise] = {
    "canny": _("its edges"),
    "depth": _("its depth"),
    "pose": _("the pose of its people"),
}
#: Said where a picture shows nothing of a kind, and edges stand in for it.
INSTEAD: dict[str, Promise] = {
    "depth": _(
        "No depth was found in the image that was answered; its edges were kept instead of it."
    ),
    "pose": _(
        "Nobody was found in the image that was answered; its edges were kept instead of a pose."
    ),
}
#: Said where nothing stands in for it.
LEFT_OUT: dict[str, Promise] = {
    "depth": _("No depth was found in the image that was answered; none was kept."),
    "pose": _("Nobody was found in the image that was answered; no pose was kept."),
}

Words = dict[str, Any]


def tables(recipe: Words) -> list[Words]:
    """One table for each map; recipes of old have one, or none."""
    said = recipe.get("control") or []
    return [each for each in (said if isinstance(said, list) else [said]) if isinstance(each, dict)]


def kept(recipe: Words) -> str:
    """Everything that was kept, a line each with its weight."""
    return "\n".join(line(each) for each in tables(recipe) if each.get("found", True))


def line(table: Words) -> str:
    """One map."""
    kind = str(table.get("kind", ""))
    people = table.get("people")
    if kind == "pose" and isinstance(people, int):
        what = ngettext("the pose of %(n)s person", "the pose of %(n)s people", people)
        what %= {"n": people}
    else:
        what = str(KINDS.get(kind, kind))
    scale = table.get("scale")
    return what if scale is None else f"{what} × {scale:.4g}"


def missed(recipe: Words) -> str:
    """What was looked for in vain, and what was done; "" where all was found."""
    return " ".join(str(each) for each in sentences(recipe))


def sentences(recipe: Words) -> Iterator[Promise]:
    """One for each map that was not found."""
    for table in tables(recipe):
        if (other := str(table.get("instead_of", ""))) in INSTEAD:
            yield INSTEAD[other]
        elif table.get("found") is False and (kind := str(table.get("kind"))) in LEFT_OUT:
            yield LEFT_OUT[kind]


def frame(stage: str) -> str:
    """What a frame of a map shows; "" for other frames."""
    return gettext("kept: %(what)s") % {"what": KINDS[stage]} if stage in KINDS else ""


def licences(recipe: Words) -> str:
    """Licences of parts that have one of their own, a line each."""
    parts = recipe.get("parts")
    found = parts.items() if isinstance(parts, dict) else ()
    return "\n".join(
        f"{role}: {part['licence']}"
        for role, part in found
        if isinstance(part, dict) and part.get("licence")
    )
