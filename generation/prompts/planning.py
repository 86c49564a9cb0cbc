"""Reads a prompt for a preset before it is sent: what is understood, what is not, how long it takes.

Light: standard library only, for the web process imports it. Precision comes first: a word that is
not in the lexicon does nothing and is named as unknown.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from random import Random
from typing import Any

from generation import presets as files
from generation.engines.base import Preset
from generation.engines.darkroom.table import STAGES, Entry, Unusable, program, regions
from generation.engines.diffusion import plans
from generation.prompts.clauses import Said
from generation.prompts.grammar import Grammar
from generation.prompts.lexicon import Lexicon, Token, lexicon, lexicon_with
from generation.prompts.places import NOWHERE, Places
from generation.requests import Operation, OwnWord
from generation.results import Plan

#: Longer prompts are read up to here.
LONGEST_PROMPT = 2000
MOST_OPERATIONS = 8
MOST_UNKNOWN = 12
MOST_OWN_OFFERS = 6
#: Decoding, encoding and the descriptor, in seconds.
OVERHEAD = 0.25
#: Places that a crop keeps; nothing else can be cut to.
CROPPED_TO = frozenset({"subject", "centre"})


def plan(
    prompt: str,
    preset: str,
    language: str = "en",
    strength: float = 0.6,
    words: Sequence[OwnWord] = (),
) -> Plan:
    """How the engine of `preset` reads `prompt`; titles and notes in `language` (en, zh-hans).

    `words` are a community's own, which hold before the shipped ones.
    """
    chosen = presets().get(preset)
    known = lexicon_with(tuple(words)) if words else lexicon()
    if chosen is None:
        return Plan(preset=preset, refusal=note(known, "no_preset", language))
    if chosen.engine == "diffusers":
        return plans.plan(prompt, chosen, language)
    if chosen.engine != "darkroom":
        return Plan(preset=preset, seconds=float(chosen.settings.get("seconds", 8)))
    typed = prompt[:LONGEST_PROMPT]
    grammar = read(known, typed)
    wanted, left_out = ordered(grammar)
    operations = tuple(operation(said) for said in wanted)
    notes = [note(known, "shortened", language)] if len(prompt) > LONGEST_PROMPT else []
    if operations or left_out:
        notes += remarks(known, grammar, wanted, left_out, language)
    else:
        notes.append(note(known, why_nothing(prompt, grammar), language))
    return Plan(
        preset=preset,
        operations=operations,
        read=tuple(title(name, settings, language) for name, settings in operations),
        words=tuple(as_typed(grammar, said, typed) for said in wanted),
        unknown=tuple(grammar.unknown(typed)[:MOST_UNKNOWN]),
        offers=() if operations else own_offers(words) + suggestions(language),
        seconds=seconds_for(name for name, _ in operations),
        notes=tuple(notes),
    )


def read(known: Lexicon, prompt: str) -> Grammar:
    """A prompt read, with a place for every operation."""
    grammar = Grammar(known, known.tokens(prompt))
    grammar.read()
    tones = (name for name, entry in program().items() if entry.stage == "tone")
    Places(grammar, frozenset(tones)).give()
    return grammar


def why_nothing(prompt: str, grammar: Grammar) -> str:
    """The name of the sentence that says why there is nothing to do."""
    if not prompt.strip():
        return "empty"
    return "denied" if grammar.denied else "nothing"


def ordered(grammar: Grammar) -> tuple[list[Said], list[Said]]:
    """Order of mention where the prompt says "then", else tone, weather, medium, frame.

    Inside a stage the program's own order holds: night falls before the snow does.
    What is said twice is done once; what is denied in one place and asked for in another is done.
    "Turn the car red" is about a car: a tint in a clause that names a strange thing is left out.
    The second list is what was left out because it cannot be done to a part of the picture.
    """
    entries = program()
    kept: dict[tuple[Any, ...], Said] = {}
    left_out = []
    for said in grammar.said:
        name = said.step.name
        if name == "crop" and said.region in CROPPED_TO:
            said.region = ""
        elif said.region and (said.region == NOWHERE or not regional(entries[name])):
            left_out.append(said)
            continue
        if name != "tint" or said.region or not grammar.clauses[said.clause].of("unknown"):
            kept.setdefault((name, said.step.settings, said.region), said)
    places = {name: place for place, name in enumerate(entries)}

    def turn(said: Said) -> tuple[int, int, int]:
        name = said.step.name
        return said.segment, STAGES.index(entries[name].stage), places[name]

    return sorted(kept.values(), key=turn)[:MOST_OPERATIONS], left_out


def regional(entry: Entry) -> bool:
    """Whether an operation can be done to a part of the picture."""
    return "region" in entry.settings


def operation(said: Said) -> tuple[str, dict[str, Any]]:
    """Name and settings, with the place, colours and numbers the prompt named."""
    entry = program()[said.step.name]
    settings = dict(said.step.settings)
    intensity = said.intensity * said.step.factor * settings.get("intensity", 1.0)
    if intensity != 1 and "intensity" in entry.settings:
        settings["intensity"] = entry.settings["intensity"].checked(round(intensity, 2))
    colours = [name for name, setting in entry.settings.items() if setting.colour]
    settings.update(zip(colours, said.match.colours, strict=False))
    if said.match.numbers and "degrees" in entry.settings:
        sign = settings.get("degrees", 1)
        degrees = said.match.numbers[0] * (-1 if sign < 0 else 1)
        settings["degrees"] = entry.settings["degrees"].checked(degrees)
    if said.region:
        settings["region"] = said.region
    return said.step.name, settings


def remarks(
    known: Lexicon, grammar: Grammar, wanted: list[Said], left_out: list[Said], language: str
) -> Iterator[str]:
    """Sentences about what contradicts itself, or could not be done as asked."""
    entries, tongue = program(), spoken(language)

    def titled(name: str) -> str:
        return entries[name].titles[tongue]

    for said in left_out:
        why = "no_such_place" if said.region == NOWHERE else "whole_only"
        yield note(known, why, language).format(a=titled(said.step.name))
    for name in dict.fromkeys(said.step.name for said in wanted if not said.region):
        if name in grammar.denied:
            yield note(known, "asked_and_denied", language).format(a=titled(name))
    for one, other in combinations(wanted, 2):
        pair = frozenset({one.step.name, other.step.name})
        if one.region == other.region and pair in known.opposites:
            a, b = titled(one.step.name), titled(other.step.name)
            yield note(known, "opposites", language).format(a=a, b=b)


def as_typed(grammar: Grammar, said: Said, prompt: str) -> str:
    """The words of the prompt that asked for an operation."""
    tokens = grammar.tokens
    return prompt[tokens[said.match.first].start : tokens[said.match.after - 1].end]


def title(name: str, settings: dict[str, Any], language: str = "en") -> str:
    """An operation for people, with its place: "Snow (left half)"."""
    tongue = spoken(language)
    said = program()[name].titles[tongue]
    region = settings.get("region")
    if not region:
        return said
    where = regions()[region][tongue]
    return f"{said}（{where}）" if tongue == "zh-hans" else f"{said} ({where})"


def region_titles(language: str = "en") -> dict[str, str]:
    """Places in the picture, by name, for people."""
    tongue = spoken(language)
    return {name: titles[tongue] for name, titles in regions().items()}


def checked(name: str, settings: dict[str, Any]) -> Operation:
    """An operation with the settings that differ from its defaults. Raises `Unusable`."""
    entry = program().get(name)
    if entry is None:
        raise Unusable(f"There is no operation {name!r:.60}.")
    whole = entry.checked(settings)
    said = {key: whole[key] for key in settings if whole[key] != entry.settings[key].default}
    return Operation(name, said)


def has(name: str, setting: str) -> bool:
    """Whether an operation takes this setting."""
    return name in program() and setting in program()[name].settings


def second_of(name: str) -> str:
    """Whether an operation looks at a second picture: "must", "may", or nothing."""
    entry = program().get(name)
    if entry is None or not entry.second:
        return ""
    return "must" if entry.needs_second else "may"


def known_terms(term: str) -> tuple[str, ...]:
    """What the shipped lexicon makes of a term: names of operations, or the role of a small word.

    A term that is only kept from being misread, such as "snowman", means nothing.
    """
    found = list(lexicon().matches(lexicon().tokens(term)))
    if len(found) != 1 or isinstance(found[0], Token):
        return ()
    meaning = found[0].meaning
    if meaning.role == "ignored":
        return ()
    return tuple(step.name for step in meaning.steps) or (meaning.role,)


def parts_of(term: str) -> int:
    """Of how many words, numbers, marks or Chinese characters the reader sees a term made."""
    return len(lexicon().tokens(term))


def surprise(seed: int) -> tuple[Operation, ...]:
    """One to three operations that go together, the same for the same seed."""
    draw = Random(seed)
    entries = [entry for entry in program().values() if not entry.second]
    medium = draw.choice([entry for entry in entries if entry.stage == "medium"])
    rest = [draw.choice([e for e in entries if e.stage == stage]) for stage in ("tone", "weather")]
    chosen = draw.sample(rest, draw.randint(0, 2)) + [medium]
    chosen.sort(key=lambda entry: STAGES.index(entry.stage))
    return tuple(Operation(entry.name) for entry in chosen)


def seconds_for(names: Iterable[str]) -> float:
    """Expected seconds of these operations at 1024 x 1024."""
    entries = program()
    return round(OVERHEAD + sum(entries[name].milliseconds for name in names) / 1000, 2)


def spoken(language: str) -> str:
    """The language of titles: Chinese for any zh, else English."""
    return "zh-hans" if language.lower().startswith("zh") else "en"


def note(words: Lexicon, name: str, language: str) -> str:
    """A sentence of the lexicon in a language."""
    return words.notes[name][spoken(language)]


def own_offers(words: Sequence[OwnWord]) -> tuple[tuple[str, str], ...]:
    """A community's own words as chips, the newest of them."""
    return tuple((word.term, word.term) for word in words[-MOST_OWN_OFFERS:])


def suggestions(language: str = "en") -> tuple[tuple[str, str], ...]:
    """Looks to offer as chips: (title, words to type)."""
    tongue = spoken(language)
    entries = program()
    return tuple(
        (entries[each["operation"]].titles[tongue], each[tongue]) for each in lexicon().suggestions
    )


def presets() -> dict[str, Preset]:
    """Every preset by name: the shipped file, then the operator's. Raises `PresetsBroken`."""
    return files.presets()


def preset(name: str) -> Preset:
    """One preset. Raises `KeyError` for a name that is not there."""
    return presets()[name]
