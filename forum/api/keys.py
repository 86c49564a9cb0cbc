"""Who calls: a token's member, a session's, or a visitor; and whether they called before."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja import Schema, Status
from ninja.security.http import HttpAuthBase
from ninja.utils import check_csrf

from forum.api.problems import Trouble
from forum.members import repetitions
from forum.members.actions import purse, spend
from forum.members.models import Member
from forum.members.tokens import member_of
from forum.web import MemberRequest, Request

Caller = Request | MemberRequest
P = ParamSpec("P")

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
VISITOR: Final = "a visitor"


class Token(HttpAuthBase):
    """A Bearer token, or the session of somebody signed in with the page's CSRF token.

    Sets `request.member`. With `visitors`, those without either may read what is public.
    """

    openapi_scheme = "bearer"

    def __init__(self, *, visitors: bool = False) -> None:
        self.visitors = visitors
        super().__init__()

    def __call__(self, request: HttpRequest) -> Any:
        """The member or VISITOR; None makes 401. Raises Trouble, Spent."""
        member = self.bearer(request) if "Authorization" in request.headers else session(request)
        request.member = member  # type: ignore[attr-defined]
        if member is None:
            return VISITOR if self.visitors else None
        spend(who=purse(member), what="api")
        return member

    def bearer(self, request: HttpRequest) -> Member:
        """The member of the token. A wrong one is refused even where none is needed."""
        scheme, _space, secret = request.headers["Authorization"].partition(" ")
        member = member_of(secret.strip()) if scheme.lower() == "bearer" else None
        if member is None:
            raise Trouble(401, "bad_token", _("This token is unknown or was deleted."))
        return member


def session(request: HttpRequest) -> Member | None:
    """The member of the session. What changes something needs the page's CSRF token as well."""
    member: Member | None = request.member  # type: ignore[attr-defined]
    if member is not None and request.method not in SAFE and check_csrf(request):
        raise Trouble(403, "csrf_failed", _("With a session, send the page's X-CSRFToken too."))
    return member


reader = Token(visitors=True)
writer = Token()


def key_of(request: HttpRequest) -> str:
    """The caller's Idempotency-Key as we keep it, 64 hex digits; "" where none was sent.

    Hashed, so that any text of up to 255 characters will do and none meets a form's key.
    """
    given = request.headers.get("Idempotency-Key", "")
    if not given:
        return ""
    if len(given) > 255:
        raise Trouble(422, "invalid", _("An Idempotency-Key has at most 255 characters."))
    return hashlib.sha256(b"api:" + given.encode(errors="replace")).hexdigest()


def once(
    view: Callable[Concatenate[MemberRequest, P], Any],
) -> Callable[Concatenate[MemberRequest, P], Any]:
    """Do a POST with an Idempotency-Key once; sent again within a day it is answered the same.

    For verbs that keep no key in a row of their own. Raises Reused for something else.
    """

    @wraps(view)
    def door(request: MemberRequest, /, *args: P.args, **kwargs: P.kwargs) -> Any:
        key = key_of(request)
        if not key:
            return view(request, *args, **kwargs)
        response: Any = kwargs.get("response", {})

        def do() -> repetitions.Answer:
            said = view(request, *args, **kwargs)
            status, body = (
                (said.status_code, said.value) if isinstance(said, Status) else (200, said)
            )
            # Nothing is kept as an empty text: the column takes no null.
            kept = "" if body is None else plain(body)
            return status, kept, response.get("Location", "")

        status, body, location = repetitions.once(
            member=request.member, key=key, content=content_of(request), do=do
        )
        if location:
            response["Location"] = location
        return Status(status, None if body == "" else body)

    return door


def plain(body: Any) -> Any:
    """An answer as JSON has it."""
    return body.model_dump(mode="json") if isinstance(body, Schema) else body


def content_of(request: HttpRequest) -> str:
    """Hex SHA-256 of what is asked: address and body; of a form, its fields and its files' bytes."""
    digest = hashlib.sha256(request.path.encode() + b"\0")
    if request.content_type != "multipart/form-data":
        digest.update(request.body)
        return digest.hexdigest()
    for name, values in sorted(request.POST.lists()):
        digest.update(repr((name, values)).encode())
    files: list[tuple[str, UploadedFile[bytes]]] = sorted(
        [(name, file) for name in request.FILES for file in request.FILES.getlist(name)],
        key=lambda each: each[0],
    )
    for name, file in files:
        digest.update(repr((name, file.size)).encode())
        for piece in file.chunks():
            digest.update(piece)
        file.seek(0)
    return digest.hexdigest()
