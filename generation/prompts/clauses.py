"""A prompt as it is being read: clauses, their parts, and what each part asks for. Light, plain data."""

from dataclasses import dataclass, field

from generation.prompts.lexicon import Match, Step


@dataclass(slots=True)
class Said:
    """One operation a prompt asks for, as it is being read."""

    step: Step
    match: Match
    segment: int
    intensity: float = 1.0
    #: Whether a word of intensity was given to it.
    weighed: bool = False
    #: Whether "not too strong" was said of it.
    tempered: bool = False
    #: Number of its clause.
    clause: int = 0
    #: Where in the picture; empty is everywhere.
    region: str = ""


@dataclass(slots=True)
class Part:
    """A part of a clause that matters for places.

    `kind` is operation, denied, region, rest, hold, kept, kept_colour, except, denial, removal,
    colour, bare, unknown, nowhere, verb or within.
    """

    kind: str
    first: int
    after: int
    name: str = ""
    #: The operations of a term, or the one that a colour became.
    said: tuple[Said, ...] = ()
    match: Match | None = None
    #: What a word of intensity makes of a colour.
    factor: float = 1.0


@dataclass(slots=True)
class Clause:
    """A stretch of the prompt between marks and turns."""

    sentence: int
    segment: int
    #: Begun by a word such as "only".
    only: bool = False
    #: Begun by a colon: what follows spells out what was before.
    after_colon: bool = False
    parts: list[Part] = field(default_factory=list)

    def of(self, *kinds: str) -> list[Part]:
        """Its parts of these kinds."""
        return [part for part in self.parts if part.kind in kinds]
