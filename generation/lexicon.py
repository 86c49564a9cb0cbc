"""The words the darkroom knows: loads `lexicon.toml` and finds its terms in a prompt, longest first.

Light: standard library only. English is matched word by word (an ending such as -s, -ed or -ing and
small words between the words of a term are let pass), Chinese character by character, so that one
table and one matcher serve both.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("lexicon.toml")
TOKENS = re.compile(r"[a-zà-ÿ]+(?:'[a-z]+)?|\d+(?:\.\d+)?|[㐀-鿿]|[^\s]")
HAN = re.compile(r"[㐀-鿿]")
WORD = re.compile(r"[a-zà-ÿ0-9㐀-鿿]")
ENDINGS = ("'s", "s", "es", "ed", "d", "ing", "ly")
#: A term is at most as many tokens long, with the small words that may stand between.
LONGEST = 12


@dataclass(frozen=True, slots=True)
class Token:
    """One English word, number, Chinese character or mark, with its place in the prompt."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a term stands for. `role` is operation, intensity, or the name of a list of small words."""

    role: str
    operation: str = ""
    settings: tuple[tuple[str, Any], ...] = ()
    factor: float = 1.0
    #: Operations that the term asks for besides, such as rain in "rainy night" as one word.
    more: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """A term found: tokens `first` to before `after`, with the colours and numbers it names."""

    first: int
    after: int
    meaning: Meaning
    colours: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()


@dataclass(slots=True)
class Node:
    """A place in the tree of terms."""

    next: dict[str, "Node"] = field(default_factory=dict)
    #: Stems (written `nocturn*`), by their letters.
    stems: dict[str, "Node"] = field(default_factory=dict)
    meaning: Meaning | None = None


@dataclass(slots=True)
class Lexicon:
    """All terms as a tree, with colours, spellings and the sentences for people."""

    root: Node
    colours: dict[tuple[str, ...], str]
    fillers: frozenset[str]
    spellings: dict[str, str]
    characters: dict[int, str]
    notes: dict[str, dict[str, str]]
    suggestions: tuple[dict[str, str], ...]

    def tokens(self, prompt: str) -> list[Token]:
        """The prompt cut up: lower case, simplified characters, British spelling."""
        text = prompt.translate(self.characters)
        # Lower-casing may change the length of exotic letters; places must stay true to the prompt.
        lowered = "".join(small if len(small := each.lower()) == 1 else each for each in text)
        return [
            Token(self.spellings.get(found.group(), found.group()), found.start(), found.end())
            for found in TOKENS.finditer(lowered)
        ]

    def matches(self, tokens: list[Token]) -> Iterator[Match | Token]:
        """Terms and the tokens between them, in order: at each place the longest term."""
        place = 0
        while place < len(tokens):
            match = self.longest(tokens, place)
            yield match or tokens[place]
            place = match.after if match else place + 1

    def longest(self, tokens: list[Token], first: int) -> Match | None:
        """The longest term that begins at this token."""
        best: Match | None = None
        paths: list[tuple[Node, int, tuple[str, ...], tuple[float, ...]]] = [
            (self.root, first, (), ())
        ]
        while paths:
            node, place, colours, numbers = paths.pop()
            if node.meaning and (best is None or place > best.after):
                best = Match(first, place, node.meaning, colours, numbers)
            if place >= len(tokens) or place - first >= LONGEST:
                continue
            # The last one pushed is tried first, and a tie goes to the first found: the word itself
            # ("evening") before the word without its ending ("even").
            for following in reversed(list(steps(node, tokens[place].text))):
                paths.append((following, place + 1, colours, numbers))
            if "{colour}" in node.next:
                for length, colour in self.colours_at(tokens, place):
                    paths.append(
                        (node.next["{colour}"], place + length, (*colours, colour), numbers)
                    )
            if "{number}" in node.next and tokens[place].text[0].isdigit():
                number = float(tokens[place].text[:9])
                paths.append((node.next["{number}"], place + 1, colours, (*numbers, number)))
            if place > first and tokens[place].text in self.fillers:
                paths.append((node, place + 1, colours, numbers))
        return without_trailing_fillers(best, tokens, self.fillers)

    def colours_at(self, tokens: list[Token], place: int) -> Iterator[tuple[int, str]]:
        """Colours named here: how many tokens they take, and #rrggbb."""
        for length in (1, 2, 3):
            name = tuple(token.text for token in tokens[place : place + length])
            if len(name) == length and name in self.colours:
                yield length, self.colours[name]


def without_trailing_fillers(
    match: Match | None, tokens: list[Token], fillers: frozenset[str]
) -> Match | None:
    """A term never ends with a small word that it only let pass."""
    if match is None:
        return None
    after = match.after
    while after - match.first > 1 and tokens[after - 1].text in fillers:
        after -= 1
    return Match(match.first, after, match.meaning, match.colours, match.numbers)


def steps(node: Node, text: str) -> Iterator[Node]:
    """Places in the tree that a token leads to: itself, itself without an ending, its stems."""
    if text in node.next:
        yield node.next[text]
    for ending in ENDINGS:
        if text.endswith(ending) and len(text) - len(ending) >= 3:
            plain = text[: -len(ending)]
            if plain in node.next:
                yield node.next[plain]
    if node.stems:
        for length in range(3, min(len(text), 24) + 1):
            if text[:length] in node.stems:
                yield node.stems[text[:length]]


@cache
def lexicon() -> Lexicon:
    """The shipped lexicon, read once."""
    words = tomllib.loads(FILE.read_text("utf-8"))
    small = words["small_words"]
    made = Lexicon(
        root=Node(),
        colours={},
        fillers=frozenset(small["fillers"]),
        spellings=words["spellings"],
        characters=str.maketrans(words["characters"]),
        notes=words["notes"],
        suggestions=tuple(words["suggestions"]),
    )
    for colour, names in words["colours"].items():
        for name in names:
            made.colours[parts(name)] = colour
    for role in ("stop", "ignored", "negation", "turn", "listing", "then"):
        for term in small[role]:
            plant(made.root, term, Meaning(role))
    for factor, terms in words["intensity"].items():
        for term in terms:
            plant(made.root, term, Meaning("intensity", factor=float(factor)))
    for name, entry in words["terms"].items():
        meaning = Meaning(
            "operation",
            operation=entry.get("operation", name),
            settings=tuple(entry.get("settings", {}).items()),
            factor=entry.get("intensity", 1.0),
            more=tuple(entry.get("more", ())),
        )
        for term in entry.get("en", []) + entry.get("zh", []):
            plant(made.root, term, meaning)
    return made


def parts(term: str) -> tuple[str, ...]:
    """A term of the file as tokens; {colour}, {number} and stems with * stay whole."""
    found = re.findall(r"\{[a-z]+\}|[a-zà-ÿ]+(?:'[a-z]+)?\*?|\d+|[㐀-鿿]|[^\s]", term)
    return tuple(found)


def plant(root: Node, term: str, meaning: Meaning) -> None:
    """Put one term into the tree; a term stands for one thing only."""
    node = root
    for part in parts(term):
        branch, key = (
            (node.stems, part[:-1]) if part.endswith("*") and len(part) > 1 else (node.next, part)
        )
        node = branch.setdefault(key, Node())
    if node.meaning is not None and node.meaning != meaning:
        raise ValueError(f"lexicon.toml: {term!r} stands twice, for different things")
    node.meaning = meaning
