"""Reads a prompt for a preset before it is sent: what is understood, what is not, how long it takes.

Light: standard library only, for the web process imports it. Precision comes first: a word that is
not in the lexicon does nothing and is named as unknown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from generation import presets as files
from generation.engines.base import Preset
from generation.engines.darkroom.table import STAGES, program
from generation.lexicon import HAN, WORD, Lexicon, Match, Meaning, Token, lexicon
from generation.results import Plan

#: Longer prompts are read up to here.
LONGEST_PROMPT = 2000
#: A negation reaches as many tokens beyond itself or the last thing it denied.
REACH = 6
#: An intensity word belongs to an operation at most as many tokens away.
NEAR = 4
MOST_OPERATIONS = 8
MOST_UNKNOWN = 12
SENTENCE_ENDS = frozenset(".!?;:。！？；：\n")
COMMAS = frozenset(",，—–()（）")
#: Decoding, encoding and the descriptor, in seconds.
OVERHEAD = 0.25


@dataclass(slots=True)
class Said:
    """One operation a prompt asks for, as it is being read."""

    match: Match
    segment: int
    intensity: float = 1.0
    #: Whether a word of intensity was given to it.
    weighed: bool = False
    #: Number of its clause.
    clause: int = 0


@dataclass(slots=True)
class Reading:
    """The state of a reader that walks through a prompt once."""

    said: list[Said] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    unknown: list[tuple[int, int]] = field(default_factory=list)
    segment: int = 0
    #: Token up to which a negation reaches; -1 outside one.
    negated_until: int = -1
    #: Whether the running negation has denied something already.
    spent: bool = False
    #: Factor and place of an intensity word that waits for its operation.
    weight: tuple[float, int] | None = None
    #: Number of the running clause, and how many operations were said before it.
    clause: int = 0
    before_clause: int = 0
    #: Clauses that name something the darkroom does not know.
    strange: set[int] = field(default_factory=set)


def plan(prompt: str, preset: str, language: str = "en", strength: float = 0.6) -> Plan:
    """How the engine of `preset` reads `prompt`; titles and notes in `language` (en, zh-hans)."""
    chosen = presets().get(preset)
    words = lexicon()
    if chosen is None:
        return Plan(preset=preset, refusal=note(words, "no_preset", language))
    if chosen.engine != "darkroom":
        return Plan(preset=preset, seconds=float(chosen.settings.get("seconds", 8)))
    tokens = words.tokens(prompt[:LONGEST_PROMPT])
    reading = read(words, tokens)
    chosen_operations = ordered(reading)
    operations = tuple(operation(said) for said in chosen_operations)
    entries = program()
    tongue = spoken(language)
    notes = [note(words, "shortened", language)] if len(prompt) > LONGEST_PROMPT else []
    if not operations:
        notes.append(note(words, why_nothing(prompt, reading), language))
    return Plan(
        preset=preset,
        operations=operations,
        read=tuple(entries[name].titles[tongue] for name, _ in operations),
        unknown=unknown_words(prompt, reading),
        offers=() if operations else suggestions(language),
        seconds=seconds_for(name for name, _ in operations),
        notes=tuple(notes),
    )


def why_nothing(prompt: str, reading: Reading) -> str:
    """The name of the sentence that says why there is nothing to do."""
    if not prompt.strip():
        return "empty"
    return "denied" if reading.denied else "nothing"


def read(words: Lexicon, tokens: list[Token]) -> Reading:
    """Walk through the prompt once, term by term."""
    reading = Reading()
    found = list(words.matches(tokens))
    for index, each in enumerate(found):
        following = found[index + 1] if index + 1 < len(found) else None
        if isinstance(each, Token):
            take_token(reading, each)
        else:
            take_match(reading, each, following)
            if each.meaning.role == "ignored":
                remember_unknown(reading, tokens[each.first].start, tokens[each.after - 1].end)
    return reading


def take_token(reading: Reading, token: Token) -> None:
    """A word that is in no list, or a mark."""
    if WORD.match(token.text):
        joins = HAN.match(token.text) is not None
        remember_unknown(reading, token.start, token.end, joins=joins)
    elif token.text in SENTENCE_ENDS or (token.text in COMMAS and reading.spent):
        end_negation(reading)
    if token.text in SENTENCE_ENDS or token.text in COMMAS:
        begin_clause(reading)


def begin_clause(reading: Reading) -> None:
    """A mark or a turn of the sentence: intensity does not reach across it."""
    reading.weight = None
    reading.clause += 1
    reading.before_clause = len(reading.said)


def remember_unknown(reading: Reading, start: int, end: int, *, joins: bool = False) -> None:
    """Note a place of the prompt; Chinese characters that touch become one word."""
    reading.strange.add(reading.clause)
    last = reading.unknown[-1] if reading.unknown else None
    if last and joins and last[1] == start:
        reading.unknown[-1] = (last[0], end)
    else:
        reading.unknown.append((start, end))


def take_match(reading: Reading, match: Match, following: Match | Token | None) -> None:
    """A term of the lexicon, by its role."""
    role = match.meaning.role
    if role == "operation":
        take_operation(reading, match)
    elif role == "negation":
        reading.negated_until, reading.spent = match.after + REACH, False
    elif role == "intensity":
        take_intensity(reading, match, following)
    elif role in ("turn", "then"):
        end_negation(reading)
        reading.segment += role == "then" and bool(reading.said)
        begin_clause(reading)
    elif role == "listing" and not begins_operation(following):
        end_negation(reading)


def take_operation(reading: Reading, match: Match) -> None:
    """An operation: denied inside a negation, asked for outside."""
    if match.first < reading.negated_until:
        reading.denied.add(match.meaning.operation)
        reading.spent, reading.negated_until = True, match.after + REACH
        reading.weight = None
        return
    said = Said(match, reading.segment, clause=reading.clause)
    if reading.weight and match.first - reading.weight[1] <= NEAR:
        said.intensity, said.weighed = reading.weight[0], True
    reading.weight = None
    reading.said.append(said)
    for name in match.meaning.more:
        besides = replace(match, meaning=Meaning("operation", operation=name))
        reading.said.append(replace(said, match=besides))


def take_intensity(reading: Reading, match: Match, following: Match | Token | None) -> None:
    """A word such as "slightly": for the operation that follows, else for the last of its clause."""
    last = reading.said[-1] if len(reading.said) > reading.before_clause else None
    near = last is not None and match.first - last.match.after <= NEAR - 2
    if last and near and not last.weighed and not begins_operation(following):
        last.intensity, last.weighed = match.meaning.factor, True
        return
    before = reading.weight[0] if reading.weight else 1.0
    reading.weight = (before * match.meaning.factor, match.after)


def begins_operation(following: Match | Token | None) -> bool:
    """Whether the next thing said is an operation."""
    return isinstance(following, Match) and following.meaning.role == "operation"


def end_negation(reading: Reading) -> None:
    """What comes now is wanted again."""
    reading.negated_until, reading.spent = -1, False


def ordered(reading: Reading) -> list[Said]:
    """Order of mention where the prompt says "then", else tone, weather, medium, frame.

    Inside a stage the program's own order holds: night falls before the snow does.
    What is said twice is done once; what is denied in one place and asked for in another is done.
    "Turn the car red" is about a car: a tint in a clause that names a strange thing is left out.
    """
    entries = program()
    kept: dict[tuple[str, tuple[tuple[str, Any], ...]], Said] = {}
    for said in reading.said:
        if said.match.meaning.operation != "tint" or said.clause not in reading.strange:
            kept.setdefault((said.match.meaning.operation, said.match.meaning.settings), said)
    places = {name: place for place, name in enumerate(entries)}

    def turn(said: Said) -> tuple[int, int, int]:
        name = said.match.meaning.operation
        return said.segment, STAGES.index(entries[name].stage), places[name]

    return sorted(kept.values(), key=turn)[:MOST_OPERATIONS]


def operation(said: Said) -> tuple[str, dict[str, Any]]:
    """Name and settings, with the colours and numbers the prompt named."""
    meaning = said.match.meaning
    entry = program()[meaning.operation]
    settings = dict(meaning.settings)
    intensity = said.intensity * meaning.factor
    if intensity != 1 and "intensity" in entry.settings:
        settings["intensity"] = entry.settings["intensity"].checked(round(intensity, 2))
    colours = [name for name, setting in entry.settings.items() if setting.colour]
    settings.update(zip(colours, said.match.colours, strict=False))
    if said.match.numbers and "degrees" in entry.settings:
        sign = settings.get("degrees", 1)
        degrees = said.match.numbers[0] * (-1 if sign < 0 else 1)
        settings["degrees"] = entry.settings["degrees"].checked(degrees)
    return meaning.operation, settings


def unknown_words(prompt: str, reading: Reading) -> tuple[str, ...]:
    """Words the darkroom does not know, as typed, each once."""
    words = (prompt[start:end] for start, end in reading.unknown)
    return tuple(dict.fromkeys(words))[:MOST_UNKNOWN]


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
