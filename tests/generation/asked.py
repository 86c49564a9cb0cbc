"""Prompts with what a reader should find in them, and how well it does."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from generation.prompts.lexicon import lexicon, parts

HERE = Path(__file__).parent
LANGUAGES = ("en", "zh")
WANTED = re.compile(
    r"(?P<name>[a-z_0-9]+)(?:=(?P<colours>[^@+\-]+(?:\+[^@+\-]+)?))?(?:@(?P<region>!?[a-z_]+))?(?P<much>[+-])?"
)
#: Above or below it an intensity is more or less than was designed.
MORE, LESS = 1.1, 0.9

Found = tuple[str, dict[str, Any]]


class Wanted(NamedTuple):
    """One acceptable reading of a part of a prompt."""

    name: str
    colours: tuple[str, ...] = ()
    region: str = ""
    much: str = ""

    def fits(self, found: Found) -> bool:
        """Whether the operation found is this one: name, region, colours and strength."""
        name, settings = found
        intensity = settings.get("intensity", 1.0)
        return (
            name == self.name
            and settings.get("region", "") == self.region
            and all(colour in settings.values() for colour in self.colours)
            and (self.much != "+" or intensity > MORE)
            and (self.much != "-" or intensity < LESS)
        )


@dataclass(frozen=True)
class Asked:
    """A prompt, and the parts that should be found in it: each a list of alternatives."""

    prompt: str
    parts: tuple[tuple[Wanted, ...], ...]
    #: For each part, whether finding nothing is right as well.
    optional: tuple[bool, ...]


@cache
def asked(name: str) -> tuple[Asked, ...]:
    """The rows of a file."""
    lines = (HERE / name).read_text("utf-8").splitlines()
    return tuple(row(line) for line in lines if not line.startswith("#"))


def row(line: str) -> Asked:
    """One line: the prompt, a tab, what should be found."""
    prompt, expected = line.split("\t")
    found = [] if expected == "-" else [part.split("|") for part in expected.split(",")]
    return Asked(
        prompt,
        tuple(tuple(wanted(each) for each in part if each not in ("", "-")) for part in found),
        tuple("" in part or "-" in part for part in found),
    )


def wanted(text: str) -> Wanted:
    """One alternative, such as "tint=red@sky-"."""
    found = WANTED.fullmatch(text)
    assert found, text
    names = (found["colours"] or "").split("+") if found["colours"] else []
    colours = tuple(lexicon().colours[parts(each)] for each in names)
    region = (found["region"] or "").replace("!", "not_")
    return Wanted(found["name"], colours, region, found["much"] or "")


def tuned_on(language: str) -> tuple[Asked, ...]:
    """Prompts that may be looked at."""
    return asked(f"prompts-{language}.tsv")[::2] + asked(f"prompts-regions-{language}.tsv")[::2]


def held_out(language: str) -> tuple[Asked, ...]:
    """Prompts that were not looked at while the lexicon was tuned."""
    return (
        asked(f"prompts-{language}.tsv")[1::2]
        + asked(f"prompts-later-{language}.tsv")
        + asked(f"prompts-regions-{language}.tsv")[1::2]
    )


@dataclass
class Score:
    """How a reader does on some prompts."""

    prompts: int = 0
    right: int = 0
    found: int = 0
    hit: int = 0
    wanted: int = 0

    @property
    def precision(self) -> float:
        """Share of what was found that was meant."""
        return self.right / max(1, self.found)

    @property
    def recall(self) -> float:
        """Share of what was meant that was found."""
        return self.hit / max(1, self.wanted)


def score(rows: Iterable[Asked], read: Callable[[str], Iterable[Found]]) -> Score:
    """Read every prompt and count."""
    total = Score()
    for each in rows:
        got = list(read(each.prompt))
        total.prompts += 1
        total.found += len(got)
        total.right += sum(is_meant(each, found) for found in got)
        for part, optional in zip(each.parts, each.optional, strict=True):
            if not optional:
                total.wanted += 1
                total.hit += any(one.fits(found) for one in part for found in got)
    return total


def is_meant(row: Asked, found: Found) -> bool:
    """Whether some part of the prompt asks for it."""
    return any(one.fits(found) for part in row.parts for one in part)
