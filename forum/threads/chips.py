"""Chips: what was read of a prompt, as parts that can be taken away, put back, moved, weighed, placed.

They travel as plain form fields, so that they work without scripts: `chip` (what the chip is, as
JSON), `chip_much` and `chip_where` once for each, `chip_stamp` for the words they were read from, and
`chip_do` for what a button asks: "off:1", "on:1", "up:1", "down:1", "add", "surprise". What is sent is
exactly what they say.
"""

import hashlib
import json
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from forum.boards.models import Board
from forum.boards.words import heard_on
from generation import queue
from generation.requests import Operation
from generation.results import Plan

#: Strengths that a chip offers, with the intensity that each stands for.
LEVELS = {"weak": 0.5, "normal": 1.0, "strong": 1.5}
LEVEL_TITLES = {"weak": _("slightly"), "normal": _("normal"), "strong": _("strongly")}
#: Between these an intensity is normal.
LOW, HIGH = 0.8, 1.2
MOST_CHIPS = 8
LONGEST_CHIP = 1000
SEEDS = 2**32


class Unfit(ValueError):
    """A chip that says what no operation can do."""


@dataclass(frozen=True, slots=True)
class Chip:
    """One operation that was read, or added by hand."""

    name: str
    #: All settings but how much and where.
    settings: dict[str, Any] = field(default_factory=dict)
    intensity: float = 1.0
    region: str = ""
    #: Taken away, and can be put back.
    off: bool = False
    #: The words of the prompt that asked for it; empty when it was added by hand.
    words: str = ""
    #: How much and where as they were read, to tell what was changed by hand.
    read_intensity: float = 1.0
    read_region: str = ""

    @property
    def title(self) -> str:
        """What the operation is called in the reader's language."""
        return queue.titles(get_language() or "en")[self.name]

    @property
    def level(self) -> str:
        """Its strength as one of three words."""
        return "weak" if self.intensity < LOW else "strong" if self.intensity > HIGH else "normal"

    @property
    def weighable(self) -> bool:
        """Whether it can be done more or less."""
        return queue.takes(self.name, "intensity")

    @property
    def placeable(self) -> bool:
        """Whether it can be limited to a part of the picture."""
        return queue.takes(self.name, "region")

    @property
    def colours(self) -> list[str]:
        """Colours that were named, as #rrggbb."""
        return [value for value in self.settings.values() if str(value).startswith("#")]

    def as_json(self) -> str:
        """What its hidden field holds."""
        words: dict[str, Any] = {"n": self.name, "s": self.settings, "w": self.words}
        words |= {"i": self.intensity, "ri": self.read_intensity, "rr": self.read_region}
        return json.dumps(words | ({"off": 1} if self.off else {}), ensure_ascii=False)

    def operation(self) -> Operation:
        """What the studio is asked to do."""
        more: dict[str, Any] = {}
        if self.intensity != 1 and self.weighable:
            more["intensity"] = self.intensity
        if self.region:
            more["region"] = self.region
        return Operation(self.name, self.settings | more)


@dataclass(frozen=True, slots=True)
class Sent:
    """Chips that came with a form."""

    chips: tuple[Chip, ...]
    #: Of the words they were read from.
    stamp: str
    #: What a button asks, such as "up:1"; and the operation that "add" is about.
    deed: str = ""
    added: str = ""


