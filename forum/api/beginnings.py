"""/beginnings: first images made from words alone."""

import secrets
from typing import Annotated, Literal

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from ninja import Field, Path, Router, Schema, Status
from pydantic import ConfigDict

from forum.api.keys import key_of, once, writer
from forum.api.problems import Trouble
from forum.api.schemas import Plain, Said, Waits
from forum.beginnings import actions
from forum.beginnings.forms import engines
from forum.beginnings.models import Beginning
from forum.boards.models import Board, Licence
from forum.web import MemberRequest

router = Router(tags=["beginnings"])
BeginningId = Annotated[int, Path(ge=1, le=2**63 - 1)]


class BeginningIn(Schema):
    """A first image in words."""

    model_config = ConfigDict(extra="forbid")

    board: Annotated[str, Field(max_length=50), Plain]
    prompt: Annotated[str, Field(min_length=1, max_length=2000), Said]
    title: Annotated[str, Field(max_length=120), Plain] = ""
    preset: Annotated[str, Field(max_length=40), Plain] = Field(
        default="",
        description="An engine that makes images from words alone; empty takes the first.",
    )
    licence: Licence | None = Field(default=None, description="Null takes the board's.")
    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    wait: bool = Waits


class BeginningOut(Schema):
    """How a first image stands."""

    id: int
    state: Literal["waiting", "done", "failed", "cancelled"]
    reason: str = Field(description="Why it did not come out; a stable word.")
    prompt: str
    preset: str
    seed: int
    image: int | None = Field(description="The first image, once it is there.")
    thread: int | None = Field(description="The thread that it opened.")
    url: str = Field(description="Where to ask how it stands.")


@router.post("/beginnings", auth=writer, response={202: BeginningOut}, url_name="beginnings")
def post_beginning(
    request: MemberRequest, response: HttpResponse, words: BeginningIn
) -> Status[BeginningOut]:
    """Have a first image made from words alone. It comes into being later: ask at `url`."""
    board = Board.objects.open_to(request.member).filter(slug=words.board).first()
    if board is None:
        raise Trouble(422, "no_such_board", _("There is no such board that is open to you."))
    made = actions.begin(
        member=request.member,
        board=board,
        prompt=words.prompt,
        preset=words.preset or first_engine(),
        title=words.title,
        licence=words.licence or "",
        seed=words.seed,
        waits=words.wait,
        key=key_of(request) or secrets.token_hex(32),
    )
    found = shown(request, made)
    response.headers["Location"] = found.url
    return Status(202, found)


def first_engine() -> str:
    """The first engine at work that makes images from words alone. Raises Trouble without one."""
    for name, _title in engines():
        return name
    said = _("Impossible now: no machine at work makes images from words alone.")
    raise Trouble(409, "no_worker", said)


@router.get("/beginnings/{int:beginning}", auth=writer, response=BeginningOut, url_name="beginning")
def get_beginning(request: MemberRequest, beginning: BeginningId) -> BeginningOut:
    """How your first image stands."""
    return shown(request, own(request, beginning))


@router.post(
    "/beginnings/{int:beginning}/cancel",
    auth=writer,
    response=BeginningOut,
    url_name="beginning-cancel",
)
@once
def cancel(request: MemberRequest, beginning: BeginningId) -> BeginningOut:
    """Stop it before it has come into being; 409 when it has ended."""
    return shown(request, actions.stop(beginning=own(request, beginning), by=request.member))


@router.post(
    "/beginnings/{int:beginning}/retry",
    auth=writer,
    response={202: BeginningOut},
    url_name="beginning-retry",
)
@once
def retry(request: MemberRequest, beginning: BeginningId) -> Status[BeginningOut]:
    """Ask once more for one that failed or was stopped."""
    again = actions.try_again(beginning=own(request, beginning), by=request.member)
    return Status(202, shown(request, again))


def own(request: MemberRequest, pk: int) -> Beginning:
    """One's own; 404 for everybody else's."""
    rows = Beginning.objects.of(request.member).select_related("image")
    found: Beginning = get_object_or_404(rows, pk=pk)
    return found


def shown(request: MemberRequest, row: Beginning) -> BeginningOut:
    """A beginning as plain data."""
    place = reverse("api:beginning", args=[row.pk])
    return BeginningOut(
        id=row.pk,
        state=row.state,  # type: ignore[arg-type]
        reason=row.reason,
        prompt=row.prompt,
        preset=row.preset,
        seed=row.seed,
        image=row.image.pk if row.image else None,
        thread=row.image.thread_id if row.image else None,
        url=request.build_absolute_uri(place),
    )
