"""/images/{id}/replies and /replies: answering, looking how it stands, stopping."""

import secrets
from typing import Annotated

from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from ninja import File, Path, Query, Router, Status
from ninja.files import UploadedFile

from forum.api import draft_schemas, schemas, showing
from forum.api.cursors import cut
from forum.api.images import Allow, Alt, Id, LicenceField, Origin, Title, find
from forum.api.keys import Caller, key_of, once, reader, writer
from forum.api.masks import mask_for
from forum.api.plans import asked
from forum.api.problems import Trouble
from forum.images import ingest
from forum.images.models import Image
from forum.members.models import Member
from forum.threads import actions
from forum.threads.cards import cards_for
from forum.threads.languages import guess
from forum.threads.models import Reply, ReplyQuerySet
from forum.web import MemberRequest, Request
from generation import queue

router = Router(tags=["replies"])
ReplyId = Annotated[int, Path(ge=1, le=2**63 - 1)]


def seen_by(member: Member | None) -> ReplyQuerySet:
    """Replies this person may see, with all that is shown of them."""
    further = Image.objects.visible_to(member).order_by("replysource__position")
    return (
        Reply.objects.visible_to(member)
        .select_related("author", "image", "to", "thread")
        .prefetch_related(Prefetch("further_sources", further))
    )


def find_reply(request: Caller, pk: int) -> Reply:
    """A reply that may be seen; 404 for all others."""
    return get_object_or_404(seen_by(request.member), pk=pk)


@router.get(
    "/images/{int:image}/replies", auth=reader, response=schemas.ReplyList, url_name="replies"
)
def list_replies(
    request: Request,
    image: Id,
    cursor: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=100)] = 24,
) -> schemas.ReplyList:
    """What answers an image, newest first."""
    answers = seen_by(request.member).filter(to=find(request, image))
    rows, beyond = cut(answers, cursor=cursor, limit=limit)
    items = [showing.reply(request, card) for card in cards_for(rows)]
    return schemas.ReplyList(items=items, next=beyond)


@router.post(
    "/images/{int:image}/replies",
    auth=writer,
    response={202: schemas.Accepted},
    url_name="replies",
)
def post_reply(
    request: MemberRequest, response: HttpResponse, image: Id, words: schemas.PromptIn
) -> Status[schemas.Accepted]:
    """Answer an image with a prompt. It comes into being later: ask at `url` how it stands."""
    to = find(request, image)
    preset = preset_for(words) or to.board.usual
    wanted = asked(to, words, preset)
    reply = actions.answer_by_prompt(
        member=request.member,
        to=to,
        prompt=words.prompt,
        preset=preset,
        seed=words.seed,
        strength=words.strength,
        further_sources=further(request, words.sources),
        mask=mask_for(request, to, words.mask),
        waits=words.wait,
        **wanted,
        key=key_of(request) or secrets.token_hex(32),
    )
    return accepted(request, response, reply)


def accepted(request: Caller, response: HttpResponse, reply: Reply) -> Status[schemas.Accepted]:
    """202, and where to ask how it stands."""
    url = response.headers["Location"] = showing.reply_url(request, reply.pk)
    [card] = cards_for([reply])
    return Status(202, schemas.Accepted(id=reply.pk, state=card.state, url=url))  # type: ignore[arg-type]


def preset_for(words: schemas.PromptIn | draft_schemas.TurnIn) -> str:
    """The preset that is asked for by its own name or by its engine's; "" for the board's."""
    if not words.engine:
        return words.preset
    of_engine = [name for name, each in queue.presets().items() if each.engine == words.engine]
    wanted = words.preset or next(iter(of_engine), "")
    if wanted not in of_engine:
        raise Trouble(422, "no_engine", _("There is no such engine here. Choose another one."))
    return wanted


def further(request: MemberRequest, pks: list[int]) -> list[Image]:
    """The further sources in order. Raises Trouble where one cannot be seen."""
    found = Image.objects.visible_to(request.member).in_bulk(pks)
    if missing := [pk for pk in pks if pk not in found]:
        detail = _("There is no image %(id)s that you may see.") % {"id": missing[0]}
        raise Trouble(422, "no_such_image", detail)
    return [found[pk] for pk in dict.fromkeys(pks)]


@router.post(
    "/images/{int:image}/replies/upload",
    auth=writer,
    response={201: schemas.ReplyOut},
    url_name="reply-upload",
)
def post_upload(
    request: MemberRequest,
    image: Id,
    file: Annotated[UploadedFile, File()],
    title: Title = "",
    alt: Alt = "",
    licence: LicenceField = None,
    allow_derivatives: Allow = True,
    origin: Origin = "unknown",
) -> Status[schemas.ReplyOut]:
    """Answer an image with a picture of your own."""
    to = find(request, image)
    reply = actions.answer_by_upload(
        member=request.member,
        to=to,
        ingested=ingest.ingest(file, member=request.member),
        title=title,
        alt=alt,
        licence=licence or to.board.licence,
        allow_derivatives=allow_derivatives,
        origin=origin,
        language=guess(title or alt),
        key=key_of(request) or secrets.token_hex(32),
    )
    return Status(201, shown(request, reply.pk))


@router.post(
    "/images/{int:image}/replies/link",
    auth=writer,
    response={201: schemas.ReplyOut},
    url_name="reply-link",
)
def post_link(request: MemberRequest, image: Id, words: schemas.LinkIn) -> Status[schemas.ReplyOut]:
    """Answer an image by pointing to one that exists."""
    to = find(request, image)
    [other] = further(request, [words.image])
    key = key_of(request) or secrets.token_hex(32)
    reply = actions.answer_by_link(member=request.member, to=to, image=other, key=key)
    return Status(201, shown(request, reply.pk))


def shown(request: Caller, pk: int) -> schemas.ReplyOut:
    """A reply afresh."""
    [card] = cards_for([find_reply(request, pk)])
    return showing.reply(request, card)


@router.get("/replies/{int:reply}", auth=reader, response=schemas.ReplyOut, url_name="reply")
def get_reply(request: Request, reply: ReplyId) -> schemas.ReplyOut:
    """How a reply stands."""
    return shown(request, reply)


@router.post(
    "/replies/{int:reply}/cancel", auth=writer, response=schemas.ReplyOut, url_name="reply-cancel"
)
@once
def cancel(request: MemberRequest, reply: ReplyId) -> schemas.ReplyOut:
    """Stop a reply of your own before it has come into being; 409 when it has ended."""
    actions.stop(reply=find_reply(request, reply), by=request.member)
    return shown(request, reply)


@router.post(
    "/replies/{int:reply}/retry",
    auth=writer,
    response={202: schemas.Accepted},
    url_name="reply-retry",
)
@once
def retry(
    request: MemberRequest, response: HttpResponse, reply: ReplyId
) -> Status[schemas.Accepted]:
    """Ask once more for a reply that failed or was stopped."""
    again = actions.try_again(reply=find_reply(request, reply), by=request.member)
    return accepted(request, response, again)
