"""What an address takes: its methods and media types, looked at before anybody is asked who they are.

RFC 9110: HEAD is GET without its content (9.3.2), OPTIONS and 405 say `Allow` (9.3.7, 15.5.6), and a
body of a type that is not read here is 415 (15.5.16). `Accept` is not weighed: there is one form.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import URLPattern
from django.utils.translation import gettext as _
from ninja import Router
from ninja.operation import Operation

from forum.api import problems

View = Callable[..., HttpResponse]
JSON: Final = ("application/json",)
FORM: Final = ("multipart/form-data", "application/x-www-form-urlencoded")
#: Of one address: the media types that each method reads. None reads no body.
Takes = dict[str, tuple[str, ...]]


def media_of(operation: Operation) -> tuple[str, ...]:
    """What an operation reads: files come in parts, other forms also in one line."""
    sources = {model.__ninja_param_source__ for model in operation.models}
    if "file" in sources:
        return FORM[:1]
    if "form" in sources:
        return FORM
    return JSON if "body" in sources else ()


def addresses(routers: Iterable[Router]) -> dict[str, Takes]:
    """What is taken where, by the route as Django writes it."""
    found: dict[str, Takes] = {"openapi.json": {"GET": ()}}
    for router in routers:
        for path, view in router.path_operations.items():
            takes = found.setdefault(path.strip("/").translate({123: "<", 125: ">"}), {})
            for operation in view.operations:
                takes |= dict.fromkeys(operation.methods, media_of(operation))
    return found


def guard(patterns: Iterable[Any], found: dict[str, Takes]) -> None:
    """Put a door before each view whose address is known."""
    for pattern in patterns:
        if isinstance(pattern, URLPattern) and (takes := found.get(str(pattern.pattern))):
            pattern.callback = door(pattern.callback, takes)


def door(view: View, takes: Takes) -> View:
    """The view, behind what its address takes."""
    allowed = sorted({*takes, "OPTIONS", *(["HEAD"] if "GET" in takes else [])})

    def guarded(request: HttpRequest, *args: Any, **words: Any) -> HttpResponse:
        method = str(request.method)
        if method == "HEAD" and "GET" in takes:
            return without_content(view, request, *args, **words)
        if method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": ", ".join(allowed)})
        if method not in takes:
            return HttpResponseNotAllowed(allowed)
        if (read := takes[method]) and is_foreign(request, read):
            return foreign(read)
        return view(request, *args, **words)

    guarded.csrf_exempt = True  # type: ignore[attr-defined]  # as ninja's own; keys.session asks for it
    return guarded


def without_content(view: View, request: HttpRequest, *args: Any, **words: Any) -> HttpResponse:
    """What GET answers; the server keeps the content back and leaves its length."""
    request.method = "GET"
    try:
        return view(request, *args, **words)
    finally:
        request.method = "HEAD"


def is_foreign(request: HttpRequest, read: tuple[str, ...]) -> bool:
    """Whether a body came that is of none of these types. One of no type is looked at."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length == "0" and "Transfer-Encoding" not in request.headers:
        return False
    given = (request.content_type or "").lower()
    return given not in {"", *read} and not (read == JSON and is_json(given))


def is_json(media: str) -> bool:
    """Whether a media type is JSON of some kind (RFC 6839)."""
    return media.startswith("application/") and media.endswith("+json")


def foreign(read: tuple[str, ...]) -> HttpResponse:
    """415, and what would be read."""
    said = _("This address reads %(types)s.") % {"types": _(" or ").join(read)}
    answer = problems.document(415, "unsupported_media_type", said)
    answer.headers["Accept"] = ", ".join(read)
    return answer
