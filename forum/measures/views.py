"""What the machine would have done anyway: beside an answer, and as a page of its own."""

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods, require_safe

from forum.images.models import Image
from forum.images.serving import send_private
from forum.measures import actions
from forum.measures.centralization import LEAST, draw
from forum.measures.models import NullAnswer
from forum.members.models import Member
from forum.threads.actions import NotAllowed, TooMany
from forum.threads.models import ReplyState, Thread
from forum.threads.views import refused
from forum.web import Request, is_fragment, sign_in_first
from generation import queue
from generation.results import EditResult


@require_http_methods(["GET", "HEAD", "POST"])
def null(request: Request, pk: int) -> HttpResponse:
    """The null answers beside an answer: a fragment for htmx, a page of its own without scripts."""
    if request.method == "POST" and request.member is None:
        return sign_in_first(request)
    images = Image.objects.visible_to(request.member).with_files()
    image: Image = get_object_or_404(images, pk=pk)
    if request.method != "POST":
        return shown(request, image)
    assert request.member is not None
    try:
        actions.ask(image=image, by=request.member)
    except (NotAllowed, TooMany) as refusal:
        said = str(refused.sentence(refusal))
        if is_fragment(request):
            return shown(request, image, problem=said, status=refused.status(refusal))
        messages.error(request, said)
    if is_fragment(request):
        return shown(request, image)
    return HttpResponseRedirect(reverse("null", args=[image.pk]))


def shown(
    request: Request, image: Image, *, problem: str = "", status: int = HTTPStatus.OK
) -> HttpResponse:
    """What is known so far."""
    known = actions.known(image, request.member)
    words: dict[str, Any] = {"image": image, "known": known, "problem": problem}
    if request.member is not None and known is not None and (known.failed or not known.nulls):
        words["cost"] = actions.price(known, request.member)
    template = "measures/_null.html" if is_fragment(request) else "measures/null.html"
    response = render(request, template, words, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


#: Images that a shape is shown with.
BEHIND = 6


@require_safe
def web(request: Request, pk: int) -> HttpResponse:
    """Bundle or web: the gauge of a thread as a fragment for htmx, else the page that explains it."""
    threads = Thread.objects.visible_to(request.member).select_related("board", "first_image")
    thread: Thread = get_object_or_404(threads, pk=pk)
    found = actions.shape_of(thread)
    words: dict[str, Any] = {
        "thread": thread,
        "shape": found,
        "least": LEAST,
        "answered": actions.answered_in(thread),
    }
    if is_fragment(request):
        response = render(request, "measures/_web.html", words)
    else:
        words |= {"drawing": draw(found), "behind": most_answered(thread, request.member)}
        response = render(request, "measures/web.html", words)
    patch_vary_headers(response, ["HX-Request"])
    return response


def most_answered(thread: Thread, viewer: Member | None) -> list[Image]:
    """The images of a thread that were answered most, of those that this person may look at."""
    done = Count("replies", filter=Q(replies__state=ReplyState.DONE))
    seen = Image.objects.visible_to(viewer).filter(thread=thread, state="ready")
    rows = seen.annotate(answers=done).filter(answers__gt=0).prefetch_related("files")
    return list(rows.order_by("-answers", "pk")[:BEHIND])


@require_safe
def picture(request: Request, pk: int) -> HttpResponse:
    """One null answer, for those who may look at its source."""
    found = get_object_or_404(NullAnswer.objects.visible_to(request.member), pk=pk)
    result = queue.result(found.job)
    if not isinstance(result, EditResult):
        raise Http404
    return send_private(request, result.file, f"null-{found.pk}")
