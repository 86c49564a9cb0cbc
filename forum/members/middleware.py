"""Who is asking, in which language."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from forum.web import of_member


class Visitor:
    """Sets `request.member` and speaks the member's language, else the cookie's, else the browser's."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        member = of_member(request.user)
        request.member = member  # type: ignore[attr-defined]
        chosen = member.language if member is not None and member.language else ""
        language = chosen or translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response
