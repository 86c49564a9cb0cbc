"""What the forum asks of the studio: plain frozen data. No Django, no torch, no pixels."""

from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple, Self


@dataclass(frozen=True, slots=True)
class ImageRef:
    """One stored picture, by the name of its file. Bytes never enter the queue."""

    #: Hex SHA-256 of the file.
    sha256: str
    #: Name in Django's default storage.
    name: str
    #: Width and height in pixels.
    size: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Operation:
    """One step of a darkroom plan: what the machine will do, and how."""

    name: str
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EditRequest:
    """One derivative to be made from one or more sources."""

    preset: str
    prompt: str
    seed: int
    #: The image that is answered comes first; further sources follow. Empty begins from nothing.
    sources: tuple[ImageRef, ...]
    #: How far the picture may go, from 0 (hardly touched) to 1 (transformed).
    strength: float = 0.6
    #: What the member saw as chips before sending; None lets the engine read the prompt itself.
    read_as: tuple[Operation, ...] | None = None
    #: White where the picture may change; None is everywhere.
    mask: ImageRef | None = None
    #: What must not be seen, for engines that can avoid something.
    negative: str = ""
    #: Width and height wanted, in pixels; None takes the preset's size nearest to the first source.
    size: tuple[int, int] | None = None
    #: Denoising steps and guidance; None takes the preset's.
    steps: int | None = None
    guidance: float | None = None
    #: Size of the batch that a recipe was made in, to make it again bit for bit; None is free.
    bucket: int | None = None
    #: Names of embedding models to run on the result while it is still in memory.
    embed: tuple[str, ...] = ("wf1",)
    #: A stored picture with which the result is compared instead of being kept: "run again".
    compare_to: ImageRef | None = None
    #: With `read_as`: words that the reader, who may know a community's own, did not know.
    unread: tuple[str, ...] | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, words: dict[str, Any]) -> Self:
        """The request again, from what `as_json` made."""
        read_as, mask, size = words.get("read_as"), words.get("mask"), words.get("size")
        unread = words.get("unread")
        compare_to = words.get("compare_to")
        return cls(
            preset=words["preset"],
            prompt=words["prompt"],
            seed=words["seed"],
            sources=tuple(image_ref(each) for each in words["sources"]),
            strength=words["strength"],
            read_as=None if read_as is None else tuple(Operation(**each) for each in read_as),
            mask=None if mask is None else image_ref(mask),
            negative=words.get("negative", ""),
            size=None if size is None else (size[0], size[1]),
            steps=words.get("steps"),
            guidance=words.get("guidance"),
            bucket=words.get("bucket"),
            embed=tuple(words["embed"]),
            unread=None if unread is None else tuple(unread),
            compare_to=None if compare_to is None else image_ref(compare_to),
        )


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """Vectors wanted of a picture that already exists."""

    source: ImageRef
    models: tuple[str, ...] = ("wf1",)

    def as_json(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, words: dict[str, Any]) -> Self:
        """The request again, from what `as_json` made."""
        return cls(source=image_ref(words["source"]), models=tuple(words["models"]))


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture of a film, and what is written over it where titles are wanted."""

    picture: ImageRef
    title: str = ""


@dataclass(frozen=True, slots=True)
class FilmRequest:
    """A short film of pictures that exist, one dissolving into the next."""

    shots: tuple[Shot, ...]
    #: "webp" or "mp4".
    format: str = "webp"
    #: Longer side in pixels.
    side: int = 640
    #: Seconds that a picture stays, and that it takes to become the next.
    hold: float = 1.6
    fade: float = 0.6

    def as_json(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, words: dict[str, Any]) -> Self:
        """The request again, from what `as_json` made."""
        shots = (Shot(image_ref(each["picture"]), each["title"]) for each in words["shots"])
        return cls(**{**words, "shots": tuple(shots)})


@dataclass(frozen=True, slots=True)
class Look:
    """A ready-made look: its name, and what the engine does for it."""

    name: str
    read_as: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class LooksRequest:
    """Thumbnails of one picture in several looks, side by side in one file."""

    source: ImageRef
    looks: tuple[Look, ...]
    preset: str = "darkroom"
    #: Width and height of one thumbnail in pixels.
    side: int = 128
    seed: int = 7

    def as_json(self) -> dict[str, Any]:
        """Plain data for a JSON column."""
        return asdict(self)

    @classmethod
    def from_json(cls, words: dict[str, Any]) -> Self:
        """The request again, from what `as_json` made."""
        looks = (
            Look(each["name"], tuple(Operation(**step) for step in each["read_as"]))
            for each in words["looks"]
        )
        return cls(**{**words, "source": image_ref(words["source"]), "looks": tuple(looks)})


def image_ref(words: dict[str, Any]) -> ImageRef:
    """An `ImageRef` from its JSON form."""
    return ImageRef(sha256=words["sha256"], name=words["name"], size=tuple(words["size"]))


class OwnWord(NamedTuple):
    """A word of a community: a term, and the operations with settings it stands for."""

    term: str
    #: (name, settings as pairs), in order; hashable, for what is made of them is remembered.
    steps: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]
