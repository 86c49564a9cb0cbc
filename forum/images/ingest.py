"""From a stranger's bytes to a picture we stand by.

`ingest` leads: limits, first bytes, a slot, a child that decodes (`decoding.py`), registered checks,
files under random names. It writes no rows. Whoever calls it either hands the result to
`actions.add_original` or calls `discard`.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import structlog
from django.conf import settings
from django.core.files.base import File
from django.db.models import Sum
from django.utils.translation import gettext as _

from forum.images import events, storing
from forum.images.children import ChildLost, decode_apart
from forum.images.decoding import Limits, Read, decode
from forum.images.models import File as FileRow
from forum.images.models import FileRole, Origin
from forum.images.refusals import Refused, refused
from forum.images.renditions import MIME, SUFFIX
from forum.images.slots import NoSlot, slot
from forum.images.sniffing import HEAD, KINDS, OTHERS, kind_of
from forum.members.models import Member
from generation import queue
from generation.results import StoredFile

log = structlog.get_logger("forum.images")

#: Seconds one may wait for a slot.
PATIENCE = 10.0
#: WebP and AVIF: a flat picture of 24 million pixels fits the child, one of 40 nearly does not.
COMPACT_MEGAPIXELS = 24
#: JPEG may have so many times FORUM_UPLOAD_MEGAPIXELS, because it is unpacked at a reduced scale.
SCALED = 2
_PIECE = 256 * 1024
#: What other rooms keep for a member counts too: each says how many bytes that are.
COUNTED_BESIDES: list[Callable[[Member], int]] = []


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored file and what it is for."""

    role: str
    file: StoredFile


@dataclass(frozen=True, slots=True)
class Ingested:
    """An accepted picture: its files lie in storage, its row is not yet written."""

    files: tuple[Kept, ...]
    #: Of the original, upright, in pixels.
    width: int
    height: int
    #: Hex SHA-256 of the original file.
    sha256: str
    #: One of `sniffing.KINDS`.
    kind: str
    #: What the file says of how it was made: Origin.AI_DETECTED or Origin.UNKNOWN.
    origin: str
    #: Names of the marks of AI that were found.
    marks: tuple[str, ...]
    #: Whether the file carries Content Credentials; they are not yet checked.
    manifest: bool


def limits() -> Limits:
    """What one picture may cost here."""
    pixels = settings.FORUM_UPLOAD_MEGAPIXELS * 1_000_000
    return Limits(
        pixels=pixels,
        compact_pixels=min(pixels, COMPACT_MEGAPIXELS * 1_000_000),
        scaled_pixels=SCALED * pixels,
    )


def ingest(upload: "IO[bytes] | File[bytes]", *, member: Member) -> Ingested:
    """Take a file in: decode it apart, store it. Raises Refused and leaves nothing behind then."""
    about: dict[str, Any] = {"member": member.pk}
    try:
        ingested = _ingest(upload, member, about)
    except Refused as refusal:
        log.info("picture refused", code=refusal.code, **about)
        raise
    log.info("picture taken", **about)
    return ingested


def discard(ingested: Ingested) -> None:
    """Remove the files of a picture that will have no row after all."""
    storing.remove(each.file.name for each in ingested.files)


def _ingest(upload: "IO[bytes] | File[bytes]", member: Member, about: dict[str, Any]) -> Ingested:
    storing.require_room()
    with storing.workspace() as folder:
        source = folder / "original"
        with storing.writing():
            about["sha256"], about["bytes"] = copy_aside(upload, source)
        require_quota(member, about["bytes"])
        about["kind"] = kind = kind_at(source)
        report = decoded(source, folder, kind, about)
        ingested = _keep(source, folder, kind, report)
    try:
        for check in events.on_ingested:
            check(ingested)
    except BaseException:
        discard(ingested)
        raise
    return ingested


def glance(upload: "IO[bytes] | File[bytes]") -> tuple[str, int]:
    """PDQ of a picture that is only looked at: hex digits and quality. Raises Refused, keeps nothing."""
    storing.require_room()
    with storing.workspace() as folder:
        source = folder / "original"
        with storing.writing():
            copy_aside(upload, source)
        decoded(source, folder, kind_at(source), {})
        return queue.fingerprint(folder / f"{FileRole.THUMB}{SUFFIX}")


