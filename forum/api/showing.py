"""Rows as the API shows them."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from forum.api import draft_schemas, mask_schemas, schemas
from forum.api.problems import reason_of
from forum.boards.models import Board
from forum.drafts.lines import Card as DraftCard
from forum.images.lineage import Lineage
from forum.images.lineage import Node as Place
from forum.images.models import FileRole, Image
from forum.masks.models import Mask
from forum.members.models import Member
from forum.threads.cards import Card
from forum.threads.models import ReplyState, Thread


def board(request: HttpRequest, row: Board) -> schemas.BoardOut:
    """A board."""
    return schemas.BoardOut(
        slug=row.slug,
        title=row.title,
        visibility=row.visibility,  # type: ignore[arg-type]
        description=row.description,
        licence=row.licence,
        preset=row.preset,
        archived=row.is_archived,
        created_at=row.created_at,
        url=request.build_absolute_uri(reverse("board", args=[row.slug])),
    )


def take(request: HttpRequest, card: DraftCard) -> draft_schemas.TakeOut:
    """One candidate of one's own draft."""
    row = card.take
    picture = request.build_absolute_uri(reverse("api:take-picture", args=[row.pk]))
    return draft_schemas.TakeOut(
        id=row.pk,
        turn=row.turn,
        position=row.position,
        after=row.after_id,
        prompt=row.prompt,
        preset=row.preset,
        seed=row.seed,
        strength=row.strength,
        state=row.state,  # type: ignore[arg-type]
        reason=row.reason,
        sources=[] if row.second_id is None else [row.second_id],
        mask=row.mask_id,
        picture=picture if row.is_done else None,
        reply=row.reply_id,
    )


def image(request: HttpRequest, row: Image, viewer: Member | None) -> schemas.ImageOut:
    """An image that this viewer may see, taken from `images()`."""
    return schemas.ImageOut(
        id=row.pk,
        url=request.build_absolute_uri(row.get_absolute_url()),
        board=row.board.slug,
        thread=row.thread_id,
        kind=row.kind,  # type: ignore[arg-type]
        state=row.state,  # type: ignore[arg-type]
        title=row.title,
        alt=row.alt,
        author=name_of(row.author),
        licence=row.licence,
        allow_derivatives=row.allow_derivatives,
        origin=row.origin,
        width=row.width,
        height=row.height,
        sha256=row.sha256,
        generation=row.generation,
        sources=[each.source_id for each in row.sources.all()],
        recipe=row.recipe or None,
        files=files(request, row, viewer),
        created_at=row.created_at,
    )


def files(request: HttpRequest, row: Image, viewer: Member | None) -> schemas.Files:
    """Addresses of the files this viewer may have."""
    own = viewer is not None and (viewer.pk == row.author_id or viewer.is_moderator)
    hidden = {FileRole.ORIGINAL} if row.is_original and not own else set()
    found = {
        role.value: file_url(request, row, role) if role not in hidden else None
        for role in (FileRole.ORIGINAL, FileRole.DISPLAY, FileRole.THUMB)
    }
    return schemas.Files(**found)


def file_url(request: HttpRequest, row: Image, role: str) -> str | None:
    """Where the API gives out a file; None without one."""
    if row.file(role) is None:
        return None
    return request.build_absolute_uri(reverse("api:file", args=[row.pk, role]))


def name_of(author: Member | None) -> str | None:
    """The user name by which an author is found."""
    return author.username if author is not None else None


def reply(request: HttpRequest, card: Card) -> schemas.ReplyOut:
    """A reply, from a card of `cards_for(replies())`."""
    row = card.reply
    return schemas.ReplyOut(
        id=row.pk,
        url=reply_url(request, row.pk),
        page=request.build_absolute_uri(reverse("reply", args=[row.pk])),
        thread=row.thread_id,
        to=row.to_id,
        author=name_of(row.author),
        kind=row.kind,  # type: ignore[arg-type]
        state=card.state,  # type: ignore[arg-type]
        progress=progress(card),
        before=card.before if card.state == ReplyState.WAITING else None,
        seconds_left=seconds_left(card),
        error=schemas.Reason(**found) if (found := reason_of(row.reason)) else None,
        image=row.image_id,
        prompt=row.prompt,
        preset=row.preset,
        seed=row.seed,
        strength=row.strength,
        sources=[each.pk for each in row.further_sources.all()],
        mask=mask_url(request, row.mask_id) if row.mask_id else None,
        recipe=(row.image.recipe or None) if row.image is not None and row.job else None,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


def mask(request: HttpRequest, row: Mask) -> mask_schemas.MaskOut:
    """A mask."""
    return mask_schemas.MaskOut(
        id=row.pk,
        url=mask_url(request, row.pk),
        image=row.image_id,
        width=row.width,
        height=row.height,
        sha256=row.sha256,
        feather=row.feather,
        share=row.share,
        created_at=row.created_at,
    )


def mask_url(request: HttpRequest, pk: int) -> str:
    """Where the API gives out the picture of a mask."""
    return request.build_absolute_uri(reverse("api:mask", args=[pk]))


def seconds_left(card: Card) -> float | None:
    """Expected until it is done; None when it has ended, rests, or no machine can do it now."""
    where = card.standing
    if not card.is_forming or where is None or where.paused or not where.workers:
        return None
    return where.seconds


def progress(card: Card) -> float:
    """From 0 to 1; 1 only when it is done."""
    if card.state == ReplyState.DONE:
        return 1.0
    return round(min(card.step / card.total, 0.99), 3) if card.total else 0.0


def reply_url(request: HttpRequest, pk: int) -> str:
    """Where to ask how a reply stands."""
    return request.build_absolute_uri(reverse("api:reply", args=[pk]))


def thread_line(request: HttpRequest, row: Thread) -> dict[str, Any]:
    """What a list says of a thread."""
    return {
        "id": row.pk,
        "url": request.build_absolute_uri(row.get_absolute_url()),
        "board": row.board.slug,
        "title": row.title,
        "first_image": row.first_image_id,
        "images": row.image_count,
        "voices": row.voice_count,
        "moved_at": row.moved_at,
    }


def lineage(request: HttpRequest, found: Lineage) -> schemas.LineageOut:
    """A lineage as its viewer may see it."""
    ids = {each.key: each.image.pk if each.image else each.key for each in found.nodes}
    return schemas.LineageOut(
        here=ids[found.here],
        nodes=[node(request, each) for each in found.nodes],
        edges=[
            schemas.Edge(source=ids[e.source], child=ids[e.child], position=e.position)
            for e in found.edges
        ],
        cut=found.cut,
    )


def node(request: HttpRequest, place: Place) -> schemas.Node:
    """One place; of a grey one nothing but why it is grey."""
    seen = place.image
    return schemas.Node(
        id=seen.pk if seen else place.key,
        row=place.row,
        grey=place.grey,  # type: ignore[arg-type]
        kind=seen.kind if seen else None,
        title=seen.title if seen else None,
        thumb=file_url(request, seen, FileRole.THUMB) if seen else None,
    )
