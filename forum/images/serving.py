"""Sends a file that was asked for, after somebody else has checked the right to it.

Ready for nginx (`FORUM_X_ACCEL`); otherwise Django sends the bytes. Answers 304 for a known ETag, and
one range. RFC 9110, sections 13 and 14.
"""

import re
from typing import Protocol
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.utils.cache import patch_vary_headers
from django.utils.http import parse_etags

from forum.boards.models import Visibility
from forum.images.models import File, FileRole
from forum.images.sniffing import KINDS

#: A picture opened on its own may run nothing and load nothing.
POLICY = "default-src 'none'; sandbox"
#: No file needs a number of more digits, and Python refuses to read one of more than 4,300.
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z", re.ASCII)
_SUFFIXES = dict(KINDS.values())
#: Renditions never change, so a browser may keep those of public boards for a year; what others may
#: not see is not kept anywhere.
_KEEP, _FORGET = "private, max-age=31536000, immutable", "private, no-store"


class Stored(Protocol):
    """A row that speaks of a stored file."""

    @property
    def name(self) -> str: ...
    @property
    def mime(self) -> str: ...
    @property
    def bytes(self) -> int: ...
    @property
    def sha256(self) -> str: ...


class BadRange(Exception):
    """A range that this file does not have, or more than one."""


def send(request: HttpRequest, file: File) -> HttpResponse:
    """The answer for one file, whose `image` and its board are loaded. Raises Http404 where it is missing."""
    public = file.image.board.visibility == Visibility.PUBLIC
    place = "attachment" if file.role == FileRole.ORIGINAL else "inline"
    name = f"image-{file.image_id}-{file.role}{_SUFFIXES.get(file.mime, '')}"
    kept = _KEEP if public and file.image.is_shown else _FORGET
    return _answer(request, file, f'{place}; filename="{name}"', kept)


def send_private(request: HttpRequest, file: Stored, name: str) -> HttpResponse:
    """The answer for a stored file that nobody keeps, under a name. Raises Http404 where it is missing."""
    return _answer(request, file, f'inline; filename="{name}"', _FORGET)


def _answer(request: HttpRequest, file: Stored, place: str, kept: str) -> HttpResponse:
    """Whole, in part or not at all, with the headers that belong to it."""
    etag = f'"{file.sha256}"'
    if _is_known(request, etag):
        return _with_headers(HttpResponseNotModified(), etag, place, kept)
    if settings.FORUM_X_ACCEL:
        return _with_headers(_left_to_nginx(file), etag, place, kept)
    try:
        return _with_headers(_read(request, file, etag), etag, place, kept)
    except BadRange:
        refusal = HttpResponse(status=416)
        refusal["Content-Range"] = f"bytes */{file.bytes}"
        return _with_headers(refusal, etag, place, kept)


def _is_known(request: HttpRequest, etag: str) -> bool:
    known = parse_etags(request.headers.get("If-None-Match", ""))
    return "*" in known or any(each.removeprefix("W/") == etag for each in known)


def _left_to_nginx(file: Stored) -> HttpResponse:
    response = HttpResponse(content_type=file.mime)
    response["X-Accel-Redirect"] = settings.FORUM_X_ACCEL.rstrip("/") + "/" + quote(file.name)
    return response


def _read(request: HttpRequest, file: Stored, etag: str) -> HttpResponse:
    """Whole, or one piece. Files are a few megabytes, and a sync view under ASGI cannot stream."""
    wanted = _range(request, file.bytes, etag)
    start, end = wanted or (0, file.bytes - 1)
    try:
        with default_storage.open(file.name) as source:
            source.seek(start)
            data = source.read(end - start + 1)
    except FileNotFoundError as missing:
        raise Http404 from missing
    response = HttpResponse(data, content_type=file.mime, status=206 if wanted else 200)
    if wanted:
        response["Content-Range"] = f"bytes {start}-{end}/{file.bytes}"
    return response


def _range(request: HttpRequest, length: int, etag: str) -> tuple[int, int] | None:
    """First and last byte wanted, or None for all. Raises BadRange."""
    asked = request.headers.get("Range", "")
    if not asked.startswith("bytes=") or request.headers.get("If-Range", etag) != etag:
        return None
    found = _RANGE.match(asked)
    if found is None or found.groups() == ("", ""):
        raise BadRange
    first, last = found.groups()
    if not first:
        start, end = max(0, length - int(last)), length - 1
    else:
        start, end = int(first), min(int(last or length), length - 1)
    if start > end:
        raise BadRange
    return start, end


def _with_headers(response: HttpResponse, etag: str, place: str, kept: str) -> HttpResponse:
    response["ETag"] = etag
    response["Accept-Ranges"] = "bytes"
    response["Cache-Control"] = kept
    response["Content-Disposition"] = place
    response["Content-Security-Policy"] = POLICY
    response["X-Content-Type-Options"] = "nosniff"
    patch_vary_headers(response, ("Cookie", "Authorization"))
    return response
