"""Who calls: a token's member, a session's, or a visitor."""

import hashlib
from typing import Any, Final

from django.http import HttpRequest
from django.utils.translation import gettext as _
from ninja.security.http import HttpAuthBase
from ninja.utils import check_csrf

from forum.api.problems import Trouble
from forum.members.actions import purse, spend
from forum.members.models import Member
from forum.members.tokens import member_of
from forum.web import MemberRequest, Request

Caller = Request | MemberRequest

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
