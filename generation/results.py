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
class RerunResult:
    """How a picture that was made again compares with the one that was kept."""

    #: What the engine says of this run.
    recipe: dict[str, Any]
    #: Whether every pixel is equal.
    identical: bool
    #: Whether the stored file is still the one its row speaks of, by its hash.
    intact: bool
    #: Width and height of what came out now.
    size: tuple[int, int]
    #: Bits of 256 in which the PDQ hashes differ; None where a picture is too plain to be hashed.
    pdq_distance: int | None = None
    #: Largest and mean difference of a channel, 0 to 255, and the share of pixels that differ, 0 to
    #: 1; None for pictures of different size.
    largest: int | None = None
    mean: float | None = None
    differing: float | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, words: dict[str, Any]) -> Self:
        """The result again, from what `as_json` made."""
        return cls(**{**words, "size": tuple(words["size"])})


@dataclass(frozen=True, slots=True)
class FilmResult:
    """A finished film."""

    file: StoredFile
    #: Pictures shown in turn, dissolves included.
    frames: int
    #: How long it lasts.
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, words: dict[str, Any]) -> Self:
        """The result again, from what `as_json` made."""
        return cls(**{**words, "file": StoredFile(**words["file"])})


@dataclass(frozen=True, slots=True)
class LooksResult:
    """A sheet of looks: squares side by side, in the order of `names`."""

    file: StoredFile
    names: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, words: dict[str, Any]) -> Self:
        """The result again, from what `as_json` made."""
        return cls(StoredFile(**words["file"]), tuple(words["names"]))


Result = EditResult | EmbedResult | RerunResult | FilmResult | LooksResult


def names_in(result: Result) -> list[str]:
    """Names of the files of a result, the picture or the film first."""
    if isinstance(result, EditResult):
        return [result.file.name, *(each.name for each in result.strip)]
    return [result.file.name] if isinstance(result, FilmResult | LooksResult) else []


@dataclass(frozen=True, slots=True)
class Plan:
    """How an engine reads a prompt, before anything is made. Shown as chips."""

    preset: str
    #: The operations the engine will run, in order: `requests.Operation` as plain (name, settings).
    operations: tuple[tuple[str, dict[str, Any]], ...] = ()
    #: For people, in the language asked for: names of what was understood.
    read: tuple[str, ...] = ()
    #: For each of them the words of the prompt that asked for it, as typed.
    words: tuple[str, ...] = ()
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
