"""Middleware: addresses that cannot be, and verbs that an address does not know, told in words."""

from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from forum.live import errors


class Sense:
    """Refuses NUL in an address, which no database takes, and gives a bare 405 its page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\0" in request.path_info:
            return errors.bad_request(request, BadRequest())
        response = self.get_response(request)
        if response.status_code != 405 or response.content or request.path.startswith("/api/"):
            return response
        sentence = _("This address takes what a form sends. Go back to the page you came from.")
        told = errors.answer(request, 405, sentence, "method_not_allowed")
        told.headers["Allow"] = response.headers.get("Allow", "")
        return told
