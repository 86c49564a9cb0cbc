"""Shapes of what the API takes and gives. References are ids; boards go by their slug."""

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Field, Schema
from pydantic import AfterValidator, ConfigDict

from forum.api.mask_schemas import RectangleIn


def plain(text: str) -> str:
    """Text that a database can keep. Raises ValueError for NUL."""
    if "\0" in text:
        raise ValueError("NUL characters cannot be kept.")
    return text


def said(text: str) -> str:
    """Text that says something. Raises ValueError."""
    if not text.strip():
        raise ValueError("This must not be empty.")
    return plain(text)


#: The same for form fields and queries, where ninja loses a default beside a validator.
NO_NUL = r"^[^\x00]*$"
Plain = AfterValidator(plain)
Said = AfterValidator(said)
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
#: Of whatever a machine makes: by default nothing waits for a machine that is not there.
Waits: Any = Field(
    default=False,
    description="Let it wait where no machine at work has this preset, instead of 409 no_worker.",
)
Visibility = Literal["public", "members", "private"]
Licence = Literal[
    "all-rights-reserved", "CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0", "public-domain"
]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=50)]
State = Literal["waiting", "running", "done", "failed", "cancelled"]


class Problem(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str = Field(description="For people.")
    code: str = Field(description="Stable, for programs.")
    errors: list[dict[str, str]] = Field(
        default=[], description="What is wrong where: {at, message}."
    )


class MeOut(Schema):
    """The member whose token this is."""

    id: int
    username: str
    name: str
    role: Literal["member", "moderator", "owner"]
    language: str
    url: str


class BoardIn(Schema):
    """A new board."""

    model_config = ConfigDict(extra="forbid")

    slug: Slug
    title: Annotated[str, Field(min_length=1, max_length=100), Said]
    visibility: Visibility = "public"
    description: Annotated[str, Field(max_length=2000), Plain] = ""
    licence: Licence = "CC-BY-4.0"
    preset: Annotated[str, Field(max_length=40), Plain] = Field(
        default="", description="The engine that answers; empty is the house's usual one."
    )


class BoardOut(Schema):
    """A board."""

    slug: str
    title: str
    visibility: Visibility
    description: str
    licence: str
    preset: str = Field(description="Empty: the house's usual one, a GPU's while one is at work.")
    archived: bool
    created_at: datetime
    url: str


class BoardList(Schema):
    """One page of boards."""

    items: list[BoardOut]
    next: str | None = Field(description="Cursor of the next page; null at the end.")


class Files(Schema):
    """Where the bytes are; null where there is none, or where it is not for you."""

    original: str | None
    display: str | None
    thumb: str | None


class ImageOut(Schema):
    """An image."""

    id: int
    url: str = Field(description="Its page, for people.")
    board: str
    thread: int
    kind: Literal["original", "derivative"]
    state: Literal["ready", "hidden"]
    title: str
    alt: str
    author: str | None = Field(description="User name; null where the author has left.")
    licence: str
    allow_derivatives: bool
    origin: str
    width: int
    height: int
    sha256: str = Field(description="Of the original file.")
    generation: int = Field(description="Steps from the nearest original.")
    sources: list[int] = Field(description="Images it was made from, the answered one first.")
    recipe: dict[str, Any] | None = Field(description="How to make it again; null for originals.")
    files: Files
    created_at: datetime


class OperationIn(Schema):
    """One thing for the darkroom to do. Which there are, and their settings, the open program says."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=60), Plain]
    settings: Annotated[
        dict[Annotated[str, Field(max_length=40)], float | Annotated[str, Field(max_length=40)]],
        Field(max_length=12),
    ] = Field(default={}, description="Such as {intensity: 0.5, region: sky}.")


class OperationOut(Schema):
    """One thing that the darkroom does."""

    name: str
    settings: dict[str, Any]


class ReadOut(OperationOut):
    """One thing that was read of a prompt."""

    title: str = Field(description="For people.")
    words: str = Field(description="The words of the prompt that asked for it.")


class OfferOut(Schema):
    """Something that could be asked for instead."""

    title: str
    words: str = Field(description="What to type.")


class PlanOut(Schema):
    """How a prompt is read, before anything is made."""

    preset: str
    operations: list[ReadOut] = Field(description="In order; may be sent as `read_as`.")
    unknown: list[str] = Field(description="Words that the engine does not know.")
    offers: list[OfferOut] = Field(description="Where nothing was understood.")
    notes: list[str] = Field(description="For people.")
    seconds: float = Field(description="Expected, without waiting.")
    refusal: str = Field(description="Why this cannot be run; empty when it can.")
    impossible: bool = Field(description="Whether no machine at work has this preset.")


class WordIn(Schema):
    """A word for the darkroom to learn."""

    model_config = ConfigDict(extra="forbid")

    term: Annotated[str, Field(min_length=1, max_length=60), Said]
    means: Annotated[str, Field(min_length=1, max_length=200), Said] = Field(
        description="In words that the darkroom knows, such as “sepia, slightly old photograph”."
    )


class WordOut(Schema):
    """A word that a board taught the darkroom."""

    id: int
    term: str
    means: str
    read_as: list[OperationOut]
    taught_by: str | None = Field(description="User name; null where they have left.")
    created_at: datetime
    before: str = Field(description="What it meant without this; empty where it is new.")


class PromptIn(Schema):
    """An answer by prompt."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(min_length=1, max_length=2000), Said]
    engine: Annotated[str, Field(max_length=40), Plain] = Field(
        default="", description="Name of an engine; the first preset of that engine answers."
    )
    preset: Annotated[str, Field(max_length=40), Plain] = Field(
        default="", description="Name of a preset; empty takes the board's."
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    strength: Annotated[float, Field(ge=0, le=1)] = 0.6
    sources: list[Id] = Field(
        default=[], max_length=8, description="Further images to draw on, beside the answered one."
    )
    read_as: Annotated[list[OperationIn], Field(min_length=1, max_length=8)] | None = Field(
        default=None,
        description="What the darkroom shall do, in order; null lets it read the prompt.",
    )
    mask: Id | RectangleIn | None = Field(
        default=None,
        description="Where the image may change: a mask of yours, or a rectangle. Null is everywhere.",
    )
    wait: bool = Waits


class LinkIn(Schema):
    """An answer by pointing to an image that exists."""

    model_config = ConfigDict(extra="forbid")

    image: Id


class Accepted(Schema):
    """A reply that waits."""

    id: int
    state: State
    url: str = Field(description="Where to ask how it stands.")


class Reason(Schema):
    """Why a reply did not come out."""

    code: str
    detail: str


class ReplyOut(Schema):
    """A reply and how it stands."""

    id: int
    url: str
    page: str = Field(description="Its page, for people.")
    thread: int
    to: int = Field(description="The image that is answered.")
    author: str | None
    kind: Literal["prompt", "upload", "link"]
    state: State
    progress: float = Field(description="From 0 to 1.")
    before: int | None = Field(description="Jobs that go before it while it waits; else null.")
    seconds_left: float | None = Field(
        description="Expected until it is done; null when it has ended, or no machine can do it now."
    )
    error: Reason | None
    image: int | None = Field(description="What it became, or points to.")
    prompt: str
    preset: str
    seed: int | None
    strength: float | None
    sources: list[int] = Field(description="Further images it draws on.")
    mask: str | None = Field(description="Where the image might change; null is everywhere.")
    recipe: dict[str, Any] | None
    created_at: datetime
    ended_at: datetime | None


class ReplyList(Schema):
    """One page of replies, newest first."""

    items: list[ReplyOut]
    next: str | None


class ThreadOut(Schema):
    """A thread: its first image and a page of what answers it, oldest first."""

    id: int
    url: str
    board: str
    title: str
    first_image: int
    images: int
    voices: int
    created_at: datetime
    moved_at: datetime
    replies: list[ReplyOut]
    next: str | None


class ThreadLine(Schema):
    """A thread in a list."""

    id: int
    url: str
    board: str
    title: str
    first_image: int
    images: int
    voices: int
    moved_at: datetime


class ThreadList(Schema):
    """One page of threads, newest first."""

    items: list[ThreadLine]
    next: str | None


class Node(Schema):
    """An image in a lineage, or the grey place of one that is not for you."""

    id: int | str = Field(description="The image's id; a word such as g1 for a grey place.")
    row: int = Field(description="Steps from the oldest.")
    grey: Literal["", "withdrawn", "hidden", "unseen"]
    kind: str | None
    title: str | None
    thumb: str | None


class Edge(Schema):
    """`child` was made from `source`: ids of nodes."""

    source: int | str
    child: int | str
    position: int = Field(description="0 is the image that was answered.")


class LineageOut(Schema):
    """All that an image comes from and all that comes from it."""

    here: int | str
    nodes: list[Node]
    edges: list[Edge]
    cut: bool = Field(description="Whether there is more than fits.")


class ResonanceOut(Schema):
    """An image of another thread that resonates."""

    image: int
    score: float = Field(description="Cosine of the two vectors.")
    reason: str
    state: str
    thread: int
    thumb: str | None
