"""The words the darkroom knows: loads `lexicon.toml` and finds its terms in a prompt, longest first.

Light: standard library only. English is matched word by word (an ending such as -s, -ed or -ing and
small words between the words of a term are let pass), Chinese character by character, so that one
table and one matcher serve both.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from generation.requests import OwnWord

FILE = Path(__file__).with_name("lexicon.toml")
TOKENS = re.compile(r"[a-zà-ÿ]+(?:'[a-z]+)?|\d+(?:\.\d+)?|[㐀-鿿]|[^\s]")
HAN = re.compile(r"[㐀-鿿]")
#: Joins words that are looked up as two: "black-and-white".
HYPHEN = re.compile(r"(?<=[A-Za-z])-(?=[A-Za-z])")
WORD = re.compile(r"[a-zà-ÿ0-9㐀-鿿]")
ENDINGS = ("'s", "s", "es", "ed", "d", "ing", "ly")
LAST_LETTERS = frozenset(ending[-1] for ending in ENDINGS)
#: A term is at most as many tokens long, with the small words that may stand between.
LONGEST = 12
#: Lists of small words in the file; each is a role.
ROLES = (
    "stop", "ignored", "negation", "removal", "turn", "only", "listing", "then",
    "hold", "kept", "kept_colour", "except", "rest", "tempered", "lowering", "correction",
)  # fmt: skip
#: Years of old photographs, from the first ones on.
OLD_YEARS = frozenset(str(year) for year in range(1826, 1970))
#: Beside the characters for black and white these make two colours of them: "红和黑", "红黑双色".
COLOUR_JOINTS = frozenset("和与配双两")
#: What stands in braces in the tree; what else does in the file is spelt out.
LEFT_IN_THE_TREE = ("other", "另图")
#: A letter that was held down.
HELD = re.compile(r"([a-z])\1{2,}")
#: First words whose places in the tree are remembered.
MOST_REMEMBERED = 5000


class Token(NamedTuple):
    """One English word, number, Chinese character or mark, with its place in the prompt."""

    text: str
    start: int
    end: int


class Step(NamedTuple):
    """One operation that a term asks for."""

    name: str
    settings: tuple[tuple[str, Any], ...] = ()
    #: What the term itself makes of the strength: 1.4 for "blizzard".
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a term stands for.

    `role` is operation, intensity, region, colour, bare (something only of a place, such as "the left
    half day") or the name of a list of small words.
    """

    role: str
    #: What to do, in order; "rainy night" as one word asks for two things.
    steps: tuple[Step, ...] = ()
    factor: float = 1.0
    #: The name of a region.
    name: str = ""


class Match(NamedTuple):
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
    #: Words that may not come behind a small word here: "turn left" is not "turn the left half".
    tight: frozenset[str] = frozenset()


class Way(NamedTuple):
    """A way into the tree: the node reached, the next token, and what was named on the way."""

    node: Node
    place: int
    colours: tuple[str, ...] = ()
    numbers: tuple[float, ...] = ()
    #: Whether the last token was a small word that was let pass.
    passing: bool = False


