"""Says which operation belongs where in the picture: "only the sky", "the background in grey".

Light: standard library only. Within a clause the place either leads ("the sky in watercolour") or
follows ("watercolour on the left"); a clause that names a place and nothing to do gives it to its
neighbour ("just the sky: dark and stormy"; "snow, but only on the left"). What is kept ("leave the sky
alone") turns what has no place of its own into its opposite.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from generation.prompts.clauses import Clause, Part, Said
from generation.prompts.grammar import GREYS, Grammar
from generation.prompts.lexicon import HAN, Match, Meaning, Step

#: A place that means all but another.
OPPOSITES = {
    "sky": "not_sky", "not_sky": "sky",
    "subject": "background", "background": "subject",
    "left": "right", "right": "left",
    "top": "bottom", "bottom": "top",
    "centre": "edges", "edges": "centre",
}  # fmt: skip
UNPAINTABLE = frozenset({"#101014", "#f5f3ee"})
#: Places when they end a clause, and when they are all of it.
LAST_WORDS = {"behind": "background", "below": "bottom", "above": "top", "front": "subject"}
LONE_WORDS = {"left": "left", "right": "right", "top": "top", "bottom": "bottom"}
LONE_WORDS |= {"左": "left", "右": "right", "上": "top", "下": "bottom", "人": "subject"}
SIDE_WORDS = frozenset("左右")
#: Things to do, or a colour to be.
ACTS = ("operation", "colour", "bare")
#: Words that end like what happens, and are things.
THINGS = frozenset({"spring", "building", "ceiling", "painting", "king", "ring", "wing", "swing"})
#: Places that are not sides of a thing.
WHOLE = frozenset({"sky", "subject", "background"})
#: Last characters of places that also say where something comes from.
SIDES = frozenset("边侧面方")
#: Lights whose sun may stand behind somebody.
SUNS = frozenset({"golden_hour", "dawn", "dusk", "sun_rays"})
#: A colour is a place's at most as many words behind it.
COLOUR_NEAR = 4
#: Done to places only, for alone it is a complaint: "blurry".
SAID_OF_THINGS = frozenset({"dreamy"})
#: A place that people name and that no rule here can find.
NOWHERE = "nowhere"


class Places:
    """Gives every operation of a prompt its place."""

    def __init__(self, grammar: Grammar, tones: frozenset[str]) -> None:
        self.grammar = grammar
        #: Operations that change tone or colour: "in colour" speaks of these alone.
        self.tones = tones
        self.texts = [token.text for token in grammar.tokens]
        #: Places to be left as they are, and places that keep their colour.
        self.kept: list[str] = []
        self.kept_colour: list[str] = []

    def give(self) -> None:
        """Find all places, clause by clause, then between clauses."""
        self.temper()
        self.name_the_rest()
        self.take_lone()
        named = [clause for clause in self.grammar.clauses if clause.of("region")]
        if not named:
            return
        for clause in named:
            self.keep(clause)
            drop_locations(clause, self.texts)
            self.bind(clause)
        for number in range(len(self.grammar.clauses)):
            self.hand_on(number)
        self.spare()
        self.own_up()

    def temper(self) -> None:
        """ "The contrast not so strong" asks for less than there is, which nothing here can do."""
        for clause in self.grammar.clauses:
            for part in clause.of("operation"):
                if part.said[-1].tempered and part.said[-1].step.name in self.tones:
                    part.kind = "denied"
                    self.grammar.denied += [said.step.name for said in part.said]
                    self.grammar.said = [s for s in self.grammar.said if s not in part.said]

    def take_lone(self) -> None:
        """What else needs a place is an operation where it is all that is said: "very 暗"."""
        for clause in self.grammar.clauses:
            parts = [part for part in clause.parts if part.kind not in ("verb", "within")]
            if [part.kind for part in parts] == ["bare"] and parts[0].name not in SAID_OF_THINGS:
                self.put(clause, parts[0], [""])

    def name_the_rest(self) -> None:
        """ "The rest" is what was not named before it."""
        last = ""
        for clause in self.grammar.clauses:
            name_bare_places(clause, self.texts)
            for part in clause.of("region", "rest"):
                if part.kind == "region":
                    last = part.name if part.name in OPPOSITES else last
                elif last:
                    part.kind, part.name = "region", OPPOSITES[last]
                else:
                    part.kind = "nothing"

    def keep(self, clause: Clause) -> None:
        """Set aside places that shall stay as they are."""
        for place, part in enumerate(clause.parts):
            if part.kind != "region":
                continue
            before = next_of(clause.parts[:place][::-1], "verb", "within", "unknown")
            after = next_of(clause.parts[place + 1 :], "verb", "within", "unknown")
            if is_kept(clause, place, before, after):
                part.kind = "nothing"
                in_colour = after is not None and after.kind == "kept_colour"
                if part.name != NOWHERE:
                    (self.kept_colour if in_colour else self.kept).append(part.name)
            elif before is not None and before.kind in ("denied", "removal"):
                part.kind = "nothing"

    def bind(self, clause: Clause) -> None:
        """Give the operations of a clause the places named in it."""
        acts = [
            part
            for part in clause.parts
            if part.kind in ("region", "operation")
            or (part.kind in ACTS and self.is_of_a_place(clause, part))
        ]
        if not any(part.kind == "region" for part in acts):
            return
        leads = acts[0].kind == "region"
        for regions, group in groups(acts, leads=leads):
            for part in group:
                if self.reaches(clause, regions, part):
                    self.put(clause, part, [region.name for region in regions])

    def is_of_a_place(self, clause: Clause, colour: Part) -> bool:
        """Whether a bare colour touches a place: "the sky red", "a red sky", but not "red car"."""
        if colour.name in UNPAINTABLE:
            return False
        unknown = [each.first for each in clause.of("unknown")]
        if colour.after in unknown:
            return False
        for region in clause.of("region"):
            gap = range(region.after, colour.first)
            joint = self.texts[colour.after : region.first]
            if colour.after <= region.first and (not joint or joint == ["的"]):
                return True
            near = region.after <= colour.first <= region.after + COLOUR_NEAR
            if near and not set(gap) & set(unknown):
                return True
        return False

    def reaches(self, clause: Clause, regions: list[Part], part: Part) -> bool:
        """Whether a place and something to do belong together, for all that stands between them."""
        leads = regions[0].first < part.first
        region = regions[-1] if leads else regions[0]
        low, high = (region.after, part.first) if leads else (part.after, region.first)
        between = [each for each in clause.of("unknown") if low <= each.first < high]
        if leads:
            # "边缘撕破的木刻" is about the woodcut, whose edges are torn.
            described = bool(between) and "的" in self.texts[low:high]
            return not between or (is_strong(clause, regions[0]) and not described)
        if any(each.after == region.first for each in between):
            return False
        return len(between) <= (0 if region.name == "sky" else 1)

    def put(self, clause: Clause, part: Part, regions: list[str]) -> None:
        """Place what a part asks for in these regions."""
        if part.kind != "operation":
            part.said = (self.painted(clause, part),)
            self.grammar.said += part.said
            part.kind = "operation"
        for said in part.said:
            said.region = regions[0]
            for further in regions[1:]:
                self.grammar.said.append(replace(said, region=further))

    def painted(self, clause: Clause, part: Part) -> Said:
        """What a colour of a place becomes."""
        colours: tuple[str, ...] = ()
        if part.kind == "bare":
            step = Step(part.name)
        elif part.name in GREYS:
            step = Step("black_and_white")
        else:
            step, colours = Step("tint"), (part.name,)
        match = Match(part.first, part.after, Meaning("operation", (step,)), colours)
        number = self.grammar.clauses.index(clause)
        return Said(step, match, clause.segment, part.factor, clause=number)

    def hand_on(self, number: int) -> None:
        """Let a clause with a place but nothing to do give it to a neighbour."""
        clauses = self.grammar.clauses
        clause = clauses[number]
        named = [part.name for part in clause.of("region")]
        if not named:
            return
        if clause.of("operation"):
            if clause.only:
                self.spread(number, named)
            return
        if clause.of("denial", "removal") or (clause.of("unknown") and not clause.only):
            return
        following = clauses[number + 1] if number + 1 < len(clauses) else None
        if following and self.may_take(clause, following):
            if clause.only or following.after_colon:
                self.spread(number, named)
            else:
                self.place_all(following, named)
        else:
            self.hand_back(number, named)

    def may_take(self, clause: Clause, following: Clause) -> bool:
        """Whether the next clause says what to do with a place that was named before it."""
        near = following.sentence == clause.sentence or clause.only
        return near and bool(unplaced(following)) and not following.of("region")

    def spread(self, number: int, named: list[str]) -> None:
        """Place what follows, up to the end of the sentence or the next place."""
        for clause in self.grammar.clauses[number + 1 :]:
            first = self.grammar.clauses[number]
            if clause.of("region") or clause.segment != first.segment:
                return
            if clause.sentence > first.sentence + 1 or (
                clause.sentence != first.sentence and first.of("operation")
            ):
                return
            self.place_all(clause, named)

    def hand_back(self, number: int, named: list[str]) -> None:
        """Place what was said just before: "snow, but only on the left"."""
        for clause in self.grammar.clauses[:number][::-1]:
            if clause.sentence != self.grammar.clauses[number].sentence:
                return
            if clause.of("region"):
                return
            if unplaced(clause):
                self.place_all(clause, named)
                return

    def place_all(self, clause: Clause, named: list[str]) -> None:
        """Give all operations of a clause that have no place these."""
        for part in unplaced(clause):
            self.put(clause, part, named)

    def spare(self) -> None:
        """What has no place of its own keeps away from what shall stay."""
        for said in self.grammar.said:
            tone = said.step.name in self.tones
            if not said.region and self.kept:
                said.region = OPPOSITES[self.kept[0]]
            elif not said.region and tone and self.kept_colour:
                said.region = OPPOSITES[self.kept_colour[0]]

    def own_up(self) -> None:
        """Places of which nothing came are words that were not understood."""
        used = {said.region for said in self.grammar.said} | {*self.kept, *self.kept_colour}
        for clause in self.grammar.clauses:
            for part in clause.of("region"):
                if part.name not in used:
                    part.kind = "unknown"


def name_bare_places(clause: Clause, words: Sequence[str]) -> None:
    """Words that name a place only where they stand alone: "newsprint behind", "the left: winter"."""
    if not clause.parts:
        return
    first, last = clause.parts[0], clause.parts[-1]
    text = words[last.first]
    if last.kind in ("within", "unknown") and text in LAST_WORDS:
        last.kind, last.name = "region", LAST_WORDS[text]
    for part, following in pairwise(clause.parts):
        # "左冬右秋": a side by itself, and at once what happens there.
        side = part.kind == "unknown" and words[part.first] in SIDE_WORDS
        if side and following.kind == "operation" and following.first == part.after:
            part.kind, part.name = "region", LONE_WORDS[words[part.first]]
    followed = len(clause.parts) > 1 and clause.parts[1].kind == "unknown"
    alone = first.kind == "unknown" or (first.kind == "within" and len(clause.parts) == 1)
    if alone and words[first.first] in LONE_WORDS and not followed:
        first.kind, first.name = "region", LONE_WORDS[words[first.first]]


def is_kept(clause: Clause, place: int, before: Part | None, after: Part | None) -> bool:
    """Whether the place at this part is one that shall stay as it is."""
    if after is not None and after.kind in ("kept", "kept_colour"):
        return not any(each.first == after.after for each in clause.of("unknown"))
    if before is None:
        return False
    if before.kind == "kept":
        return not any(part.kind == "region" for part in clause.parts[:place])
    if before.kind == "hold":
        return not any(part.kind in ACTS for part in clause.parts[place + 1 :])
    return before.kind in ("except", "denial")


def drop_locations(clause: Clause, words: Sequence[str]) -> None:
    """Forget places that only say where a thing is: "a whale in the sky", "the sky at night".

    "Only the sky at night" names a place all the same.
    """
    for place, part in enumerate(clause.parts):
        if part.kind == "region" and (
            follows_a_thing(clause.parts[:place], part, words)
            or belongs_to_a_thing(clause.parts[:place], part, clause.parts[place + 1 :], words)
            or (not clause.only and is_a_time(part, clause.parts[place + 1 :], words))
            or is_where_the_sun_is(clause, part, words)
        ):
            part.kind = "nothing"


def follows_a_thing(before: list[Part], part: Part, words: Sequence[str]) -> bool:
    """Whether a place stands behind a thing: "the dog on the left", "房子后面", or a direction."""
    last = before[-1] if before else None
    if last is not None and words[last.after - 1] == "从" and words[part.after - 1] in SIDES:
        return True
    if HAN.match(words[part.first]):
        touches = last is not None and last.kind == "unknown" and last.after == part.first
        touches = touches and words[part.first - 1] != "从"
        return touches and (part.name not in WHOLE or words[part.first] in "前后")
    within = last is not None and last.kind == "within" and last.after >= part.first - 2
    inside = words[part.first] in ("on", "at", "in")
    return (within or inside) and is_thing(next_of(before[::-1], "within"), words)


def belongs_to_a_thing(
    before: list[Part], part: Part, after: list[Part], words: Sequence[str]
) -> bool:
    """Whether a place is a thing's: "the top of the hill", "the dog on the left at night"."""
    behind = after[0] if after else None
    if behind is None:
        return False
    if behind.kind == "within" and behind.name == "of":
        near = len(after) > 1 and after[1].first <= behind.after + 1
        return near and after[1].kind in ("unknown", "bare")
    return is_at(behind, words) and any(is_thing(each, words) for each in before)


