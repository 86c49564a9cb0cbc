"""Verbs of this room: add a mask, let it go."""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import IO, Any

import structlog
from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Now

from forum.images import audit, events, ingest, storing
from forum.images.decoding import Limits, Unacceptable
from forum.images.models import Image
from forum.images.refusals import refused
from forum.masks import pixels
from forum.masks.models import Mask, MaskQuerySet
from forum.masks.pixels import Rectangle, Wish
from forum.members.events import on_leaving
from forum.members.models import Member
from generation.results import StoredFile

log = structlog.get_logger("forum.masks")

#: Largest file of a mask, in MB.
MEGABYTES = 8
KINDS = frozenset({"PNG", "WEBP"})
#: How long a mask waits for its reply.
PATIENCE = timedelta(days=1)

Upload = IO[bytes] | File  # type: ignore[type-arg]


def add_mask(
    *,
    member: Member,
    image: Image,
    upload: "Upload | None" = None,
    rectangle: Rectangle | None = None,
    feather: float = 0.0,
) -> Mask | None:
    """Keep where an image may change: a file, a rectangle, or both together.

    None where everything may, which needs no mask. The same mask of the same member is kept once.
    Raises Refused, with a code that begins with `mask_` where the mask itself is to blame, and
    leaves nothing behind then.
    """
    if not Image.objects.answerable_by(member).filter(pk=image.pk).exists():
        raise refused("not_yours")
    ingest.require_quota(member, 0)
    wish = Wish((image.width, image.height), rectangle, feather)
    kept = from_rectangle(wish) if upload is None else from_file(upload, wish, member)
    return None if kept is None else row_of(member, image, feather, *kept)


def choose(
    *,
    member: Member,
    image: Image,
    kept: int | None,
    upload: "Upload | None",
    rectangle: Rectangle | None,
    feather: float,
) -> Mask | None:
    """The mask of an answer: a new one where one was given, else the one that was kept before.

    None where everything may change. Raises Refused.
    """
    if upload is not None or rectangle is not None:
        return add_mask(
            member=member, image=image, upload=upload, rectangle=rectangle, feather=feather
        )
    if kept is None:
        return None
    found = Mask.objects.usable_by(member, image).filter(pk=kept).first()
    if found is None:
        raise refused("mask_gone")
    return found


def from_rectangle(wish: Wish) -> tuple[StoredFile, float] | None:
    """A drawn mask, stored, and its share. Raises Refused."""
    if wish.rectangle is None:
        raise refused("mask_empty")
    try:
        grey = pixels.from_rectangle(wish)
    except Unacceptable as refusal:
        raise refused(refusal.code) from refusal
    if grey is None:
        return None
    with storing.writing():
        data = pixels.encoded(grey)
        file = storing.keep_bytes(data, pixels.SUFFIX, mime=pixels.MIME, size=grey.size)
    return file, pixels.share(grey)


def from_file(upload: "Upload", wish: Wish, member: Member) -> tuple[StoredFile, float] | None:
    """A stranger's mask, decoded apart and stored, and its share. Raises Refused."""
    about: dict[str, Any] = {"member": member.pk, "what": "mask"}
    storing.require_room()
    with storing.workspace() as folder:
        source = folder / "original"
        with storing.writing():
            ingest.copy_aside(upload, source, MEGABYTES)
        kind = ingest.kind_at(source)
        if kind not in KINDS:
            raise refused("mask_kind")
        read = partial(pixels.decode, wish=wish)
        report = ingest.decoded(source, folder, kind, about, read=read, bounds=limits())
        if report.get("full"):
            return None
        size = int(report["width"]), int(report["height"])
        with storing.writing():
            made = folder / pixels.NAME
            file = storing.keep(made, pixels.SUFFIX, mime=pixels.MIME, size=size)
    return file, float(report["share"])


def limits() -> Limits:
    """A mask is for a picture of ours, so it needs fewer pixels, and may be as small as that."""
    pixels = 24_000_000
    return Limits(pixels=pixels, compact_pixels=pixels, scaled_pixels=pixels, shortest_side=1)


def row_of(member: Member, image: Image, feather: float, file: StoredFile, share: float) -> Mask:
    """The mask's row; where the member has the same one already that one, and the file goes."""
    facts = {
        "name": file.name, "mime": file.mime, "bytes": file.bytes, "width": file.width,
        "height": file.height, "feather": min(feather, pixels.SOFTEST), "share": share,
    }  # fmt: skip
    try:
        with transaction.atomic():
            mask, made = Mask.objects.get_or_create(
                author=member, image=image, sha256=file.sha256, defaults=facts
            )
    except IntegrityError:  # the image, or the member, went meanwhile
        storing.remove([file.name])
        raise refused("withdrawn") from None
    if not made:
        storing.remove([file.name])
    return mask


def drop(masks: MaskQuerySet) -> int:
    """Masks go, and their files with the transaction. How many."""
    gone = dict(masks.values_list("pk", "name"))
    if gone:
        Mask.objects.filter(pk__in=gone).delete()
        transaction.on_commit(lambda: storing.remove(gone.values()))
    return len(gone)


@transaction.atomic
def sweep_masks() -> int:
    """Drop masks for which no reply came within a day. How many.

    A mask with which somebody answers just now is locked, and looked at next time.
    """
    old = Mask.objects.unused().filter(created_at__lt=Now() - PATIENCE)
    held = list(old.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True))
    return drop(Mask.objects.unused().filter(pk__in=held))


def forget(image: Image) -> None:
    """A withdrawn image takes along what was painted on it, and the mask it was made with."""
    drop(Mask.objects.filter(image=image))
    made_with = Mask.objects.filter(replies__image=image).values("pk")
    drop(Mask.objects.filter(pk__in=made_with).left_behind())


def leave(member: Member, keep_images: bool) -> None:
    """Who leaves takes their masks along, but for those of images that stay."""
    own = Mask.objects.filter(author=member)
    drop(own.unused() if keep_images else own)


def known(names: Iterable[str]) -> set[str]:
    """Those of these stored files that are masks."""
    return set(Mask.objects.filter(name__in=list(names)).values_list("name", flat=True))


def stored_bytes(member: Member) -> int:
    """How much the masks of a member take."""
    total = Mask.objects.filter(author=member).aggregate(total=Sum("bytes"))["total"]
    return int(total or 0)


if forget not in events.on_withdrawn:
    events.on_withdrawn.append(forget)
if leave not in on_leaving:
    on_leaving.append(leave)
if known not in audit.KEPT_ELSEWHERE:
    audit.KEPT_ELSEWHERE.append(known)
if stored_bytes not in ingest.COUNTED_BESIDES:
    ingest.COUNTED_BESIDES.append(stored_bytes)