def copy_aside(
    upload: "IO[bytes] | File[bytes]", target: Path, megabytes: int | None = None
) -> tuple[str, int]:
    """Copy no further than the limit, FORUM_UPLOAD_MB by default. Hex SHA-256 and length.

    Raises Refused.
    """
    limit = settings.FORUM_UPLOAD_MB if megabytes is None else megabytes
    most = limit * 1024**2
    if (getattr(upload, "size", None) or 0) > most:
        raise refused("too_large", limit)
    digest, length = hashlib.sha256(), 0
    upload.seek(0)
    with target.open("wb") as file:
        while piece := upload.read(_PIECE):
            length += len(piece)
            if length > most:
                raise refused("too_large", limit)
            digest.update(piece)
            file.write(piece)
    if not length:
        raise refused("empty")
    return digest.hexdigest(), length


def require_quota(member: Member, more: int) -> None:
    """Raise Refused where the member's files would take more than FORUM_MEMBER_STORAGE_MB."""
    if stored_bytes(member) + more > settings.FORUM_MEMBER_STORAGE_MB * 1024**2:
        raise refused("quota_full", settings.FORUM_MEMBER_STORAGE_MB)


def stored_bytes(member: Member) -> int:
    """How much the files of a member's images take, and what belongs to them."""
    total = FileRow.objects.filter(image__author=member).aggregate(total=Sum("bytes"))["total"]
    return int(total or 0) + sum(counted(member) for counted in COUNTED_BESIDES)


def kind_at(source: Path) -> str:
    """The kind of file by its first bytes; name, ending and declared type decide nothing."""
    with source.open("rb") as file:
        kind = kind_of(file.read(HEAD))
    if not kind:
        raise refused("not_an_image")
    if kind == OTHERS or (kind == "HEIF" and not heif_is_here()):
        raise refused("kind_not_accepted", accepted_kinds())
    return kind


def heif_is_here() -> bool:
    """Whether the library for HEIC is installed. It is only ever imported in the child."""
    from importlib.util import find_spec

    return find_spec("pillow_heif") is not None


def accepted_kinds() -> str:
    """The kinds taken, for people, such as "JPEG, PNG, WebP, AVIF or GIF"."""
    names = ["JPEG", "PNG", "WebP", "AVIF", *(["HEIC"] if heif_is_here() else [])]
    return _("%(names)s or %(last)s") % {"names": _(", ").join(names), "last": "GIF"}


def decoded(
    source: Path,
    folder: Path,
    kind: str,
    about: dict[str, Any],
    *,
    read: Read = decode,
    bounds: Limits | None = None,
) -> dict[str, Any]:
    """What the child found, reading with `read`. Raises Refused."""
    try:
        with slot(storing.aside().parent / "slots", wait=PATIENCE):
            report = decode_apart(source, folder, kind, bounds or limits(), read)
    except NoSlot as none:
        raise refused("busy") from none
    except ChildLost as lost:
        # A signal may mean a picture that attacks the decoder: operators should see it.
        log.warning("decoding child lost", reason=str(lost), **about)
        raise refused("too_costly") from lost
    about.update(peak_kb=report.get("peak_kb"), why=report.get("why"))
    if code := report.get("refused"):
        raise refused(str(code), report.get("limit", ""))
    return report


def _keep(source: Path, folder: Path, kind: str, report: dict[str, Any]) -> Ingested:
    """Store the original byte for byte and what the child made of it."""
    mime, suffix = KINDS[kind]
    width, height = int(report["width"]), int(report["height"])
    kept: list[Kept] = []
    with storing.writing() as names:
        for role in (FileRole.DISPLAY, FileRole.THUMB):
            made = next(each for each in report["files"] if each["role"] == role)
            size = int(made["width"]), int(made["height"])
            stored = storing.keep(folder / f"{role}{SUFFIX}", SUFFIX, mime=MIME, size=size)
            names.append(stored.name)
            kept.append(Kept(role, stored))
        original = storing.keep(source, suffix, mime=mime, size=(width, height))
        names.append(original.name)
    marks = tuple(str(mark) for mark in report["marks"])
    return Ingested(
        files=(Kept(FileRole.ORIGINAL, original), *kept),
        width=width,
        height=height,
        sha256=original.sha256,
        kind=kind,
        origin=Origin.AI_DETECTED if marks else Origin.UNKNOWN,
        marks=marks,
        manifest=bool(report["manifest"]),
    )
