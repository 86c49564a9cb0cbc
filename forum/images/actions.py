"""Verbs of this room: add, describe, hide, show, withdraw."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from django.core.files.storage import default_storage
from django.db import IntegrityError, transaction
from PIL import Image as Pictures

from forum.announce import announce
from forum.boards.actions import office_of
from forum.boards.models import Board, Decision, DecisionKind, Licence, Office
from forum.images import events, storing
from forum.images.ingest import Ingested, Kept, discard
from forum.images.models import Descent, File, FileRole, Image, ImageState, Kind, Origin
from forum.images.refusals import refused
from forum.images.renditions import (
    DISPLAY_SIDE,
    MIME,
    SUFFIX,
    Rendition,
    renditions,
    thumbnail,
)
from forum.members.events import on_leaving
from forum.members.models import Member
from forum.states import move
from generation.results import EditResult, StoredFile

if TYPE_CHECKING:
    from forum.threads.models import Thread

#: From the freest to the narrowest; a derivative inherits the narrowest of its sources.
NARROWER = (
    Licence.PUBLIC_DOMAIN,
    Licence.CC0,
    Licence.CC_BY,
    Licence.CC_BY_SA,
    Licence.CC_BY_NC,
    Licence.ALL_RIGHTS,
)
#: A result of at most so many bytes serves as its own display rendition.
SERVES_AS_DISPLAY = 1024 * 1024
#: Characters that a decision keeps of its reason.
LONGEST_REASON = 500


def add_original(
    *,
    ingested: Ingested,
    thread: "Thread",
    board: Board,
    author: Member,
    title: str,
    alt: str,
    licence: str,
    allow_derivatives: bool,
    origin: str,
    language: str,
    key: str,
) -> Image:
    """Write down an uploaded image. The same key and picture again is the first image.

    What the file says of its origin outweighs what its author says. The files of `ingested` belong
    to the image afterwards, or are removed where the image already existed. Raises Refused
    (`key_reused`) for the same key with another picture, ValidationError for unfit words; the
    caller then discards `ingested`.
    """
    detected = ingested.origin == Origin.AI_DETECTED
    image = Image(
        board=board,
        thread=thread,
        author=author,
        kind=Kind.ORIGINAL,
        title=title,
        alt=alt,
        licence=licence,
        allow_derivatives=allow_derivatives,
        origin=Origin.AI_DETECTED if detected else origin,
        language=language,
        width=ingested.width,
        height=ingested.height,
        sha256=ingested.sha256,
        key=key or None,
    )
    image.clean_fields(exclude={"board", "thread", "author"})
    try:
        with transaction.atomic():
            image.save(force_insert=True)
            File.objects.bulk_create(_row(image, kept) for kept in ingested.files)
    except IntegrityError:
        first = Image.objects.filter(author=author, key=key).first() if key else None
        if first is None:
            raise
        if first.sha256 != ingested.sha256:
            raise refused("key_reused") from None
        discard(ingested)
        return first
    return image


def add_derivative(
    *,
    job_id: int,
    result: EditResult,
    thread: "Thread",
    author: Member | None,
    sources: Sequence[Image],
    alt: str,
    language: str,
    licence: str = "",
) -> Image:
    """Write down what the studio made from `sources`, of which the first was answered.

    What began from nothing has none, and a `licence` of its own instead of theirs. A message that
    comes twice is the first image. The result's own file becomes the original; display and thumb are
    made here. Raises ValueError with neither sources nor licence, Refused where storage fails.
    """
    if (existing := Image.objects.filter(job=job_id).first()) is not None:
        return existing
    if not sources and not licence:
        raise ValueError("A derivative has at least one source, or a licence of its own.")
    made: list[str] = []
    try:
        kept = _derived_files(result, made)
        with transaction.atomic():
            image = _derivative(job_id, result, thread, author, sources, alt, language, licence)
            File.objects.bulk_create(_derived_rows(image, kept, result))
            Descent.objects.bulk_create(
                Descent(child=image, source=source, position=position)
                for position, source in enumerate(dict.fromkeys(sources))
            )
    except IntegrityError:
        storing.remove(made)
        if (first := Image.objects.filter(job=job_id).first()) is None:
            raise
        return first
    except BaseException:
        storing.remove(made)
        raise
    return image


def _derivative(
    job_id: int,
    result: EditResult,
    thread: "Thread",
    author: Member | None,
    sources: Sequence[Image],
    alt: str,
    language: str,
    licence: str,
) -> Image:
    return Image.objects.create(
        board_id=thread.board_id,
        thread=thread,
        author=author,
        kind=Kind.DERIVATIVE,
        alt=alt,
        language=language,
        licence=max((source.licence for source in sources), key=_narrowness, default=licence),
        width=result.file.width,
        height=result.file.height,
        sha256=result.file.sha256,
        recipe=result.recipe,
        job=job_id,
        generation=min((source.generation for source in sources), default=-1) + 1,
    )


def _narrowness(licence: str) -> int:
    """Place in the order of licences; an unknown one counts as the narrowest."""
    known = [str(each) for each in NARROWER]
    return known.index(licence) if licence in known else len(known)


def _derived_files(result: EditResult, made: list[str]) -> list[Kept]:
    """Display and thumb of a result, stored. Their names are appended to `made` as they appear."""
    with default_storage.open(result.file.name) as file:
        data = file.read()
        file.seek(0)
        with Pictures.open(file, formats=["WEBP", "PNG", "JPEG"]) as opened:
            picture = opened.convert("RGB")
    kept = []
    with storing.writing() as names:
        for each in _derived_renditions(result, data, picture):
            suffix, mime = (SUFFIX, MIME) if each.data is not data else _form(result.file)
            size = each.width, each.height
            stored = storing.keep_bytes(each.data, suffix, mime=mime, size=size)
            names.append(stored.name)
            kept.append(Kept(each.role, stored))
    made += names
    return kept


def _derived_renditions(
    result: EditResult, data: bytes, picture: Pictures.Image
) -> tuple[Rendition, Rendition]:
    """Our own file is its own display where it is small enough: encoding again takes 0.1 s.

    What moves is shown as a still wherever nobody asked it to play.
    """
    moves = bool(result.recipe.get("moving"))
    if moves or max(picture.size) > DISPLAY_SIDE or len(data) > SERVES_AS_DISPLAY:
        return renditions(picture)
    return Rendition(FileRole.DISPLAY, data, *picture.size), thumbnail(picture)


def _form(file: StoredFile) -> tuple[str, str]:
    """Ending and MIME type of a stored file."""
    return "." + file.name.rpartition(".")[2], file.mime


def _derived_rows(image: Image, kept: list[Kept], result: EditResult) -> list[File]:
    strip = enumerate(result.strip)
    return [
        _row(image, Kept(FileRole.ORIGINAL, result.file)),
        *(_row(image, each) for each in kept),
        *(_row(image, Kept(FileRole.STRIP, frame), position) for position, frame in strip),
    ]


def _row(image: Image, kept: Kept, position: int = 0) -> File:
    file = kept.file
    return File(
        image=image,
        role=kept.role,
        position=position,
        name=file.name,
        mime=file.mime,
        bytes=file.bytes,
        sha256=file.sha256,
        width=file.width,
        height=file.height,
    )


@transaction.atomic
def describe(
    *,
    image: Image,
    by: Member,
    title: str,
    alt: str,
    licence: str | None = None,
    allow_derivatives: bool | None = None,
    origin: str | None = None,
) -> Image:
    """Say anew what an image shows and what others may do with it; None leaves a thing as it is.

    A derivative keeps the licence of its sources, and what a file says of AI is not talked away.
    Raises Refused (`not_yours`, `withdrawn`), ValidationError for unfit words.
    """
    _require_right(image, by)
    image.title, image.alt = title, alt
    if allow_derivatives is not None:
        image.allow_derivatives = allow_derivatives
    if licence is not None and image.is_original:
        image.licence = licence
    if origin is not None and image.is_original and image.origin != Origin.AI_DETECTED:
        image.origin = origin
    fields = ["title", "alt", "licence", "allow_derivatives", "origin"]
    image.clean_fields(exclude={f.name for f in image._meta.fields} - set(fields))
    image.save(update_fields=fields)
    _tell(image, events.on_described)
    return image


@transaction.atomic
def withdraw(*, image: Image, by: Member) -> None:
    """Take an image away for good: its files and words go, a grey place stays in the lineage.

    Raises Refused (`not_yours`). Withdrawing twice is withdrawing once.
    """
    if by.pk != image.author_id and not by.is_moderator:
        raise refused("not_yours")
    gone: dict[str, Any] = {
        "title": "",
        "alt": "",
        "pdq": None,
        "pdq_quality": 0,
    }
    if not image.is_original:
        gone["recipe"] = {"withdrawn": True}  # what was asked is gone with what was made
    if not move(image, ImageState.WITHDRAWN, **gone):
        return
    names = list(image.files.values_list("name", flat=True))
    image.files.all().delete()
    for field, value in gone.items():
        setattr(image, field, value)
    _tell(image, events.on_withdrawn)
    # Only once it is certain: a rollback must find the files where they were.
    transaction.on_commit(lambda: storing.remove(names))


@transaction.atomic
def hide(*, image: Image, by: Member, reason: str) -> None:
    """Take an image out of sight of all but those who moderate; its author is told why.

    For moderators of its board and of the house. Raises Refused (`not_yours`, `no_reason`).
    """
    office = _office(image, by)
    if not (reason := reason.strip()):
        raise refused("no_reason")
    if _move(image, ImageState.HIDDEN):
        _write_down(DecisionKind.HIDDEN, image, by, office, reason)


@transaction.atomic
def show(*, image: Image, by: Member, reason: str = "") -> None:
    """Bring a hidden image back. What the house hid, a board does not show again.

    Raises Refused (`not_yours`, `hidden_by_house`).
    """
    office = _office(image, by)
    last = hidden_since(image)
    if last is not None and last.office == Office.HOUSE and office == Office.BOARD:
        raise refused("hidden_by_house")
    if _move(image, ImageState.READY):
        _write_down(DecisionKind.SHOWN, image, by, office, reason.strip())


def hidden_since(image: Image) -> Decision | None:
    """The decision by which an image is hidden; None where none was written down."""
    taken = Decision.objects.filter(image=image, kind=DecisionKind.HIDDEN)
    return taken.select_related("by").order_by("-pk").first()


def _office(image: Image, by: Member) -> Office:
    """In whose name they decide. Raises Refused (`not_yours`)."""
    if (office := office_of(by, image.board)) is None:
        raise refused("not_yours")
    return office


def _move(image: Image, state: str) -> bool:
    """One step of the state; whether it was made, and then upper rooms are told."""
    if not move(image, state):
        return False
    _tell(image, events.on_hidden)
    return True


def _write_down(kind: str, image: Image, by: Member, office: Office, reason: str) -> None:
    Decision.objects.create(
        board=image.board, kind=kind, image=image, thread_id=image.thread_id, by=by,
        office=office, reason=reason[:LONGEST_REASON],
    )  # fmt: skip


def _tell(image: Image, hooks: list[Callable[[Image], None]]) -> None:
    for hook in hooks:
        hook(image)
    announce(f"thread.{image.thread_id}", "image", id=image.pk)
    announce("stream", "moved", id=image.thread_id)


def _require_right(image: Image, by: Member) -> None:
    if image.state == ImageState.WITHDRAWN:
        raise refused("withdrawn")
    if by.pk != image.author_id and not by.is_moderator:
        raise refused("not_yours")


def _withdraw_all(member: Member, keep_images: bool) -> None:
    """When a member leaves and wants nothing to stay."""
    if keep_images:
        return
    for image in Image.objects.filter(author=member).exclude(state=ImageState.WITHDRAWN):
        withdraw(image=image, by=member)


on_leaving.append(_withdraw_all)
