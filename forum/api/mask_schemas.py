"""Shapes of masks, as the API takes and gives them."""

from datetime import datetime
from typing import Annotated

from ninja import Field, Schema
from pydantic import ConfigDict


class RectangleIn(Schema):
    """A rectangle in which the image may change, in shares of its width and height."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    x: Annotated[float, Field(ge=0, lt=1)] = Field(description="Left edge.")
    y: Annotated[float, Field(ge=0, lt=1)] = Field(description="Upper edge.")
    w: Annotated[float, Field(gt=0, le=1)] = Field(description="Width.")
    h: Annotated[float, Field(gt=0, le=1)] = Field(description="Height.")
    feather: Annotated[float, Field(ge=0, le=0.1)] = Field(
        default=0.0, description="Width of its soft edge, as a share of the longer side."
    )


class MaskOut(Schema):
    """A mask: white where the image may change."""

    id: int
    url: str = Field(description="Its picture, a PNG.")
    image: int = Field(description="The image it is for.")
    width: int
    height: int
    sha256: str
    feather: float = Field(description="Width of its soft edge, as a share of the longer side.")
    share: float = Field(description="How much of the image may change, 0 to 1.")
    created_at: datetime
