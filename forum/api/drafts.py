"""/images/{id}/draft and /takes: trying in private, choosing, publishing."""

import secrets
from typing import Annotated

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Path, Router, Status

from forum.api import draft_schemas, schemas, showing
from forum.api.images import Id, find
from forum.api.keys import key_of, once, writer
from forum.api.masks import mask_for
from forum.api.plans import asked
from forum.api.replies import accepted, further, preset_for
from forum.drafts import actions
from forum.drafts import views as doors
from forum.drafts.lines import Line, line
from forum.drafts.models import Draft, Take
from forum.web import MemberRequest, Request

router = Router(tags=["drafts"])
TakeId = Annotated[int, Path(ge=1, le=2**63 - 1)]


@router.get(
    "/images/{int:image}/draft", auth=writer, response=draft_schemas.DraftOut, url_name="draft"
)
def get_draft(request: MemberRequest, image: Id) -> draft_schemas.DraftOut:
    """Your own draft to an image; nobody else sees it."""
    to = find(request, image)
    return shown(request, to.pk, line(Draft.objects.of(request.member).filter(to=to).first()))


@router.post(
    "/images/{int:image}/draft",
    auth=writer,
    response={202: draft_schemas.DraftOut},
    url_name="draft",
)
def post_turn(
    request: MemberRequest, image: Id, words: draft_schemas.TurnIn
) -> Status[draft_schemas.DraftOut]:
    """The next turn: edit the take at the head, or the image itself where there is none yet.

    A single candidate becomes the head when it is done; of several you choose one.
    """
    to = find(request, image)
    preset = preset_for(words) or to.board.usual
    wanted = asked(to, words, preset)
    made = actions.take_turn(
        member=request.member,
        to=to,
        prompt=words.prompt,
        preset=preset,
        seed=words.seed,
        strength=words.strength,
        candidates=words.candidates,
        vary=words.vary,
        second=next(iter(further(request, words.sources)), None),
        mask=mask_for(request, to, words.mask),
        waits=words.wait,
        **wanted,
        key=key_of(request) or secrets.token_hex(32),
    )
    return Status(202, shown(request, to.pk, line(made[0].draft)))


@router.delete("/images/{int:image}/draft", auth=writer, response={204: None}, url_name="draft")
def delete_draft(request: MemberRequest, image: Id) -> Status[None]:
    """Throw your draft away; what was published of it stays."""
    draft = get_object_or_404(Draft.objects.of(request.member), to=image)
    actions.leave(draft=draft, by=request.member)
    return Status(204, None)


@router.post(
    "/images/{int:image}/draft/back",
    auth=writer,
    response=draft_schemas.DraftOut,
    url_name="draft-back",
)
@once
def post_back(request: MemberRequest, image: Id) -> draft_schemas.DraftOut:
    """One step back."""
    draft = get_object_or_404(Draft.objects.of(request.member), to=image)
    return shown(request, image, line(actions.go_back(draft=draft, by=request.member)))


@router.post(
    "/takes/{int:take}/go", auth=writer, response=draft_schemas.DraftOut, url_name="take-go"
)
@once
def post_go(request: MemberRequest, take: TakeId) -> draft_schemas.DraftOut:
    """Let the next turn edit this take."""
    draft = actions.go_to(take=own(request, take), by=request.member)
    return shown(request, draft.to_id, line(draft))


@router.post(
    "/takes/{int:take}/stop", auth=writer, response=draft_schemas.DraftOut, url_name="take-stop"
)
@once
def post_stop(request: MemberRequest, take: TakeId) -> draft_schemas.DraftOut:
    """Stop a take before it has come into being; 409 when it has ended."""
    stopped = actions.stop(take=own(request, take), by=request.member)
    return shown(request, stopped.draft.to_id, line(stopped.draft))


@router.get(
    "/takes/{int:take}/picture",
    auth=writer,
    url_name="take-picture",
    openapi_extra={"responses": {200: {"description": "The bytes.", "content": {"image/*": {}}}}},
)
def get_picture(request: Request, take: TakeId) -> HttpResponse:
    """The picture of a take of your own."""
    return doors.picture(request, take)


@router.post(
    "/takes/{int:take}/publish",
    auth=writer,
    response={202: schemas.Accepted},
    url_name="take-publish",
)
@once
def post_publish(
    request: MemberRequest, response: HttpResponse, take: TakeId
) -> Status[schemas.Accepted]:
    """Let a take enter the thread, as your answer."""
    reply = actions.publish(take=own(request, take), by=request.member)
    return accepted(request, response, reply)


def own(request: MemberRequest, pk: int) -> Take:
    """A take of one's own; 404 for everybody else's."""
    found: Take = get_object_or_404(Take.objects.of(request.member).select_related("draft"), pk=pk)
    return found


def shown(request: MemberRequest, image: int, found: Line) -> draft_schemas.DraftOut:
    """A draft as plain data."""
    cards = [card for turn in reversed(found.turns) for card in turn.cards]
    return draft_schemas.DraftOut(
        image=image,
        head=found.head.pk if found.head else None,
        takes=[showing.take(request, card) for card in cards],
    )