@dataclass(slots=True)
class Lexicon:
    """All terms as a tree, with colours, spellings and the sentences for people."""

    root: Node
    colours: dict[tuple[str, ...], str]
    #: First words of the names of colours.
    colour_words: set[str]
    #: Phrases for what stands in braces in the tree, such as {other}, and their first words.
    ways: dict[str, tuple[tuple[str, ...], ...]]
    way_words: frozenset[str]
    fillers: frozenset[str]
    #: Small words that begin a new thing to do, and those that say where a thing is.
    verbs: frozenset[str]
    within: frozenset[str]
    #: Operations that pull in opposite directions.
    opposites: tuple[frozenset[str], ...]
    spellings: dict[str, str]
    characters: dict[int, str]
    notes: dict[str, dict[str, str]]
    suggestions: tuple[dict[str, str], ...]
    #: First words met so far with the places they lead to.
    first_steps: dict[str, list[Node]] = field(default_factory=dict)

    def tokens(self, prompt: str) -> list[Token]:
        """The prompt cut up: lower case, simplified characters, British spelling."""
        text = HYPHEN.sub(" ", prompt.translate(self.characters))
        # Lower-casing may change the length of exotic letters; places must stay true to the prompt.
        lowered = text.lower()
        if len(lowered) != len(text):
            lowered = "".join(low if len(low := each.lower()) == 1 else each for each in text)
        spelt = self.spellings.get
        return [
            Token(spelt(text := self.unstretched(found[0]), text), *found.span())
            for found in TOKENS.finditer(lowered)
        ]

    def unstretched(self, text: str) -> str:
        """A word without letters held down: "snowwww", "sooo"; no English word has three alike."""
        if not HELD.search(text):
            return text
        short, double = HELD.sub(r"\1", text), HELD.sub(r"\1\1", text)
        return double if self.beginnings(double) and not self.beginnings(short) else short

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
        text = tokens[first].text
        nodes = self.beginnings(text)
        named = text in self.colour_words or text in self.way_words or text[0].isdecimal()
        if not named:
            if not nodes:
                return None
            if len(nodes) == 1 and nodes[0].meaning and not nodes[0].next and not nodes[0].stems:
                return Match(first, first + 1, nodes[0].meaning)
        # A path that ends in a small word it let pass is no match yet.
        paths = [Way(node, first + 1) for node in nodes]
        if named:
            paths[:0] = self.named(self.root, tokens, Way(self.root, first))
        while paths:
            path = paths.pop()
            meaning = path.node.meaning
            if meaning and not path.passing and (best is None or path.place > best.after):
                best = Match(first, path.place, meaning, path.colours, path.numbers)
            leaf = not path.node.next and not path.node.stems
            if not leaf and path.place < len(tokens) and path.place - first < LONGEST:
                paths.extend(self.further(path, tokens))
        return best

    def beginnings(self, text: str) -> list[Node]:
        """Places that a first token leads to, the word itself last; remembered, for words recur."""
        known = self.first_steps.get(text)
        if known is None:
            known = steps(self.root, text)[::-1]
            if len(self.first_steps) < MOST_REMEMBERED:
                self.first_steps[text] = known
        return known

    def further(self, path: "Way", tokens: list[Token]) -> list["Way"]:
        """One token on from here. The last is tried first, and a tie goes to the first found: the
        word itself before the word without its ending, and both before a colour or a small word."""
        text = tokens[path.place].text
        made = []
        if text in self.fillers:
            made.append(Way(path.node, path.place + 1, path.colours, path.numbers, True))
        made += self.named(path.node, tokens, path)
        tight = path.passing and text in path.node.tight
        for following in () if tight else reversed(steps(path.node, text)):
            made.append(Way(following, path.place + 1, path.colours, path.numbers))
        return made

    def named(self, node: Node, tokens: list[Token], path: "Way") -> list["Way"]:
        """Paths over a colour or a number, where the tree has room for one here."""
        made = []
        if "{colour}" in node.next:
            for length, colour in self.colours_at(tokens, path.place):
                place, colours = path.place + length, (*path.colours, colour)
                made.append(Way(node.next["{colour}"], place, colours, path.numbers))
        text = tokens[path.place].text
        for key in self.ways if text in self.way_words else ():
            if key in node.next:
                for place in self.ends_of_ways(key, tokens, path.place):
                    made.append(Way(node.next[key], place, path.colours, path.numbers))
        if "{number}" in node.next and text[0].isdecimal():
            numbers = (*path.numbers, float(text[:9]))
            made.append(Way(node.next["{number}"], path.place + 1, path.colours, numbers))
        if "{year}" in node.next and text in OLD_YEARS:
            made.append(Way(node.next["{year}"], path.place + 1, path.colours, path.numbers))
        return made

    def ends_of_ways(self, key: str, tokens: list[Token], place: int) -> Iterator[int]:
        """Places behind each phrase for `key` that stands here: "second picture('s)"."""
        for phrase in self.ways[key]:
            standing = tokens[place : place + len(phrase)]
            if tuple(token.text.removesuffix("'s") for token in standing) == phrase:
                yield place + len(phrase)

    def colours_at(self, tokens: list[Token], place: int) -> Iterator[tuple[int, str]]:
        """Colours named here: how many tokens they take, and #rrggbb."""
        if tokens[place].text not in self.colour_words or is_no_colour(tokens, place):
            return
        # "红白机" and "金色阳光" only begin like a colour.
        shortest = self.plain_length(tokens, place) if HAN.match(tokens[place].text) else 1
        for length in range(shortest, 4):
            name = tuple(token.text for token in tokens[place : place + length])
            if len(name) == length and name in self.colours:
                yield length, self.colours[name]

    def plain_length(self, tokens: list[Token], place: int) -> int:
        """How many tokens the longest term takes that stands here letter by letter; at least 1."""
        node, longest = self.root, 1
        for length, token in enumerate(tokens[place : place + LONGEST], 1):
            following = node.next.get(token.text)
            if following is None:
                break
            node = following
            longest = length if node.meaning else longest
        return longest


def steps(node: Node, text: str) -> list[Node]:
    """Places in the tree that a token leads to: itself, itself without an ending, its stems."""
    found = [node.next[text]] if text in node.next else []
    for ending in ENDINGS if text[-1] in LAST_LETTERS else ():
        if text.endswith(ending) and len(text) - len(ending) >= 3:
            plain = node.next.get(text[: -len(ending)])
            if plain is not None:
                found.append(plain)
    if node.stems:
        for length in range(3, min(len(text), 24) + 1):
            stem = node.stems.get(text[:length])
            if stem is not None:
                found.append(stem)
    return found