@dataclass(frozen=True, slots=True)
class Understood:
    """A prompt as it is read now, with the chips that will be sent."""

    plan: Plan
    chips: tuple[Chip, ...]
    stamp: str
    #: Whether the engine reads by chips at all.
    editable: bool
    #: Everything that can be added: (name, title).
    choices: tuple[tuple[str, str], ...] = ()
    #: Places for the chips: (name, title).
    places: tuple[tuple[str, str], ...] = ()

    @property
    def levels(self) -> list[tuple[str, Any]]:
        """Strengths to choose from."""
        return list(LEVEL_TITLES.items())

    @property
    def active(self) -> list[Chip]:
        """The chips that were not taken away."""
        return [chip for chip in self.chips if not chip.off]

    @property
    def operations(self) -> tuple[Operation, ...]:
        """What will be sent as `read_as`."""
        return tuple(chip.operation() for chip in self.active)

    @property
    def seconds(self) -> float:
        """Expected seconds of what the chips say."""
        return queue.seconds_for(self.operations) if self.chips else self.plan.seconds

    @property
    def second(self) -> str:
        """Whether the chips look at a second picture: "must", "may", or nothing."""
        wanted = {queue.second_of(each.name) for each in self.operations}
        return "must" if "must" in wanted else "may" if "may" in wanted else ""

    @property
    def said(self) -> str:
        """The chips as words, for an answer without a prompt."""
        joint = "，" if (get_language() or "").startswith("zh") else ", "
        return joint.join(chip.title for chip in self.active)


def sent(data: Mapping[str, Any]) -> Sent | None:
    """The chips of a form or an address; None where there are none. Raises Unfit."""
    raw = values(data, "chip")
    deed = str(data.get("chip_do", ""))[:40]
    if not raw and not deed and "chip_stamp" not in data:
        return None
    if len(raw) > MOST_CHIPS:
        raise Unfit("Too many chips.")
    much, where = values(data, "chip_much"), values(data, "chip_where")
    if len(much) != len(raw) or len(where) != len(raw):
        raise Unfit("A chip is incomplete.")
    chips = tuple(chip(*parts) for parts in zip(raw, much, where, strict=True))
    stamp = str(data.get("chip_stamp", ""))[:16]
    return Sent(chips, stamp, deed, str(data.get("chip_new", ""))[:60])


def values(data: Mapping[str, Any], name: str) -> list[str]:
    """All values of a field that may be sent many times."""
    if hasattr(data, "getlist"):
        return [str(each) for each in data.getlist(name)]
    found = data.get(name, [])
    return [str(each) for each in (found if isinstance(found, list | tuple) else [found])]


def chip(raw: str, much: str, where: str) -> Chip:
    """A chip from its three fields. Raises Unfit."""
    try:
        words = json.loads(raw[:LONGEST_CHIP])
        found = Chip(
            name=str(words["n"]),
            settings=dict(words.get("s") or {}),
            intensity=float(words.get("i", 1)),
            region=where,
            off=bool(words.get("off")),
            words=str(words.get("w", ""))[:200],
            read_intensity=float(words.get("ri", 1)),
            read_region=str(words.get("rr", ""))[:20],
        )
        if much in LEVELS and much != found.level:
            found = replace(found, intensity=LEVELS[much])
        queue.checked_operation(found.name, found.operation().settings)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Unfit(str(error)) from None
    return found


def chip_of(name: str, settings: Mapping[str, Any], words: str = "") -> Chip:
    """A chip from an operation."""
    rest = {key: value for key, value in settings.items() if key not in ("intensity", "region")}
    intensity, region = settings.get("intensity", 1.0), settings.get("region", "")
    return Chip(
        name, rest, intensity, region, words=words, read_intensity=intensity, read_region=region
    )


def chips_of(operations: Iterable[Operation]) -> tuple[Chip, ...]:
    """Chips from what was done before; what the darkroom no longer knows is left out."""
    found = []
    for each in operations:
        try:
            known = queue.checked_operation(each.name, each.settings)
        except ValueError:
            continue
        found.append(chip_of(known.name, known.settings))
    return tuple(found[:MOST_CHIPS])


def understand(
    prompt: str, preset: str, board: Board, before: Sent | None = None, strength: float = 0.6
) -> Understood:
    """Read a prompt for a board, and settle which chips stand: those sent, or those read anew."""
    language = get_language() or "en"
    plan = queue.plan(prompt, preset, language, strength, heard_on(board))
    known = queue.presets().get(preset)
    editable = known is not None and known.engine == "darkroom" and not plan.refusal
    stamp = stamp_of(prompt, preset)
    if not editable:
        return Understood(plan, (), stamp, editable)
    read = tuple(
        chip_of(name, settings, words)
        for (name, settings), words in zip(plan.operations, plan.words, strict=True)
    )
    chips = read
    if before is not None:
        chips = done(standing(read, before, stamp), before)
    titles = queue.titles(language)
    return Understood(
        plan, chips, stamp, editable, tuple(titles.items()),
        tuple(queue.region_titles(language).items()),
    )  # fmt: skip


