"""While the database is away, a calm page at once."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import translation

from forum.live.errors import resting
from forum.running.presence import presence


class Resting:
    """Middleware: 503 for everything that would need the database, as long as it is known to be away."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not presence.away:
            return self.get_response(request)
        # One line says that the database is away; not one for each who asks meanwhile.
        with translation.override(translation.get_language_from_request(request)):
            response = resting(request)
        response._has_been_logged = True  # type: ignore[attr-defined]
        return response
