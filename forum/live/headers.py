"""Security headers on every answer, errors too."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

FIXED = {
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Headers:
    """Outermost middleware: adds what Django's SecurityMiddleware does not know."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in FIXED.items():
            response.headers.setdefault(name, value)
        return response