def standing(read: Sequence[Chip], before: Sent, stamp: str) -> tuple[Chip, ...]:
    """Which chips stand: those sent, where they are of these very words."""
    if before.chips and before.stamp == stamp:
        return before.chips
    if before.chips and not before.stamp:
        return recognised(read, before.chips)
    return carried(read, before.chips)


def stamp_of(prompt: str, preset: str) -> str:
    """A short mark of what chips were read from."""
    text = " ".join(prompt.split())
    return hashlib.sha256(f"{preset}\0{text}".encode()).hexdigest()[:16]


def keyed(chips: Iterable[Chip]) -> dict[tuple[str, int], Chip]:
    """Chips by name, and by number where one operation stands twice."""
    counts: Counter[str] = Counter()
    found = {}
    for each in chips:
        found[each.name, counts[each.name]] = each
        counts[each.name] += 1
    return found


def carried(read: Sequence[Chip], before: Sequence[Chip]) -> tuple[Chip, ...]:
    """Chips read anew, with what was changed by hand on those that are still there."""
    old = keyed(each for each in before if each.words)
    kept = {
        key: changed_alike(each, old[key]) if key in old else each
        for key, each in keyed(read).items()
    }
    # The order is a change too, where nothing came or went.
    order = list(old) if set(old) == set(kept) else list(kept)
    by_hand = [each for each in before if not each.words]
    return tuple([*(kept[key] for key in order), *by_hand][:MOST_CHIPS])


def changed_alike(chip: Chip, old: Chip) -> Chip:
    """A chip with what was changed by hand on the one it was before."""
    by_hand: dict[str, Any] = {"off": old.off}
    if old.intensity != old.read_intensity:
        by_hand["intensity"] = old.intensity
    if old.region != old.read_region:
        by_hand["region"] = old.region
    return replace(chip, **by_hand)


def recognised(read: Sequence[Chip], before: Sequence[Chip]) -> tuple[Chip, ...]:
    """Chips of an earlier answer, each with the words that ask for it in its prompt."""
    words = keyed(read)
    return tuple(
        replace(each, words=words[key].words) if key in words else each
        for key, each in keyed(before).items()
    )


def done(chips: Sequence[Chip], form: Sent) -> tuple[Chip, ...]:
    """The chips after what a button asked; what it cannot be asked changes nothing."""
    verb, _colon, number = form.deed.partition(":")
    if verb == "surprise":
        seed = int(number) if number.isdecimal() and len(number) < 11 else secrets.randbelow(SEEDS)
        return chips_of(queue.surprise(seed))
    if verb == "add":
        added = form.added in queue.titles() and len(chips) < MOST_CHIPS
        return (*chips, Chip(form.added)) if added else tuple(chips)
    place = int(number) if number.isdecimal() and len(number) < 3 else -1
    if not 0 <= place < len(chips):
        return tuple(chips)
    if verb in ("off", "on"):
        return turned(chips, place, off=verb == "off")
    return moved(chips, place, {"up": -1, "down": 1}.get(verb, 0))


def turned(chips: Sequence[Chip], place: int, *, off: bool) -> tuple[Chip, ...]:
    """One chip taken away or put back; one that was added by hand goes altogether."""
    chip = chips[place]
    if off and not chip.words:
        return tuple(each for each in chips if each is not chip)
    return (*chips[:place], replace(chip, off=off), *chips[place + 1 :])


def moved(chips: Sequence[Chip], place: int, by: int) -> tuple[Chip, ...]:
    """One chip a place earlier or later, where there is one."""
    order = list(chips)
    if 0 <= place + by < len(order):
        order.insert(place + by, order.pop(place))
    return tuple(order)
