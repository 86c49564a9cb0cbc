"""A refusal as people read it: beside the field or above the form, with the right status."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus

from django.http import HttpResponse
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from forum.images.refusals import Refused
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.forms import Keyed

Refusal = KeyReused | NotAllowed | TooMany | Refused
Again = Callable[[int], HttpResponse]


def with_form(refusal: Refusal, form: Keyed, again: Again) -> HttpResponse:
    """The form once more, saying what was refused; `again` renders it with a status."""
    if isinstance(refusal, Refused):
        form.add_error("file", str(refusal.sentence))
    else:
        form.add_error(None, str(sentence(refusal)))
    if isinstance(refusal, KeyReused):
        form.renew()
    response = again(status(refusal))
    if seconds := getattr(refusal, "retry_after", None):
        response.headers["Retry-After"] = str(seconds)
    return response


def sentence(refusal: KeyReused | NotAllowed | TooMany) -> str | Promise:
    """What to say of it."""
    if isinstance(refusal, KeyReused):
        return _(
            "This form was sent before with something else. Send it once more to say this too."
        )
    if isinstance(refusal, NotAllowed):
        return refusal.sentence
    if refusal.sentence:
        return refusal.sentence
    again_at = timezone.localtime(timezone.now() + timedelta(seconds=refusal.retry_after))
    return _("You have done this as often as is allowed for now; again at %(time)s (%(zone)s).") % {
        "time": time_format(again_at, "H:i"),
        "zone": again_at.tzname(),
    }


def status(refusal: Refusal) -> int:
    """Its HTTP status."""
    if isinstance(refusal, Refused):
        return int(refusal.status)
    if isinstance(refusal, KeyReused):
        return HTTPStatus.CONFLICT
    return HTTPStatus.TOO_MANY_REQUESTS if isinstance(refusal, TooMany) else HTTPStatus.FORBIDDEN
