"""Walks through a prompt once: what is asked for, denied, weighed, placed, and what is not known.

Light: standard library only. The result is a list of clauses with their parts; `places` then says
which operation belongs where in the picture.
"""

from generation.prompts.clauses import Clause, Part, Said
from generation.prompts.lexicon import HAN, WORD, Lexicon, Match, Step, Token

#: A negation reaches as many tokens beyond itself or the last thing it denied.
REACH = 6
#: An intensity word belongs to an operation at most as many tokens away.
NEAR = 4
#: Turns that a negation before them includes: "我没说要雪".
WANTS = frozenset({"要"})
#: Last words of a negation of too much.
TOO = frozenset({"too", "so", "太"})
#: Between "keep" and what is kept.
DETERMINERS = frozenset({"the", "its", "their", "her", "his", "this", "that", "my", "our", "your"})
#: A little of an operation.
LITTLE = 0.5
#: Colours without a hue: a tint in one of them takes the colour away.
GREYS = frozenset({"#8a8a8a"})
SENTENCE_ENDS = frozenset(".!?;:。！？；：\n")
COLONS = frozenset(":：")
COMMAS = frozenset(",，—–()（）")


class Grammar:
    """A reader that walks through a prompt once."""

    def __init__(self, words: Lexicon, tokens: list[Token]) -> None:
        self.words, self.tokens = words, tokens
        self.said: list[Said] = []
        self.denied: list[str] = []
        self.clauses = [Clause(0, 0)]
        self.sentence = self.segment = 0
        #: Number of the token that is read now.
        self.place = 0
        #: Token up to which a negation reaches; -1 outside one.
        self.negated_until = -1
        #: Whether the running negation has denied something already.
        self.spent = False
        #: Whether it denies too much of something only: "not too dark".
        self.too = False
        #: Factor and place of an intensity word that waits for its operation.
        self.weight: tuple[float, int] | None = None
        #: How many operations were said before the running clause.
        self.before_clause = 0

    def read(self) -> None:
        """Walk through the prompt, term by term."""
        found = list(self.words.matches(self.tokens))
        for index, each in enumerate(found):
            following = found[index + 1] if index + 1 < len(found) else None
            if isinstance(each, Token):
                self.take_token(each)
                self.place += 1
            else:
                self.take_match(each, following)
                self.place = each.after

    def take_token(self, token: Token) -> None:
        """A word that is in no list, or a mark."""
        text = token.text
        if WORD.match(text):
            self.note("unknown", self.place, self.place + 1)
        elif text in SENTENCE_ENDS or (text in COMMAS and self.spent):
            self.end_negation()
        if text in SENTENCE_ENDS or text in COMMAS:
            self.sentence += text in SENTENCE_ENDS and text not in COLONS
            self.begin_clause(after_colon=text in COLONS)

    def note(self, kind: str, first: int, after: int, name: str = "") -> None:
        """Add a part to the running clause."""
        self.clauses[-1].parts.append(Part(kind, first, after, name))

    def begin_clause(self, *, only: bool = False, after_colon: bool = False) -> None:
        """A mark or a turn of the sentence: intensity does not reach across it."""
        self.weight = None
        self.before_clause = len(self.said)
        if not self.clauses[-1].parts:
            empty = self.clauses.pop()
            only, after_colon = only or empty.only, after_colon or empty.after_colon
        self.clauses.append(Clause(self.sentence, self.segment, only, after_colon))

    def take_match(self, match: Match, following: Match | Token | None) -> None:
        """A term of the lexicon, by its role."""
        role = match.meaning.role
        take = TAKES.get(role)
        if self.is_taken_back(match, following):
            self.take_back(self.clauses[-1])
        elif self.is_kept_thing(match):
            self.note("kept_thing", match.first, match.after)
        elif role == "negation" and self.is_region_denied(match, following):
            self.note("kept", match.first, match.after)
        elif take is not None:
            take(self, match)
        elif role == "intensity":
            self.take_intensity(match, following)
        elif role == "listing":
            self.take_listing(following)
        elif role == "lowering":
            self.take_lowering(match, following)
        elif role == "except" and begins(following, "operation"):
            self.take_negation(match)
        elif role == "except" and self.is_verb(following):
            # "Leave everything but make it snow" is no exception.
            self.take_turn(match)
        elif role == "ignored":
            self.note("unknown", match.first, match.after)
        else:
            self.note(role, match.first, match.after, match.meaning.name)

    def take_negation(self, match: Match) -> None:
        """A word such as "no": what follows is not wanted."""
        self.negated_until, self.spent = match.after + REACH, False
        self.too = self.tokens[match.after - 1].text in TOO
        kind = "removal" if match.meaning.role == "removal" else "denial"
        self.note(kind, match.first, match.after)

    def is_taken_back(self, match: Match, following: Match | Token | None) -> bool:
        """Whether Chinese says behind an operation that it is not for doing.

        "把雾去掉" and "雪不要" deny it; "对比不变" speaks of what is in the picture already.
        """
        if not self.touches_an_operation(match):
            return False
        role = match.meaning.role
        if role == "removal":
            return not begins(following, "operation") and not is_unknown(following)
        return role == "kept" or (role in ("negation", "hold") and ends_a_clause(following))

    def is_kept_thing(self, match: Match) -> bool:
        """Whether "keep the fog" speaks of fog that is there already, and not of fog to make."""
        last = self.clauses[-1].parts[-1] if self.clauses[-1].parts else None
        if match.meaning.role != "operation" or last is None or last.kind != "hold":
            return False
        return all(token.text in DETERMINERS for token in self.tokens[last.after : match.first])

    def take_correction(self, match: Match) -> None:
        """ "A mosaic, no, rather stained glass": the last thing said is not wanted."""
        for clause in self.clauses[::-1]:
            if clause.sentence == self.sentence and clause.of("operation"):
                self.take_back(clause)
                return

    def is_region_denied(self, match: Match, following: Match | Token | None) -> bool:
        """Whether a place is left out by a word behind it: "左半边不要"."""
        last = self.clauses[-1].parts[-1] if self.clauses[-1].parts else None
        touches = last is not None and last.kind == "region" and last.after == match.first
        return touches and ends_a_clause(following)

    def touches_an_operation(self, match: Match) -> bool:
        """Whether a Chinese operation ends where this begins."""
        last = self.said[-1] if len(self.said) > self.before_clause else None
        return (
            last is not None
            and last.match.after == match.first
            and bool(HAN.match(self.tokens[match.first].text))
        )

    def take_back(self, clause: Clause) -> None:
        """The last operation of a clause is not asked for after all."""
        part = clause.of("operation")[-1]
        part.kind = "denied"
        self.denied += [said.step.name for said in part.said]
        self.said = [said for said in self.said if said not in part.said]

    def take_turn(self, match: Match) -> None:
        """A word such as "but", "only" or "then"."""
        role = match.meaning.role
        if self.tokens[match.first].text in WANTS and self.negated_until >= 0 and not self.spent:
            return
        self.end_negation()
        self.segment += role == "then" and bool(self.said)
        self.begin_clause(only=role == "only")

    def take_small_word(self, match: Match) -> None:
        """A word that says nothing about the picture, but perhaps where in the sentence we are."""
        text = self.tokens[match.first].text
        if text in self.words.verbs:
            self.note("verb", match.first, match.after, text)
        elif text in self.words.within:
            self.note("within", match.first, match.after, text)

    def take_colour(self, match: Match) -> None:
        """A colour by itself, or "day": of a place, perhaps; `places` finds out."""
        name = match.colours[0] if match.colours else match.meaning.steps[0].name
        if match.first < self.negated_until:
            self.deny(match, [name] if not match.colours else [])
            return
        factor, _ = self.take_weight(match)
        part = Part(match.meaning.role, match.first, match.after, name, match=match, factor=factor)
        self.clauses[-1].parts.append(part)

    def take_operation(self, match: Match) -> None:
        """An operation: denied inside a negation, asked for outside."""
        steps = greyed(match)
        names = [step.name for step in steps]
        if match.first < self.negated_until:
            self.deny(match, names)
            return
        intensity, weighed = self.take_weight(match)
        made = tuple(
            Said(step, match, self.segment, intensity, weighed, clause=len(self.clauses) - 1)
            for step in steps
        )
        self.said += made
        part = Part("operation", match.first, match.after, names[0], made)
        self.clauses[-1].parts.append(part)

    def deny(self, match: Match, names: list[str]) -> None:
        """Something inside a negation: "darker, but not too dark" asks for a little of it."""
        asked = [said for said in self.said if said.step.name in names]
        if self.too and asked:
            asked[-1].intensity, asked[-1].weighed = LITTLE, True
        else:
            self.denied += names
        self.spent, self.negated_until = True, match.after + REACH
        self.weight = None
        self.note("denied", match.first, match.after)

    def take_weight(self, match: Match) -> tuple[float, bool]:
        """The intensity that waits for this term, and whether there was one."""
        weight, self.weight = self.weight, None
        if weight and match.first - weight[1] <= NEAR:
            return weight[0], True
        return 1.0, False

    def take_lowering(self, match: Match, following: Match | Token | None) -> None:
        """A word such as "降低": in front of an operation it denies it, behind one it tempers it."""
        if begins(following, "operation") or len(self.said) == self.before_clause:
            self.take_negation(match)
        else:
            self.take_tempered(match)

    def take_tempered(self, match: Match) -> None:
        """ "But not too strong": a little of the last operation; see `places` for tone and colour."""
        if not self.said or self.clauses[self.said[-1].clause].sentence != self.sentence:
            return
        last = self.said[-1]
        last.intensity, last.weighed = LITTLE, True
        # "Darker, but not too much" asks for a little, "the contrast not so strong" for less than is.
        last.tempered = len(self.said) > self.before_clause

    def take_intensity(self, match: Match, following: Match | Token | None) -> None:
        """A word such as "slightly": for the operation that follows, else for the last one."""
        if is_part_of_a_word(self.tokens, match, following):
            return
        last = self.said[-1] if len(self.said) > self.before_clause else None
        near = last is not None and match.first - last.match.after <= NEAR - 2
        # "Blur all behind them a little": at the end it is for the one thing that the clause asks for.
        near = near or (ends_a_clause(following) and len(self.clauses[-1].of("operation")) == 1)
        if last and near and not last.weighed and not begins(following, "operation"):
            for each in self.said:
                if each.match is last.match:
                    each.intensity, each.weighed = match.meaning.factor, True
            return
        part = self.clauses[-1].parts[-1] if self.clauses[-1].parts else None
        if part and part.after == match.first and part.kind in ("colour", "bare"):
            part.factor = match.meaning.factor
            return
        if part is None and ends_a_clause(following):
            self.weigh_across_a_turn(match)
            return
        before = self.weight[0] if self.weight else 1.0
        self.weight = (before * match.meaning.factor, match.after)

    def weigh_across_a_turn(self, match: Match) -> None:
        """ "雪只要一点点": of the snow, a little is wanted."""
        last = self.said[-1] if self.said else None
        if last is None or last.weighed:
            return
        between = {token.text for token in self.tokens[last.match.after : match.first]}
        if not between & (COMMAS | SENTENCE_ENDS):
            factor = match.meaning.factor * (self.weight[0] if self.weight else 1.0)
            last.intensity, last.weighed = factor, True

    def take_listing(self, following: Match | Token | None) -> None:
        """A word such as "and": a negation reaches over it to operations only; a verb begins anew."""
        if not begins(following, "operation"):
            self.end_negation()
        if self.is_verb(following):
            self.begin_clause()

    def is_verb(self, following: Match | Token | None) -> bool:
        """Whether the next word begins a new thing to do."""
        if isinstance(following, Match) and following.meaning.role == "stop":
            return self.tokens[following.first].text in self.words.verbs
        return False

    def end_negation(self) -> None:
        """What comes now is wanted again."""
        self.negated_until, self.spent = -1, False

    def unknown(self, prompt: str) -> list[str]:
        """Words that are not known, as typed, in order; Chinese characters that touch are one word."""
        spans: list[tuple[int, int]] = []
        places = sorted(
            (part.first, part.after)
            for clause in self.clauses
            for part in clause.of("unknown", "colour")
        )
        for first, after in places:
            start, end = self.tokens[first].start, self.tokens[after - 1].end
            touches = bool(spans) and spans[-1][1] == start
            if touches and is_han(prompt[start]) == is_han(prompt[start - 1]):
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((start, end))
        return list(dict.fromkeys(prompt[start:end] for start, end in spans))


