"""The open program as data: every operation of the darkroom with its explanation and the words that
call it, in one language. Light: the web shows it.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from generation.engines.darkroom.table import PROGRAM, Entry, Setting, program
from generation.prompts.lexicon import FILE as LEXICON
from generation.prompts.lexicon import expanded

EXPLANATIONS = PROGRAM.with_name("explanations.toml")
#: Marks of the lexicon that are not for people: an open ending, a gap, no small words inside.
MARKS = "*{}!"


@dataclass(frozen=True, slots=True)
class Explained:
    """One setting of an operation, in one language."""

    name: str
    says: str
    setting: Setting


@dataclass(frozen=True, slots=True)
class Opened:
    """One operation, in one language, with the words of both."""

    name: str
    #: Its group on the page, by name and for people.
    kind: str
    group: str
    title: str
    sentence: str
    does: str
    limits: str
    source: str
    milliseconds: int
    settings: tuple[Explained, ...]
    #: Words that call it, English and Chinese.
    english: tuple[str, ...]
    chinese: tuple[str, ...]
    #: Words to type for a first try.
    try_words: str
    #: Module and function in the darkroom's folder, such as "weather:night".
    run: str
    entry: Entry


def tongue(language: str) -> str:
    """The key of a language in the files: Chinese for any zh, else English."""
    return "zh" if language.lower().startswith("zh") else "en"


@cache
def explanations() -> dict[str, dict[str, Any]]:
    """The file of explanations, read once."""
    return tomllib.loads(EXPLANATIONS.read_text("utf-8"))


@cache
def operations(language: str = "en") -> tuple[Opened, ...]:
    """Every operation that is explained, in the order of the kinds and then of the program."""
    key = tongue(language)
    kinds = list(explanations()["kinds"])
    found = [
        opened(name, entry, explanations()[name], key)
        for name, entry in program().items()
        if name in explanations()
    ]
    return tuple(sorted(found, key=lambda each: kinds.index(each.kind)))


def opened(name: str, entry: Entry, words: dict[str, Any], key: str) -> Opened:
    """One operation from its entry and its explanation."""
    title = {"en": "en", "zh": "zh-hans"}[key]
    english, chinese = (called_by(name, each) for each in ("en", "zh"))
    ours = (english, chinese)[key == "zh"] or english or chinese
    return Opened(
        name=name,
        kind=words["kind"],
        group=explanations()["kinds"][words["kind"]][key],
        title=entry.titles[title],
        sentence=entry.sentences[title],
        does=words[key],
        limits=words[f"limits_{key}"],
        source=entry.source,
        milliseconds=entry.milliseconds,
        settings=tuple(
            Explained(each, explanations()["settings"].get(each, {}).get(key, ""), setting)
            for each, setting in entry.settings.items()
        ),
        english=english,
        chinese=chinese,
        try_words=(suggested(name, key) or ours or ("",))[0],
        run=entry.run,
        entry=entry,
    )


@cache
def lexicon_file() -> dict[str, Any]:
    """The shipped lexicon as it is written."""
    return tomllib.loads(LEXICON.read_text("utf-8"))


def called_by(name: str, key: str) -> tuple[str, ...]:
    """Words that call this operation and nothing else, as the lexicon has them."""
    found: list[str] = []
    for term, entry in lexicon_file()["terms"].items():
        plain = not entry.get("more") and "region" not in entry.get("settings", {})
        if plain and entry.get("operation", term) == name:
            found += [said for each in entry.get(key, []) for said in plain_ways(each)]
    return tuple(dict.fromkeys(found))


def plain_ways(term: str) -> list[str]:
    """A term as somebody would type it, in one way; none where it has an open ending or a colour."""
    said = expanded(term, lexicon_file().get("ways", {}))[:1]
    return [each for each in said if not set(each) & set(MARKS)]


def suggested(name: str, key: str) -> tuple[str, ...]:
    """The words of its chip, where it has one."""
    written = "zh-hans" if key == "zh" else "en"
    return tuple(
        each[written] for each in lexicon_file()["suggestions"] if each["operation"] == name
    )


@cache
def titles(language: str = "en") -> dict[str, str]:
    """What each operation is called, by name."""
    key = {"en": "en", "zh": "zh-hans"}[tongue(language)]
    return {name: entry.titles[key] for name, entry in program().items()}


def folder() -> Path:
    """Where the darkroom's source lies."""
    return PROGRAM.parent
