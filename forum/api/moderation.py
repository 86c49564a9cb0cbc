"""/images/{id}/hide, /show and /threads/{id}/move: for those who moderate a board, or the house."""

from typing import Annotated

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import Field, Path, Router, Schema, Status
from pydantic import ConfigDict

from forum.api.images import Id
from forum.api.keys import once, writer
from forum.api.problems import Trouble
from forum.api.schemas import Plain, Said
from forum.boards.models import Board
from forum.images import actions as images
from forum.images.views import moderated
from forum.threads import actions
from forum.threads.models import Thread
from forum.web import MemberRequest

router = Router(tags=["moderation"])
ThreadId = Annotated[int, Path(ge=1, le=2**63 - 1)]
Reason = Annotated[str, Field(max_length=500), Plain]


class HideIn(Schema):
    """Why an image is hidden: its author reads it."""

    model_config = ConfigDict(extra="forbid")

    reason: Annotated[str, Field(min_length=1, max_length=500), Said]


class ShowIn(Schema):
    """Why it is shown again."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason = ""


class MoveIn(Schema):
    """Where a thread shall stand."""

    model_config = ConfigDict(extra="forbid")

    board: Annotated[str, Field(max_length=50), Plain] = Field(description="The board's slug.")
    reason: Reason = ""
    meant: bool = Field(
        default=False, description="That more people may see it; needed where the board is wider."
    )


@router.post("/images/{int:image}/hide", auth=writer, response={204: None}, url_name="image-hide")
@once
def hide(request: MemberRequest, image: Id, words: HideIn) -> Status[None]:
    """Take an image out of sight of all but those who moderate; its author is told why."""
    images.hide(image=moderated(request, image), by=request.member, reason=words.reason)
    return Status(204, None)


@router.post("/images/{int:image}/show", auth=writer, response={204: None}, url_name="image-show")
@once
def show(request: MemberRequest, image: Id, words: ShowIn) -> Status[None]:
    """Bring a hidden image back; 403 `hidden_by_house` where only the house's moderators may."""
    images.show(image=moderated(request, image), by=request.member, reason=words.reason)
    return Status(204, None)


@router.post(
    "/threads/{int:thread}/move", auth=writer, response={204: None}, url_name="thread-move"
)
@once
def move(request: MemberRequest, thread: ThreadId, words: MoveIn) -> Status[None]:
    """Move a thread to a board that you moderate as well; 409 `stays` or `not_meant` say why not."""
    seen = Thread.objects.visible_to(request.member).select_related("board")
    found: Thread = get_object_or_404(seen, pk=thread)
    board = Board.objects.visible_to(request.member).filter(slug=words.board).first()
    if board is None:
        raise Trouble(422, "no_such_board", _("There is no such board that is open to you."))
    actions.move_thread(
        thread=found, to=board, by=request.member, reason=words.reason, meant=words.meant
    )
    return Status(204, None)
