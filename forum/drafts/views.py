"""A draft: to talk with the apparatus, to choose, to step back, to publish. For its member alone."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from forum.drafts import actions
from forum.drafts.forms import Turn
from forum.drafts.lines import line
from forum.drafts.models import Draft, Take
from forum.images.models import Image
from forum.images.serving import send_private
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.costs import cost_of, cost_of_nothing_yet
from forum.threads.forms import LONGEST_PROMPT
from forum.threads.views import refused
from forum.threads.views.answer import (
    answered_image,
    other_picture,
    painted,
    place_of,
    unsent,
)
from forum.threads.views.reply import CLEAR
from forum.web import MemberRequest, is_fragment, member_required
from generation import queue
from generation.results import EditResult

#: A take whose sides differ by less from the image's has its shape.
SHAPE = 0.02


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
def draft(request: MemberRequest, pk: int) -> HttpResponse:
    """One's draft to an image; a POST is the next turn."""
    to = answered_image(request, pk)
    if request.method != "POST":
        return shown(request, to, begun(request, to))
    form = Turn(request.POST, request.FILES, to=to)
    mask, status = painted(request, to, form)
    if request.POST.get("suggest") or request.POST.get("chip_do"):
        return shown(request, to, unsent(form, request.POST.get("suggest", "")))
    second = other_picture(request, form) if form.is_valid() else []
    if not form.is_valid():
        return shown(request, to, form, status)
    try:
        actions.take_turn(
            member=request.member, to=to, mask=mask, second=next(iter(second), None),
            **form.cleaned_data,
        )  # fmt: skip
    except (KeyReused, NotAllowed, TooMany) as refusal:
        return refused.with_form(refusal, form, lambda status: shown(request, to, form, status))
    return sent(request, to, form.next())


def begun(request: MemberRequest, to: Image) -> Turn:
    """The composer as it begins: with words that another page brought along, and how they are read."""
    said = request.GET.get("prompt", "")[:LONGEST_PROMPT].replace("\0", "")
    form = Turn(to=to, initial={"prompt": said})
    if said:
        form.look(said, form.preset_name)
    return form


def shown(
    request: MemberRequest, to: Image, form: Turn, status: int = HTTPStatus.OK
) -> HttpResponse:
    """The page of a draft; for htmx its composer."""
    template = "drafts/_composer.html" if is_fragment(request) else "drafts/draft.html"
    return render(request, template, page_words(request, to, form), status=status)


def sent(request: MemberRequest, to: Image, form: Turn) -> HttpResponse:
    """htmx gets a fresh composer and the parts that moved; without scripts the page shows both."""
    if not is_fragment(request):
        return HttpResponseRedirect(reverse("draft", args=[to.pk]))
    return render(request, "drafts/_sent.html", page_words(request, to, form))


def page_words(request: MemberRequest, to: Image, form: Turn) -> dict[str, Any]:
    """What the page of a draft shows."""
    found = line(Draft.objects.of(request.member).filter(to=to).first())
    cost = cost_of(form, request.member) or cost_of_nothing_yet(
        request.member, form.preset_name or form.usual, pictures=form.pictures
    )
    return {
        "image": to,
        "form": form,
        "line": found,
        "cost": cost,
        "chips": queue.chips(get_language() or "en"),
        **painted_on(to, found.head),
    }


def painted_on(to: Image, head: Take | None) -> dict[str, Any]:
    """On what a mask is painted: the step one is at, where it has the shape of the image."""
    result = None if head is None else queue.result(head.job)
    if head is None or not isinstance(result, EditResult):
        return {}
    alike = abs(result.file.width * to.height - result.file.height * to.width)
    return {
        "over": reverse("take-picture", args=[head.pk]),
        "unlike": alike > SHAPE * to.width * to.height,
    }


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
    return render(request, "drafts/_desk.html", words, status=status)


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
