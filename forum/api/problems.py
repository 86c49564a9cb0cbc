"""Every error of the API is a problem document (RFC 9457), wherever it arose."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as Unfit
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from forum.boards.actions import SlugTaken
from forum.images.refusals import Refused
from forum.members.allowances import Spent
from forum.members.repetitions import Reused
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.sentences import sentence

MEDIA_TYPE = "application/problem+json"
#: Where it is not the person but what was asked that cannot be; everything else is 403.
STATUS_OF = {
    "no_engine": 422,
    "no_such_mask": 422,
    "too_many_sources": 422,
    "no_such_image": 422,
    "source_withdrawn": 409,
    "answered_already": 409,
    "ended": 409,
    "no_recipe": 409,
    "withdrawn": 409,
    "mask_gone": 409,
    "file_gone": 409,
    "nothing_to_film": 409,
    "no_such_format": 422,
    "no_worker": 409,
    "stays": 409,
    "not_meant": 409,
    "moved": 409,
}
#: Problems that the API's page explains, each with its title: their `type` leads there.
KINDS: dict[str, tuple[Promise, str]] = {
    "no_worker": (
        gettext_lazy("Impossible now"),
        "Machines are at work and none of them has this preset. Name another one, come back later, "
        "or send `wait: true` to let it wait for such a machine.",
    ),
    "nothing_understood": (
        gettext_lazy("Nothing was understood"),
        "The darkroom knows none of the prompt's words: `unknown` has them, `offers` what it knows.",
    ),
    "key_reused": (
        gettext_lazy("This key stands for something else"),
        "The `Idempotency-Key` came before with another request. Take a new one.",
    ),
    "unsupported_media_type": (
        gettext_lazy("Not a type that is read here"),
        "The header `Accept` of the answer names the types that are.",
    ),
    "slow_down": (
        gettext_lazy("Too many requests"),
        "`Retry-After` says in how many seconds it is worth trying again.",
    ),
}


class Trouble(Exception):
    """A refusal of the API's own."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(code)
        self.status, self.code, self.detail, self.more = status, code, detail, more


def document(
    status: int, code: str, detail: str, *, retry_after: int | None = None, **more: Any
) -> HttpResponse:
    """A problem document. `code` is stable and meant for programs, `detail` for people."""
    kind = KINDS.get(code)
    words = {
        "type": "about:blank" if kind is None else f"/api/v1/docs#problem-{code}",
        "title": HTTPStatus(status).phrase if kind is None else str(kind[0]),
        "status": status,
        "detail": detail,
        "code": code,
    }
    response = HttpResponse(
        json.dumps({**words, **more}, ensure_ascii=False), status=status, content_type=MEDIA_TYPE
    )
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    if status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = 'Bearer realm="gegenbild"'
    return response


def slow_down(error: Spent | TooMany) -> HttpResponse:
    """As often as is allowed for now."""
    said = str(getattr(error, "sentence", "")) or _("Too many requests. Try again later.")
    return document(429, "slow_down", said, retry_after=error.retry_after)


def unfit(error: Unfit) -> HttpResponse:
    """Values that passed the schema but that a model does not take."""
    fields = getattr(error, "message_dict", None) or {"": error.messages}
    found = [{"at": name, "message": text} for name, texts in fields.items() for text in texts]
    return document(422, "invalid", _("Some values cannot be."), errors=found)


def invalid(error: ValidationError) -> HttpResponse:
    """What the schema refuses, place by place."""
    found = [
        {"at": ".".join(str(part) for part in each["loc"]), "message": str(each["msg"])}
        for each in error.errors
    ]
    return document(422, "invalid", _("Some values are missing or cannot be."), errors=found)


def no_key(_error: AuthenticationError) -> HttpResponse:
    """Neither token nor session."""
    return document(401, "no_token", _("This needs a token: send “Authorization: Bearer …”."))


def http_error(error: HttpError) -> HttpResponse:
    """What ninja itself refuses: a body that is no JSON."""
    return document(error.status_code, CODES.get(error.status_code, "error"), str(error))


def not_allowed(error: NotAllowed) -> HttpResponse:
    """A verb of the threads room was refused."""
    return document(STATUS_OF.get(error.reason, 403), error.reason, str(error.sentence))


def refused(error: Refused) -> HttpResponse:
    """A picture, or what was to be done with it, was not accepted."""
    return document(error.status, error.code, str(error.sentence), retry_after=error.retry_after)


def key_reused(_error: KeyReused | Reused) -> HttpResponse:
    """The key stands for another request."""
    return document(409, "key_reused", _("This Idempotency-Key was used for something else."))


def no_such(_error: Http404) -> HttpResponse:
    """Nothing there, or nothing that may be seen: the same words for both."""
    return document(404, "not_found", _("There is nothing here, or nothing that you may see."))


#: By class; the first that fits answers.
HANDLERS: dict[type[Exception], Callable[[Any], HttpResponse]] = {
    Trouble: lambda error: document(error.status, error.code, error.detail, **error.more),
    AuthenticationError: no_key,
    HttpError: http_error,
    ValidationError: invalid,
    Unfit: unfit,
    Http404: no_such,
    Refused: refused,
    NotAllowed: not_allowed,
    KeyReused: key_reused,
    Reused: key_reused,
    TooMany: slow_down,
    Spent: slow_down,
    SlugTaken: lambda _error: document(409, "slug_taken", _("Another board has this address.")),
    PermissionDenied: lambda _error: document(403, "forbidden", _("This is not yours to do.")),
}


def register(api: NinjaAPI) -> None:
    """Let the API answer each kind of refusal."""
    for kind, answer in HANDLERS.items():
        api.add_exception_handler(kind, handler(answer))


def handler(
    answer: Callable[[Any], HttpResponse],
) -> Callable[[HttpRequest, Any], HttpResponse]:
    """As ninja calls it."""
    return lambda _request, error: answer(error)


#: What is said where nobody has said anything more precise.
CODES = {
    400: "bad_request", 401: "no_token", 403: "forbidden", 404: "not_found",
    405: "method_not_allowed", 408: "too_slow", 413: "too_large", 415: "unsupported_media_type",
    416: "bad_range",
    429: "slow_down", 500: "internal_error", 503: "unavailable",
}  # fmt: skip


class Problems:
    """Middleware: an error below /api/ that is not yet a problem document becomes one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code < 400 or not request.path.startswith("/api/"):
            return response
        if response.headers.get("Content-Type", "").startswith(MEDIA_TYPE):
            return response
        status = response.status_code
        said = _("This address does not take that method.") if status == 405 else ""
        said = said or HTTPStatus(status).description
        told = document(status, CODES.get(status, "error"), said)
        for name in ("Allow", "Retry-After", "Content-Range"):
            if name in response.headers:
                told.headers[name] = response.headers[name]
        told.cookies = response.cookies
        return told


def reason_of(word: str) -> dict[str, str] | None:
    """Why a reply did not come out, for programs and for people; None while it may yet."""
    return {"code": word, "detail": str(sentence(word))} if word else None