def is_part_of_a_word(tokens: list[Token], match: Match, following: Match | Token | None) -> bool:
    """Whether one character says how much only by itself, and not here: the 大 of 大象."""
    alone = match.after == match.first + 1 and bool(HAN.match(tokens[match.first].text))
    return alone and isinstance(following, Token) and bool(HAN.match(following.text))


def is_unknown(following: Match | Token | None) -> bool:
    """Whether a word follows that is in no list."""
    return isinstance(following, Token) and bool(WORD.match(following.text))


def ends_a_clause(following: Match | Token | None) -> bool:
    """Whether nothing more is said before the next mark."""
    return following is None or (isinstance(following, Token) and not WORD.match(following.text))


def is_han(letter: str) -> bool:
    """Whether this is a Chinese character."""
    return bool(HAN.match(letter))


def begins(following: Match | Token | None, role: str) -> bool:
    """Whether the next thing said is of this role."""
    return isinstance(following, Match) and following.meaning.role == role


def greyed(match: Match) -> tuple[Step, ...]:
    """The steps of a term; a grey tint is black and white."""
    grey = match.colours[:1] and match.colours[0] in GREYS
    return tuple(
        Step("black_and_white") if grey and step.name == "tint" else step
        for step in match.meaning.steps
    )


#: What is done with a term of each role that needs no look ahead.
TAKES = {
    "stop": Grammar.take_small_word,
    "operation": Grammar.take_operation,
    "negation": Grammar.take_negation,
    "removal": Grammar.take_negation,
    "turn": Grammar.take_turn,
    "only": Grammar.take_turn,
    "then": Grammar.take_turn,
    "colour": Grammar.take_colour,
    "bare": Grammar.take_colour,
    "tempered": Grammar.take_tempered,
    "correction": Grammar.take_correction,
}
