"""One-tap looks: the words a chip types, and what the darkroom does for its thumbnail. Light.

Which looks there are is data: `suggestions` in `lexicon.toml`.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from generation.engines.darkroom.table import program
from generation.prompts import planning
from generation.prompts.lexicon import lexicon
from generation.requests import Look, Operation

DARKROOM = Path(__file__).parents[1] / "engines" / "darkroom"
PRESET = "darkroom"


@dataclass(frozen=True, slots=True)
class Chip:
    """A look to offer: its name in a sheet, its title and the words to type, both for people."""

    name: str
    title: str
    words: str


def chips(language: str = "en") -> tuple[Chip, ...]:
    """Every look, in a language (en, zh-hans)."""
    tongue, entries = planning.spoken(language), program()
    return tuple(
        Chip(each["operation"], entries[each["operation"]].titles[tongue], each[tongue])
        for each in lexicon().suggestions
    )


@cache
def looks() -> tuple[Look, ...]:
    """Every look as the darkroom reads its English words."""
    return tuple(
        Look(chip.name, tuple(Operation(*step) for step in read.operations))
        for chip in chips()
        if (read := planning.plan(chip.words, PRESET)).operations
    )


@cache
def looks_version() -> str:
    """Sixteen hex digits that change with the looks and with the darkroom's code.

    Thumbnails are kept under it, so that none outlives the program that made it.
    """
    digest = hashlib.sha256(repr(looks()).encode())
    for file in sorted([*DARKROOM.glob("*.py"), *DARKROOM.glob("*.toml")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
