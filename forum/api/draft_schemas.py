"""What is said and shown of drafts."""

from typing import Annotated, Literal

from ninja import Field, Schema
from pydantic import ConfigDict

from forum.api.mask_schemas import RectangleIn
from forum.api.schemas import Id, OperationIn, Plain, Said, Waits


class TurnIn(Schema):
    """The next turn of a draft."""

    model_config = ConfigDict(extra="forbid")

    prompt: Annotated[str, Field(min_length=1, max_length=2000), Said]
    engine: Annotated[str, Field(max_length=40), Plain] = ""
    preset: Annotated[str, Field(max_length=40), Plain] = ""
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    strength: Annotated[float, Field(ge=0, le=1)] = 0.6
    candidates: Annotated[int, Field(ge=1, le=4)] = 1
    vary: Literal["seed", "strength"] = Field(
        default="seed", description="Whether candidates differ by seed or grow in strength."
    )
    sources: list[Id] = Field(
        default=[], max_length=1, description="A second picture that this turn looks at."
    )
    read_as: Annotated[list[OperationIn], Field(min_length=1, max_length=8)] | None = Field(
        default=None,
        description="What the darkroom shall do, in order; null lets it read the prompt.",
    )
    mask: Id | RectangleIn | None = Field(
        default=None,
        description="Where the picture may change: a mask of yours, or a rectangle. Null is everywhere.",
    )
    wait: bool = Waits


class TakeOut(Schema):
    """One candidate of a draft."""

    id: int
    turn: int
    position: int
    after: int | None = Field(description="The take it edits; null is the image itself.")
    prompt: str
    preset: str
    seed: int
    strength: float
    state: Literal["waiting", "done", "failed", "cancelled"]
    reason: str = Field(description="Why it did not come out; a stable word.")
    sources: list[int] = Field(description="The second picture that its turn looked at, if any.")
    mask: int | None
    picture: str | None = Field(description="Where its picture is, for you alone.")
    reply: int | None = Field(description="What it became in the thread.")


class DraftOut(Schema):
    """Your draft to an image."""

    image: int
    head: int | None = Field(description="The take that the next turn edits; null is the image.")
    takes: list[TakeOut]
