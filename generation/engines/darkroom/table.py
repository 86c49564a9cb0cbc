"""The darkroom's whole program as data: what it can do, in words, with the place of its code.

Light: the web process reads it for plans and for the page of the open program. Functions stay dotted
names here and are imported when an engine first runs them.
"""

import math
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

#: Order of operations whose order the prompt leaves open.
STAGES = ("tone", "weather", "medium", "frame")
PROGRAM = Path(__file__).with_name("operations.toml")
PLACES = Path(__file__).with_name("regions.toml")

#: Strength (as people set it) to amount (as operations take it): 0.6 is an operation as designed.
DESIGNED, HEAVIEST = 0.6, 1.5


class Unusable(ValueError):
    """A setting that this operation does not take."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of an operation: a number within limits, one of several words, or a colour."""

    name: str
    default: Any
    low: float = 0.0
    high: float = 0.0
    choices: tuple[str, ...] = ()
    colour: bool = False

    def checked(self, value: Any) -> Any:
        """The value as the operation takes it; numbers are clamped. Raises `Unusable`."""
        if self.colour:
            return checked_colour(self.name, value)
        if self.choices:
            if not isinstance(value, str) or value not in self.choices:
                raise Unusable(f"{self.name}: one of {', '.join(self.choices)}, not {value!r:.40}")
            return value
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise Unusable(f"{self.name}: a number, not {value!r:.40}")
        return min(self.high, max(self.low, float(value)))


def checked_colour(name: str, value: Any) -> str:
    """A colour as #rrggbb in lower case. Raises `Unusable`."""
    text = str(value).lower()
    if len(text) != 7 or text[0] != "#" or set(text[1:]) - set("0123456789abcdef"):
        raise Unusable(f"{name}: a colour as #rrggbb, not {value!r:.40}")
    return text


@dataclass(frozen=True, slots=True)
class Entry:
    """One operation of the darkroom."""

    name: str
    #: Module and function, such as "weather:night".
    run: str
    stage: str
    #: Title and one sentence for people, by language code.
    titles: dict[str, str]
    sentences: dict[str, str]
    #: What it is poor at, in one sentence.
    limits: dict[str, str]
    #: Where the method is described.
    source: str
    #: Milliseconds at 1024 x 1024 on one core.
    milliseconds: int
    settings: dict[str, Setting]
    #: Whether strength scales it, it shows its own layers, takes further sources, cannot do without
    #: one, uses its seed.
    scales: bool = True
    layered: bool = False
    second: bool = False
    needs_second: bool = False
    seeded: bool = True

    def checked(self, settings: dict[str, Any]) -> dict[str, Any]:
        """All settings with their defaults, in the table's order; a region only where one was given.

        Raises `Unusable`.
        """
        strange = set(settings) - set(self.settings)
        if strange:
            raise Unusable(f"{self.name} has no setting {min(strange)!r:.40}")
        return {
            name: setting.checked(settings.get(name, setting.default))
            for name, setting in self.settings.items()
            if name != "region" or name in settings
        }


def amount_of(strength: float, intensity: float) -> float:
    """How much of an operation to run: 0 leaves the picture alone, 1 is as designed, at most 1.5.

    `strength` is 0..1 as people set it; `intensity` is what words such as "slightly" make of it.
    """
    strength = min(1.0, max(0.0, strength))
    amount = strength / DESIGNED
    if strength > DESIGNED:
        amount = 1 + (HEAVIEST - 1) * (strength - DESIGNED) / (1 - DESIGNED)
    return round(min(HEAVIEST, amount * intensity), 4)


@cache
def program() -> dict[str, Entry]:
    """Every operation by name, in the order of the file."""
    return {
        name: entry(name, words)
        for name, words in tomllib.loads(PROGRAM.read_text("utf-8")).items()
    }


@cache
def regions() -> dict[str, dict[str, str]]:
    """Places in a picture that an operation can be limited to: titles by language code, by name."""
    return {
        name: {"en": words["en"], "zh-hans": words["zh"]}
        for name, words in tomllib.loads(PLACES.read_text("utf-8")).items()
    }


#: Every operation that has a strength takes it: what words of intensity multiply the strength by.
INTENSITY = Setting("intensity", 1.0, low=0.0, high=2.0)


@cache
def region_setting() -> Setting:
    """Every operation but those of the frame takes it: where it works; empty is everywhere."""
    return Setting("region", "", choices=("", *regions()))


def entry(name: str, words: dict[str, Any]) -> Entry:
    """One operation from its part of the file."""
    settings = {key: setting(key, value) for key, value in words.get("settings", {}).items()}
    scales = words.get("scales", True)
    place = {} if words["stage"] == "frame" else {"region": region_setting()}
    return Entry(
        name=name,
        run=words["run"],
        stage=words["stage"],
        titles={"en": words["en"], "zh-hans": words["zh"]},
        sentences={"en": words["says_en"], "zh-hans": words["says_zh"]},
        limits={"en": words["poor_en"], "zh-hans": words["poor_zh"]},
        source=words["source"],
        milliseconds=words["ms"],
        settings=({"intensity": INTENSITY} if scales else {}) | settings | place,
        scales=scales,
        layered=words.get("layered", False),
        second=words.get("second", False),
        needs_second=words.get("needs_second", False),
        seeded=words.get("seeded", True),
    )


def setting(name: str, words: dict[str, Any]) -> Setting:
    """One setting from its part of the file."""
    return Setting(
        name=name,
        default=words["default"],
        low=words.get("low", 0.0),
        high=words.get("high", 0.0),
        choices=tuple(words.get("choices", ())),
        colour=words.get("colour", False),
    )
