"""/boards and /me."""

from typing import Annotated

from django.http import HttpResponse
from django.urls import reverse
from ninja import Query, Router, Status

from forum.api import schemas, showing
from forum.api.cursors import cut
from forum.api.keys import once, reader, writer
from forum.boards import actions
from forum.boards.models import Board
from forum.web import MemberRequest, Request

router = Router(tags=["boards"])
Cursor = Annotated[str, Query(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/me", auth=writer, response=schemas.MeOut, url_name="me", tags=["you"])
def me(request: MemberRequest) -> schemas.MeOut:
    """Whose token this is."""
    member = request.member
    return schemas.MeOut(
        id=member.pk,
        username=member.username,
        name=member.name,
        role=member.role,  # type: ignore[arg-type]
        language=member.language,
        url=request.build_absolute_uri(reverse("member", args=[member.username])),
    )


@router.get("/boards", auth=reader, response=schemas.BoardList, url_name="boards")
def list_boards(request: Request, cursor: Cursor = "", limit: Limit = 50) -> schemas.BoardList:
    """The boards you may look into, newest first."""
    rows, beyond = cut(Board.objects.visible_to(request.member), cursor=cursor, limit=limit)
    return schemas.BoardList(items=[showing.board(request, row) for row in rows], next=beyond)


@router.post("/boards", auth=writer, response={201: schemas.BoardOut}, url_name="boards")
@once
def make_board(
    request: MemberRequest, response: HttpResponse, words: schemas.BoardIn
) -> Status[schemas.BoardOut]:
    """Make a board, which you moderate."""
    shown = showing.board(request, actions.create(by=request.member, **words.model_dump()))
    response.headers["Location"] = shown.url
    return Status(201, shown)
