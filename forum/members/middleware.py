"""Who is asking, in which language."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import translation

from forum.announce import announce
from forum.members.models import Member
from forum.web import of_member


class Visitor:
    """Sets `request.member` and speaks their language."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        member = of_member(request.user)
        request.member = member  # type: ignore[attr-defined]
        language = language_of(request, member)
        session = request.session.session_key
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        if member is not None and request.session.session_key != session:
            # Signed out, or a new password: what the old session opened is closed.
            announce("access", "session", id=member.pk)
        response.headers.setdefault("Content-Language", language)
        return response


def language_of(request: HttpRequest, member: Member | None) -> str:
    """The language chosen on this machine, else the member's, else the browser's."""
    chosen_here = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
    if member is not None and member.language and not chosen_here:
        return member.language
    return translation.get_language_from_request(request)


def language_of_socket(scope: dict[str, Any], member: Member | None) -> str:
    """The same for a socket: its handshake carries the cookie and header of the page that opens it."""
    page = HttpRequest()
    page.COOKIES = scope.get("cookies", {})
    headers = dict(scope.get("headers", []))
    page.META["HTTP_ACCEPT_LANGUAGE"] = headers.get(b"accept-language", b"").decode("latin-1")
    return language_of(page, member)
