"""Security headers on every answer, errors too."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse


class Headers:
    """Outermost middleware: says what no inner one has said.

    Pages of somebody signed in never lie in a shared cache, nor stay behind on a shared machine.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in settings.FIXED_HEADERS.items():
            response.headers.setdefault(name, value)
        if getattr(request, "member", None) is not None:
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response
