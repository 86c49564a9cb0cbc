"""What doors share: the typed request, decorators, and the words every page needs. Imports no room."""

import ipaddress
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django_structlog.middlewares import RequestMiddleware

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from forum.members.models import Member

P = ParamSpec("P")


class Request(HttpRequest):
    """A request whose member is known: a `Member`, or None for a visitor."""

    @property
    def member(self) -> "Member | None": ...


class MemberRequest(HttpRequest):
    """A request that only a signed-in member can have made."""

    member: "Member"


class RequestLog(RequestMiddleware):
    """Logs requests by verb and path: behind the question mark stand prompts."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Such as "GET /images/1/plan/"."""
        return f"{request.method} {request.path}"


def of_member(user: "Member | AnonymousUser") -> "Member | None":
    """The signed-in member, or None."""
    return user if user.is_authenticated else None


def address(request: HttpRequest) -> str:
    """Where a request comes from, as it is counted: an IPv4 address, or the /64 of an IPv6 one.

    The last entry of X-Forwarded-For is what our own front server saw; earlier ones are hearsay.
    """
    seen = str(request.META.get("REMOTE_ADDR") or "")
    if settings.FORUM_BEHIND_PROXY:
        seen = request.headers.get("X-Forwarded-For", seen).rpartition(",")[2].strip()
    try:
        found = ipaddress.ip_address(seen.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a piece of a page rather than a page."""
    return request.headers.get("HX-Request") == "true"


def sent(request: HttpRequest) -> QueryDict | None:
    """What a form was sent with, for binding it; None where the page is only asked for."""
    return request.POST if request.method == "POST" else None


def member_required(
    view: Callable[Concatenate[MemberRequest, P], HttpResponse],
) -> Callable[Concatenate[Request, P], HttpResponse]:
    """Send visitors to the sign-in page and back again afterwards."""

    @wraps(view)
    def door(request: Request, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.member is None:
            return sign_in_first(request)
        return view(request, *args, **kwargs)  # type: ignore[arg-type]

    return door


def sign_in_first(request: HttpRequest) -> HttpResponse:
    """A redirect to the sign-in page; for htmx a whole-page one, since a fragment has no place there."""
    back = (
        request.get_full_path() if request.method == "GET" else request.headers.get("Referer", "/")
    )
    target = f"{reverse('account_login')}?next={quote(back)}"
    if is_fragment(request):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return HttpResponseRedirect(target)


def context(request: Request) -> dict[str, Any]:
    """Words every template may use."""
    return {
        "site_name": settings.SITE_NAME,
        "viewer": getattr(request, "member", None),
        "signup_mode": settings.SIGNUP_MODE,
    }
