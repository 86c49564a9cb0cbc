"""/images/{id}/masks and /masks: where an image may change in an answer."""

from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from ninja import File, Form, Path, Router, Status
from ninja.files import UploadedFile

from forum.api import mask_schemas, showing
from forum.api.images import Id, find
from forum.api.keys import once, reader, writer
from forum.api.problems import Trouble
from forum.images.models import Image
from forum.images.refusals import Refused
from forum.masks import actions
from forum.masks import views as doors
from forum.masks.models import Mask
from forum.masks.pixels import SOFTEST
from forum.members.actions import purse, spend
from forum.web import MemberRequest, Request

router = Router(tags=["masks"])
MaskId = Annotated[int, Path(ge=1, le=2**63 - 1)]
#: A share of the longer side.
Feather = Annotated[float, Form(ge=0, le=SOFTEST, allow_inf_nan=False)]


@router.post(
    "/images/{int:image}/masks", auth=writer, response={201: mask_schemas.MaskOut}, url_name="masks"
)
@once
def post_mask(
    request: MemberRequest,
    response: HttpResponse,
    image: Id,
    file: Annotated[
        UploadedFile,
        File(description="A PNG or WebP in the shape of the image: white may change, black stays."),
    ],
    feather: Feather = 0.0,
) -> Status[mask_schemas.MaskOut]:
    """Keep a mask for a reply to this image; it is dropped after a day without one."""
    to = find(request, image)
    spend(who=purse(request.member), what="upload")
    made = at_field(
        "file.file",
        lambda: actions.add_mask(member=request.member, image=to, upload=file, feather=feather),
    )
    if made is None:
        raise unfit(
            "file.file", 422, "mask_full", _("Everything may change, so no mask is needed.")
        )
    shown = showing.mask(request, made)
    response.headers["Location"] = shown.url
    return Status(201, shown)


@router.get(
    "/masks/{int:mask}",
    auth=reader,
    url_name="mask",
    openapi_extra={"responses": {200: {"description": "A PNG.", "content": {"image/png": {}}}}},
)
def get_mask(request: Request, mask: MaskId) -> HttpResponse:
    """The picture of a mask: your own, or that of a reply you may see."""
    return doors.mask(request, mask)


def mask_for(
    request: MemberRequest, to: Image, said: "int | mask_schemas.RectangleIn | None"
) -> Mask | None:
    """The mask of a reply: one that was posted, or a rectangle. Raises Trouble, with the field."""
    if said is None:
        return None
    if isinstance(said, int):
        found = Mask.objects.usable_by(request.member, to).filter(pk=said).first()
        if found is None:
            detail = _("There is no mask %(id)s of yours for this image.") % {"id": said}
            raise unfit("body.words.mask", 422, "no_such_mask", detail)
        return found
    return at_field(
        "body.words.mask",
        lambda: actions.add_mask(
            member=request.member,
            image=to,
            rectangle=(said.x, said.y, said.w, said.h),
            feather=said.feather,
        ),
    )


def at_field(place: str, add: Callable[[], Mask | None]) -> Mask | None:
    """What `add` gives; what is to blame on the mask is said of its field. Raises Trouble, Refused."""
    try:
        return add()
    except Refused as refusal:
        if not refusal.code.startswith("mask_"):
            raise
        raise unfit(place, refusal.status, refusal.code, str(refusal.sentence)) from refusal


def unfit(place: str, status: int, code: str, detail: str) -> Trouble:
    """A refusal that names its field."""
    errors: list[dict[str, Any]] = [{"at": place, "message": detail}]
    return Trouble(status, code, detail, errors=errors)
