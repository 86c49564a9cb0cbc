"""Beginning from nothing: a form, and a page on which the first image comes into being."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forum.beginnings import actions
from forum.beginnings.cards import cards_for
from forum.beginnings.forms import Begin, engines
from forum.beginnings.models import Beginning
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.costs import cost
from forum.threads.forms import LONGEST_PROMPT
from forum.threads.views import refused
from forum.threads.views.post import beginning as chosen_before
from forum.threads.views.reply import CLEAR
from forum.web import MemberRequest, is_fragment, member_required
from generation import queue


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
def begin(request: MemberRequest) -> HttpResponse:
    """A form on GET; on POST a first image begins to form."""
    if request.method != "POST":
        said = {"prompt": request.GET.get("prompt", "")[:2000].replace("\0", "")}
        return page(request, Begin(member=request.member, initial=chosen_before(request) | said))
    form = Begin(request.POST, member=request.member)
    if not form.is_valid():
        return page(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        made = actions.begin(member=request.member, **form.cleaned_data)
    except (KeyReused, NotAllowed, TooMany) as refusal:
        return refused.with_form(refusal, form, lambda status: page(request, form, status))
    return HttpResponseRedirect(made.get_absolute_url())


def page(request: MemberRequest, form: Begin, status: int = HTTPStatus.OK) -> HttpResponse:
    """The form with what sending costs, or why it is impossible now; below it what is unborn."""
    names = [name for name, _title in engines()]
    words: dict[str, Any] = {
        "form": form,
        "can_begin": bool(names),
        "cards": cards_for(Beginning.objects.of(request.member).unborn()[:12]),
    }
    if names:
        said, chosen = (str(form[name].value() or "") for name in ("prompt", "preset"))
        words |= read(request, said, chosen if chosen in names else names[0])
    return render(request, "beginnings/begin.html", words, status=status)


def read(request: MemberRequest, prompt: str, preset: str) -> dict[str, Any]:
    """How the engine takes these words, and what sending them costs."""
    taken = queue.plan(prompt[:LONGEST_PROMPT], preset, get_language() or "en")
    return {
        "notes": taken.notes if prompt.strip() else (),
        "cost": cost(request.member, preset, taken.seconds),
    }


@require_safe
@member_required
def plan(request: MemberRequest) -> HttpResponse:
    """The same while one types: a fragment."""
    said, chosen = (request.GET.get(name, "").replace("\0", "") for name in ("prompt", "preset"))
    known = [name for name, _title in engines()]
    words = read(request, said, chosen) if chosen in known else {}
    response = render(request, "beginnings/_plan.html", words)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_safe
@member_required
def beginning(request: MemberRequest, pk: int) -> HttpResponse:
    """How it stands; the image itself once it is there."""
    found = own(request, pk)
    if found.image is not None and not is_fragment(request):
        return HttpResponseRedirect(found.image.get_absolute_url())
    template = "beginnings/_card.html" if is_fragment(request) else "beginnings/beginning.html"
    return render(request, template, {"card": cards_for([found])[0]})


@require_POST
@member_required
def stop(request: MemberRequest, pk: int) -> HttpResponse:
    """End it before it has come into being."""
    found = own(request, pk)
    return done(request, found, lambda: actions.stop(beginning=found, by=request.member))


@require_POST
@member_required
def again(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask once more for one that failed or was stopped."""
    found = own(request, pk)
    return done(request, found, lambda: actions.try_again(beginning=found, by=request.member))


def done(request: MemberRequest, found: Beginning, verb: Callable[[], Beginning]) -> HttpResponse:
    """Do it, say why where it was not done, and show it as it stands."""
    problem, status, headers = "", int(HTTPStatus.OK), {}
    try:
        found = verb()
    except (NotAllowed, TooMany) as refusal:
        problem, status = str(refused.sentence(refusal)), refused.status(refusal)
        if isinstance(refusal, TooMany):
            headers["Retry-After"] = str(refusal.retry_after)
    if is_fragment(request):
        words = {"card": cards_for([found])[0], "problem": problem}
        return render_with(request, words, status, headers)
    if problem:
        messages.error(request, problem)
    return HttpResponseRedirect(found.get_absolute_url(), headers=headers)


def render_with(
    request: MemberRequest, words: dict[str, Any], status: int, headers: dict[str, str]
) -> HttpResponse:
    """The card alone."""
    response = render(request, "beginnings/_card.html", words, status=status)
    for name, value in headers.items():
        response.headers[name] = value
    return response


def own(request: MemberRequest, pk: int) -> Beginning:
    """One's own; 404 for everybody else's."""
    rows = Beginning.objects.of(request.member).select_related("board", "image")
    found: Beginning = get_object_or_404(rows, pk=pk)
    return found


@require_safe
@member_required
def frame(request: MemberRequest, pk: int) -> HttpResponse:
    """The newest frame as JPEG; a clear pixel where there is none any more."""
    newest = queue.frame(own(request, pk).job)
    kept = {"Cache-Control": "no-store"}
    return HttpResponse(newest or CLEAR, "image/jpeg" if newest else "image/gif", headers=kept)
