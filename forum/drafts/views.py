"""A draft: to talk with the apparatus, to choose, to step back, to publish. For its member alone."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forum.drafts import actions
from forum.drafts.forms import Turn
from forum.drafts.lines import line
from forum.drafts.models import Draft, Take
from forum.images.models import Image
from forum.images.refusals import Refused
from forum.images.serving import send_private
from forum.masks import actions as masks
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.views import refused
from forum.threads.views.answer import answered_image, place_of
from forum.threads.views.reply import CLEAR
from forum.web import MemberRequest, is_fragment, member_required
from generation import queue
from generation.results import EditResult


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
def draft(request: MemberRequest, pk: int) -> HttpResponse:
    """One's draft to an image; a POST is the next turn."""
    to = answered_image(request, pk)
    if request.method != "POST":
        return shown(request, to, Turn(to=to, initial=first_words(request)))
    form = Turn(request.POST, request.FILES, to=to)
    if not form.is_valid():
        return shown(request, to, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    words = form.cleaned_data
    try:
        mask = masks.choose(member=request.member, image=to, **form.mask_words)
        actions.take_turn(member=request.member, to=to, mask=mask, **words)
    except Refused as refusal:
        form.add_error("mask", str(refusal.sentence))
        return shown(request, to, form, refusal.status)
    except (KeyReused, NotAllowed, TooMany) as refusal:
        return refused.with_form(refusal, form, lambda status: shown(request, to, form, status))
    return away(request, reverse("draft", args=[to.pk]))


def first_words(request: MemberRequest) -> dict[str, Any]:
    """What the composer begins with: words that another page brought along."""
    return {"prompt": request.GET.get("prompt", "")[:2000]}


def shown(
    request: MemberRequest, to: Image, form: Turn, status: int = HTTPStatus.OK
) -> HttpResponse:
    """The page of a draft."""
    found = Draft.objects.of(request.member).filter(to=to).first()
    words = {
        "image": to,
        "form": form,
        "line": line(found),
        "suggestions": queue.suggestions(get_language() or "en")[:6],
    }
    template = "drafts/_composer.html" if is_fragment(request) else "drafts/draft.html"
    return render(request, template, words, status=status)


def away(request: MemberRequest, place: str) -> HttpResponse:
    """To another page, also where htmx asked."""
    if not is_fragment(request):
        return HttpResponseRedirect(place)
    return HttpResponse(status=HTTPStatus.OK, headers={"HX-Redirect": place})


@require_POST
@member_required
def back(request: MemberRequest, pk: int) -> HttpResponse:
    """One step back."""
    found = get_object_or_404(Draft.objects.of(request.member), to=pk)
    return done(request, pk, lambda: actions.go_back(draft=found, by=request.member))


@require_POST
@member_required
def leave(request: MemberRequest, pk: int) -> HttpResponse:
    """Throw the draft away."""
    found = get_object_or_404(Draft.objects.of(request.member), to=pk)
    actions.leave(draft=found, by=request.member)
    messages.success(request, _("The draft was thrown away."))
    return away(request, reverse("image", args=[pk]))


@require_POST
@member_required
def change(request: MemberRequest, pk: int, verb: str) -> HttpResponse:
    """Go on from a take, stop it, or try it again."""
    take = own(request, pk)
    verbs = {"go": actions.go_to, "stop": actions.stop, "again": actions.try_again}
    return done(request, take.draft.to_id, lambda: verbs[verb](take=take, by=request.member))


@require_POST
@member_required
def publish(request: MemberRequest, pk: int) -> HttpResponse:
    """Let a take enter the thread, and go there."""
    take = own(request, pk)
    try:
        reply = actions.publish(take=take, by=request.member)
    except (NotAllowed, TooMany, KeyReused) as refusal:
        messages.error(request, str(refused.sentence(refusal)))
        return away(request, reverse("draft", args=[take.draft.to_id]))
    return away(request, place_of(reply))


def done(request: MemberRequest, image: int, verb: Callable[[], object]) -> HttpResponse:
    """Do it, say why where it was not done, and show the draft as it stands."""
    problem, status = "", int(HTTPStatus.OK)
    try:
        verb()
    except (NotAllowed, TooMany) as refusal:
        problem, status = str(refused.sentence(refusal)), refused.status(refusal)
    if is_fragment(request):
        return desk(request, image, problem, status)
    if problem:
        messages.error(request, problem)
    return HttpResponseRedirect(reverse("draft", args=[image]))


def desk(request: MemberRequest, image: int, problem: str, status: int) -> HttpResponse:
    """The parts of the page that move, each to its place."""
    to = answered_image(request, image)
    found = Draft.objects.of(request.member).filter(to=to).first()
    words = {"image": to, "line": line(found), "problem": problem}
    parts = (
        render_to_string("live/draft.html", {**words, "part": part}, request)
        for part in ("steps", "stage", "turns")
    )
    return HttpResponse("\n".join(parts), status=status)


def own(request: MemberRequest, pk: int) -> Take:
    """A take of one's own; 404 for everybody else's."""
    takes = Take.objects.of(request.member).select_related("draft", "reply")
    found: Take = get_object_or_404(takes, pk=pk)
    return found


@require_safe
@member_required
def picture(request: MemberRequest, pk: int) -> HttpResponse:
    """The picture of a take, for its member alone; once published, for as long as its files are there."""
    take = own(request, pk)
    result = queue.result(take.job)
    if not isinstance(result, EditResult):
        raise Http404
    return send_private(request, result.file, f"take-{take.pk}")


@require_safe
@member_required
def frame(request: MemberRequest, pk: int) -> HttpResponse:
    """The newest frame of a forming take as JPEG; a clear pixel where there is none any more."""
    newest = queue.frame(own(request, pk).job)
    kept = {"Cache-Control": "no-store"}
    return HttpResponse(newest or CLEAR, "image/jpeg" if newest else "image/gif", headers=kept)
