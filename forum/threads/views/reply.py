"""One reply: to look at again, to stop, to try again, and its newest frame."""

import base64

from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_POST

from forum.threads import actions
from forum.threads.actions import NotAllowed, TooMany
from forum.threads.cards import cards_for
from forum.threads.models import Reply
from forum.threads.views import refused
from forum.threads.views.answer import place_of
from forum.web import MemberRequest, Request, is_fragment, member_required
from generation import queue

#: A GIF of one clear pixel, where there is no frame: the square shows its bed.
CLEAR = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


def reply(request: Request, pk: int) -> HttpResponse:
    """A page to look again; for htmx the card alone."""
    rows = Reply.objects.visible_to(request.member).for_card()
    found = get_object_or_404(rows, pk=pk)
    template = "threads/_reply.html" if is_fragment(request) else "threads/reply.html"
    response = render(request, template, {"card": cards_for([found])[0]})
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_POST
@member_required
def reply_stop(request: MemberRequest, pk: int) -> HttpResponse:
    """Stop it before it has come into being."""
    found = own(request, pk)
    try:
        actions.stop(reply=found, by=request.member)
    except NotAllowed as refusal:
        return told(request, found, refusal)
    return shown(request, found)


@require_POST
@member_required
def reply_again(request: MemberRequest, pk: int) -> HttpResponse:
    """Ask once more for one that failed or was stopped."""
    found = own(request, pk)
    try:
        actions.try_again(reply=found, by=request.member)
    except (NotAllowed, TooMany) as refusal:
        return told(request, found, refusal)
    return shown(request, found)


def own(request: MemberRequest, pk: int) -> Reply:
    """A reply that this member may stop or try again; 404 for others, who see it all the same."""
    found: Reply = get_object_or_404(Reply.objects.stoppable_by(request.member), pk=pk)
    return found


def shown(request: MemberRequest, found: Reply, status: int = 200) -> HttpResponse:
    """Its card as it stands now, or the way back to it."""
    if not is_fragment(request):
        return HttpResponseRedirect(place_of(found))
    row = Reply.objects.visible_to(request.member).for_card().get(pk=found.pk)
    return render(request, "threads/_reply.html", {"card": cards_for([row])[0]}, status=status)


def told(request: MemberRequest, found: Reply, refusal: NotAllowed | TooMany) -> HttpResponse:
    """Why it was not done, and the card as it stands."""
    said = str(refused.sentence(refusal))
    status = refused.status(refusal)
    if is_fragment(request):
        row = Reply.objects.visible_to(request.member).for_card().get(pk=found.pk)
        words = {"card": cards_for([row])[0], "problem": said}
        response = render(request, "threads/_reply.html", words, status=status)
    else:
        messages.error(request, said)
        response = HttpResponseRedirect(place_of(found))
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def reply_frame(request: Request, pk: int) -> HttpResponse:
    """The newest frame of a forming reply as JPEG; a clear pixel where there is none any more.

    `?step=` makes the address new for each frame, so that browsers may keep those they have seen. A
    slow browser gets a newer frame under an older step: better than an empty square.
    """
    found = get_object_or_404(Reply.objects.visible_to(request.member), pk=pk)
    if found.job is None:
        raise Http404
    frame = queue.frame(found.job)
    if not frame:
        return HttpResponse(CLEAR, "image/gif", headers={"Cache-Control": "no-store"})
    kept = "private, max-age=600, immutable" if request.GET.get("step") else "no-store"
    return HttpResponse(frame, "image/jpeg", headers={"Cache-Control": kept})