def is_a_time(part: Part, after: list[Part], words: Sequence[str]) -> bool:
    """Whether a sky stands for a time of day: "the sky at night"."""
    return part.name == "sky" and bool(after) and is_at(after[0], words)


def is_where_the_sun_is(clause: Clause, part: Part, words: Sequence[str]) -> bool:
    """Whether "behind them" says where the sun stands, and not where to paint."""
    behind = words[part.first] == "behind" or words[part.after - 1] == "后"
    return behind and any(each.name in SUNS for each in clause.of("operation"))


def is_at(part: Part, words: Sequence[str]) -> bool:
    """Whether a part begins with "at" and says when or what."""
    return words[part.first] == "at" and part.kind in ("within", "operation")


def is_thing(part: Part | None, words: Sequence[str]) -> bool:
    """Whether an unknown word is a thing, and not something that happens, such as "creeping"."""
    if part is None or part.kind != "unknown":
        return False
    text = words[part.after - 1]
    return not text.endswith("ing") or text in THINGS


def groups(acts: list[Part], *, leads: bool) -> Iterator[tuple[list[Part], list[Part]]]:
    """Places with what is to be done there; neighbouring places share."""
    regions: list[Part] = []
    group: list[Part] = []
    for part in acts if leads else acts[::-1]:
        if part.kind != "region":
            group.append(part)
            continue
        if group and regions:
            yield regions, group
        if group:
            regions, group = [], []
        regions.append(part)
    if regions and group:
        yield regions, group


def is_strong(clause: Clause, region: Part) -> bool:
    """Whether a place is what the clause is about: first in it, or right behind its verb."""
    place = clause.parts.index(region)
    before = clause.parts[place - 1].kind if place else "verb"
    behind = clause.parts[place + 1].kind if place + 1 < len(clause.parts) else ""
    return before == "verb" and behind != "within"


def unplaced(clause: Clause) -> list[Part]:
    """Operations of a clause that have no place yet; a colour, where it is all that is said."""
    if [part.kind for part in clause.parts if part.kind != "verb"] == ["colour"]:
        return clause.of("colour")
    return [part for part in clause.of("operation") if not part.said[0].region]


def next_of(parts: list[Part], *passed: str) -> Part | None:
    """The first part that is none of these kinds."""
    return next((part for part in parts if part.kind not in passed), None)