def is_no_colour(tokens: list[Token], place: int) -> bool:
    """Whether a colour's word is part of something else: "black and white", "黑夜", "白天"."""
    text, following = tokens[place].text, [token.text for token in tokens[place + 1 : place + 3]]
    if text == "black":
        return len(following) == 2 and following[1] == "white"
    before = tokens[place - 1].text if place else ""
    of_two = before in COLOUR_JOINTS or following[:1] and following[0] in COLOUR_JOINTS
    return text in ("黑", "白") and following[:1] != ["色"] and not of_two


@cache
def lexicon() -> Lexicon:
    """The shipped lexicon, read once."""
    words = tomllib.loads(FILE.read_text("utf-8"))
    small = words["small_words"]
    ways = {f"{{{name}}}": tuple(map(parts, words["ways"][name])) for name in LEFT_IN_THE_TREE}
    made = Lexicon(
        root=Node(),
        ways=ways,
        way_words=frozenset(phrase[0] for phrases in ways.values() for phrase in phrases),
        colours={},
        colour_words=set(),
        fillers=frozenset(small["fillers"]),
        verbs=frozenset(small["verbs"]),
        within=frozenset(small["within"]),
        opposites=tuple(frozenset(pair) for pair in words["opposites"]["pairs"]),
        spellings=words["spellings"],
        characters=characters(words["characters"]["pairs"]),
        notes=words["notes"],
        suggestions=tuple(words["suggestions"]),
    )
    for colour, names in words["colours"].items():
        for name in names:
            made.colours[parts(name)] = colour
            made.colour_words.add(parts(name)[0])
    for role in ROLES:
        for term in small[role]:
            plant(made.root, term, Meaning(role))
    for name, entry in words["regions"].items():
        for term in entry["en"] + entry["zh"]:
            for spelt in expanded(term, words["ways"]):
                plant(made.root, spelt, Meaning("region", name=name))
    plant(made.root, "{colour}", Meaning("colour"))
    for name, terms in words["of_places"].items():
        for term in terms:
            plant(made.root, term, Meaning("bare", (Step(name),)))
    for factor, terms in words["intensity"].items():
        for term in terms:
            plant(made.root, term, Meaning("intensity", factor=float(factor)))
    for name, entry in words["terms"].items():
        first = Step(
            entry.get("operation", name),
            tuple(entry.get("settings", {}).items()),
            entry.get("intensity", 1.0),
        )
        steps = (first, *(Step(more) for more in entry.get("more", ())))
        meaning = Meaning("operation", steps)
        for term in entry.get("en", []) + entry.get("zh", []):
            plant(made.root, term, meaning)
    return made


def characters(pairs: str) -> dict[int, str]:
    """What stands for a traditional character ("雲云"), and for a letter of full width."""
    wide = {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    return wide | {ord(pair[0]): pair[1] for pair in pairs.split()}


def expanded(term: str, ways: dict[str, list[str]]) -> list[str]:
    """A term with each way to say what stands in braces, such as {other}; colours stay."""
    for name, words in ways.items():
        if f"{{{name}}}" in term:
            return [term.replace(f"{{{name}}}", word) for word in words]
    return [term]


@lru_cache(maxsize=64)
def lexicon_with(words: tuple[OwnWord, ...]) -> Lexicon:
    """The shipped lexicon with words that a community added; theirs hold where both know a term."""
    shipped = lexicon()
    root = shipped.root
    for word in words:
        way = tuple(token.text for token in shipped.tokens(word.term))
        if way:
            steps = tuple(Step(name, settings) for name, settings in word.steps)
            root = grafted(root, way, Meaning("operation", steps))
    return replace(shipped, root=root, first_steps={})


def grafted(node: Node, way: tuple[str, ...], meaning: Meaning) -> Node:
    """The tree with one more term; only the places on its way are new."""
    if not way:
        return Node(node.next, node.stems, meaning, node.tight)
    following = grafted(node.next.get(way[0], Node()), way[1:], meaning)
    return Node(node.next | {way[0]: following}, node.stems, node.meaning, node.tight)


def parts(term: str) -> tuple[str, ...]:
    """A term of the file as tokens; {colour}, {number} and stems with * stay whole."""
    found = re.findall(r"\{\w+\}|[a-zà-ÿ]+(?:'[a-z]+)?\*?|\d+|[㐀-鿿]|[^\s]", term)
    return tuple(found)


def plant(root: Node, term: str, meaning: Meaning) -> None:
    """Put one term into the tree; a term stands for one thing only.

    Written with ! in front, no small words are let pass inside it.
    """
    node, whole = root, term.startswith("!")
    for part in parts(term.removeprefix("!")):
        if whole:
            node.tight |= {part}
        branch, key = (
            (node.stems, part[:-1]) if part.endswith("*") and len(part) > 1 else (node.next, part)
        )
        node = branch.setdefault(key, Node())
    if node.meaning is not None and node.meaning != meaning:
        raise ValueError(f"lexicon.toml: {term!r} stands twice, for different things")
    node.meaning = meaning
