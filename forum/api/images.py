"""/images: posting, seeing, lineage, resonances."""

import secrets
from typing import Annotated

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import File, Form, Path, Query, Router, Status
from ninja.files import UploadedFile

from forum.api import schemas, showing
from forum.api.keys import Caller, key_of, reader, writer
from forum.api.problems import Trouble
from forum.boards.models import Board
from forum.images import ingest
from forum.images import views as doors
from forum.images.actions import hidden_since
from forum.images.lineage import lineage
from forum.images.models import Image, ImageQuerySet
from forum.members.models import Member
from forum.threads import actions
from forum.threads.languages import guess
from forum.web import MemberRequest, Request

router = Router(tags=["images"])
Id = Annotated[int, Path(ge=1, le=2**63 - 1)]
#: Text fields of an uploaded picture.
Title = Annotated[str, Form(pattern=schemas.NO_NUL, max_length=120)]
Alt = Annotated[str, Form(pattern=schemas.NO_NUL, max_length=1000)]
Allow = Annotated[bool, Form()]
Origin = Annotated[str, Form(pattern="^(unknown|hand|ai-declared)$")]
LicenceField = Annotated[schemas.Licence | None, Form()]


def seen_by(member: Member | None) -> ImageQuerySet:
    """Images this person may see, with all that is shown of them."""
    return Image.objects.visible_to(member).with_files().prefetch_related("sources")


def find(request: Caller, pk: int) -> Image:
    """An image that may be seen; 404 for all others. Raises Trouble for those who are told why not."""
    found = seen_by(request.member).filter(pk=pk).first()
    if found is not None:
        return found
    hidden: Image = get_object_or_404(Image.objects.told_to(request.member), pk=pk)
    decision = hidden_since(hidden)
    said = {} if decision is None else {
        "since": decision.made_at.isoformat(), "by": decision.office, "reason": decision.reason,
    }  # fmt: skip
    raise Trouble(403, "hidden", _("A moderator hid this image."), **said)


@router.post("/images", auth=writer, response={201: schemas.ImageOut}, url_name="images")
def post_image(
    request: MemberRequest,
    response: HttpResponse,
    file: Annotated[UploadedFile, File(description="A JPEG, PNG, WebP, AVIF or GIF.")],
    board: Annotated[
        str, Form(pattern=schemas.NO_NUL, max_length=50, description="The board's slug.")
    ],
    title: Title = "",
    alt: Alt = "",
    licence: LicenceField = None,
    allow_derivatives: Allow = True,
    origin: Origin = "unknown",
) -> Status[schemas.ImageOut]:
    """Post a first image, which opens a thread. Without `licence` the board's holds."""
    place = open_board(request.member, board)
    thread = actions.open_thread(
        member=request.member,
        board=place,
        ingested=ingest.ingest(file, member=request.member),
        title=title,
        alt=alt,
        licence=licence or place.licence,
        allow_derivatives=allow_derivatives,
        origin=origin,
        language=guess(title or alt),
        key=key_of(request) or secrets.token_hex(32),
    )
    shown = showing.image(request, find(request, thread.first_image_id or 0), request.member)
    response.headers["Location"] = shown.url
    return Status(201, shown)


def open_board(member: Member, slug: str) -> Board:
    """A board to post in. Raises Trouble: 404 for one that is not seen, 403 for an archived one."""
    board = Board.objects.visible_to(member).filter(slug=slug).first()
    if board is None:
        raise Trouble(404, "no_such_board", _("There is no such board, or none that you may see."))
    if board.is_archived:
        raise Trouble(403, "board_closed", _("Nothing new is said on this board any more."))
    return board


@router.get("/images/{int:image}", auth=reader, response=schemas.ImageOut, url_name="image")
def get_image(request: Request, image: Id) -> schemas.ImageOut:
    """An image."""
    return showing.image(request, find(request, image), request.member)


@router.get(
    "/images/{int:image}/files/{role}",
    auth=reader,
    url_name="file",
    openapi_extra={"responses": {200: {"description": "The bytes.", "content": {"image/*": {}}}}},
)
def get_file(
    request: Request, image: Id, role: Annotated[str, Path(pattern="^(original|display|thumb)$")]
) -> HttpResponse:
    """The bytes of a file. An uploaded original is for its author and moderators only."""
    if image >= 10**18:
        raise Http404
    return doors.image_file(request, str(image), role)


@router.get(
    "/images/{int:image}/lineage", auth=reader, response=schemas.LineageOut, url_name="lineage"
)
def get_lineage(request: Request, image: Id) -> schemas.LineageOut:
    """All that an image comes from and all that comes from it."""
    return showing.lineage(request, lineage(find(request, image), request.member))


@router.get(
    "/images/{int:image}/resonances",
    auth=reader,
    response=list[schemas.ResonanceOut],
    url_name="resonances",
)
def get_resonances(
    request: Request,
    image: Id,
    limit: Annotated[int, Query(ge=1, le=40)] = 5,
    dial: Annotated[int, Query(ge=0, le=100, description="0 echo, 100 counterpoint.")] = 30,
) -> list[schemas.ResonanceOut]:
    """Images of other threads that are alike, each with its reason; at most one per thread."""
    # numpy, which only this answer needs, stays out of the process until then.
    from forum.links.resonances import resonances

    found = resonances(find(request, image), request.member, limit, dial)
    return [
        schemas.ResonanceOut(
            image=each.image.pk,
            score=round(each.score, 4),
            reason=each.reason,
            state=each.state,
            thread=each.image.thread_id,
            thumb=showing.file_url(request, each.image, "thumb"),
        )
        for each in found
    ]
