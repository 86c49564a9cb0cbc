"""What the studio answers: plain frozen data. No Django, no torch, no pixels."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Vector:
    """An embedding of one picture: float32 numbers of unit length, by a named model and version."""

    model: str
    numbers: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file the studio wrote into storage."""

    name: str
    mime: str
    bytes: int
    sha256: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class EditResult:
    """A finished derivative: where its file is and how it was made."""

    file: StoredFile
    #: Everything needed to make it again; see `architecture.md`, recipe.
    recipe: dict[str, Any]
    vectors: tuple[Vector, ...] = ()
    #: PDQ hash as 64 hex digits, and its quality from 0 to 100.
    pdq: str = ""
    pdq_quality: int = 0
    #: Kept preview frames, oldest first.
    strip: tuple[StoredFile, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, words: dict[str, Any]) -> Self:
        """The result again, from what `as_json` made."""
        return cls(
            file=StoredFile(**words["file"]),
            recipe=words["recipe"],
            vectors=vectors(words["vectors"]),
            pdq=words["pdq"],
            pdq_quality=words["pdq_quality"],
            strip=tuple(StoredFile(**each) for each in words["strip"]),
        )


@dataclass(frozen=True, slots=True)
class EmbedResult:
    """Vectors and perceptual hash of a picture that already existed."""

    vectors: tuple[Vector, ...]
    pdq: str = ""
    pdq_quality: int = 0

    def as_json(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, words: dict[str, Any]) -> Self:
        """The result again, from what `as_json` made."""
        return cls(
            vectors=vectors(words["vectors"]),
            pdq=words["pdq"],
            pdq_quality=words["pdq_quality"],
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """How an engine reads a prompt, before anything is made. Shown as chips."""

    preset: str
    #: The operations the engine will run, in order: `requests.Operation` as plain (name, settings).
    operations: tuple[tuple[str, dict[str, Any]], ...] = ()
    #: For people, in the language asked for: names of what was understood.
    read: tuple[str, ...] = ()
    #: Words of the prompt that the engine does not know, as typed.
    unknown: tuple[str, ...] = ()
    #: What could be asked for instead, for people: (name to show, words to type).
    offers: tuple[tuple[str, str], ...] = ()
    #: Expected engine time in seconds, without waiting.
    seconds: float = 0.0
    #: Why this cannot be run; empty when it can.
    refusal: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def understood(self) -> bool:
        """Whether there is anything to do."""
        return bool(self.operations) and not self.refusal


def vectors(words: list[dict[str, Any]]) -> tuple[Vector, ...]:
    """Vectors from their JSON form."""
    return tuple(Vector(model=each["model"], numbers=tuple(each["numbers"])) for each in words)
