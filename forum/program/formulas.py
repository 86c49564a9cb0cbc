"""The forum's own formulas: how resonances are found, told section by section with the code."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from forum.program.sources import FORMULAS, Piece, cut

FILE = Path(__file__).with_name("formulas.toml")


@dataclass(frozen=True, slots=True)
class Section:
    """One step of how resonances are found, in one language."""

    name: str
    title: str
    says: tuple[str, ...]
    formula: str
    source: str
    pieces: tuple[Piece, ...]


@cache
def sections(language: str = "en") -> tuple[Section, ...]:
    """All steps in order; Chinese for any zh, else English."""
    key = "zh" if language.lower().startswith("zh") else "en"
    found = tomllib.loads(FILE.read_text("utf-8"))["sections"]
    return tuple(
        Section(
            name=each["name"],
            title=each[key],
            says=tuple(each[f"says_{key}"]),
            formula=each["formula"],
            source=each["source"],
            pieces=tuple(
                piece
                for file, names in each["code"].items()
                for piece in cut(FORMULAS[file], names)
            ),
        )
        for each in found
    )
