"""What people read when something goes wrong: a page, a fragment for htmx, a problem for the API."""

import json
import sys

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.translation import gettext as _

from forum.web import is_fragment

#: Seconds until it is worth asking a resting house again.
RETRY_AFTER = "5"
TITLES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    413: "Content Too Large",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
}


def answer(request: HttpRequest, status: int, sentence: str, code: str) -> HttpResponse:
    """The error in the form that the asker can read. `sentence` is for people, `code` for programs."""
    if request.path.startswith("/api/"):
        return problem(status, sentence, code)
    if is_fragment(request):
        said = format_html('<p class="notice run" role="alert">{}</p>', sentence)
        return HttpResponse(said, status=status)
    return render(request, f"{status}.html", {"problem": sentence}, status=status)


def problem(status: int, detail: str, code: str) -> HttpResponse:
    """A problem document (RFC 9457)."""
    words = {
        "type": "about:blank",
        "title": TITLES[status],
        "status": status,
        "detail": detail,
        "code": code,
    }
    return HttpResponse(json.dumps(words), status=status, content_type="application/problem+json")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Something that no browser of ours would send. Says nothing of what exactly."""
    if isinstance(exception, RequestDataTooBig):
        return answer(
            request, 413, _("What you sent is larger than this forum takes."), "too_large"
        )
    sentence = _("This request makes no sense to the forum.")
    if request.path.startswith("/api/"):
        return problem(400, sentence, "bad_request")
    # The host may be forged here, so nothing may ask the request for its address.
    page = render_to_string("refused.html", {"title": _("Not understood"), "sentence": sentence})
    return HttpResponse(page, status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Seen, but not theirs to change."""
    return answer(request, 403, _("This is not yours to change."), "forbidden")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Nothing here, or nothing that this person may see: the same words for both."""
    sentence = _("The address may be wrong, or what stood here is private or was withdrawn.")
    return answer(request, 404, sentence, "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    """Our own mistake, unless the database is away. Needs neither member nor database."""
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        return resting(request)
    if request.path.startswith("/api/"):
        return problem(500, _("The mistake is ours and has been written down."), "internal_error")
    return HttpResponse(render_to_string("500.html"), status=500)


def resting(request: HttpRequest) -> HttpResponse:
    """The database does not answer: a restart takes seconds. Needs neither member nor database."""
    sentence = _(
        "A part of the house does not answer right now. What you wrote is not lost; "
        "try again in a minute."
    )
    if request.path.startswith("/api/"):
        response = problem(503, sentence, "unavailable")
    elif is_fragment(request):
        said = format_html('<p class="notice run" role="alert">{}</p>', sentence)
        response = HttpResponse(said, status=503)
    else:
        words = {"title": _("The forum is resting"), "sentence": sentence}
        response = HttpResponse(render_to_string("refused.html", words), status=503)
        if request.method == "GET":
            response.headers["Refresh"] = RETRY_AFTER  # the page comes back by itself
    response.headers["Retry-After"] = RETRY_AFTER
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page was open for too long, or the form came from elsewhere."""
    sentence = _("This page was open for too long. Go back, reload it and send the form again.")
    return answer(request, 403, sentence, "csrf_failed")


def too_many(request: HttpRequest, retry_after: int) -> HttpResponse:
    """As often as is allowed for now."""
    minutes = -(-retry_after // 60)
    sentence = (
        _("That was a little too fast. Try again in a moment.")
        if retry_after <= 60
        else _(
            "You have done this as often as is allowed for now. Try again in %(minutes)d minutes."
        )
        % {"minutes": minutes}
    )
    response = answer(request, 429, sentence, "slow_down")
    response.headers["Retry-After"] = str(retry_after)
    return response
