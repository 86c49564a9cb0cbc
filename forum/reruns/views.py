"""The reruns of an image: to look at, and to ask for one more."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from forum.images.models import Image
from forum.reruns import actions
from forum.reruns.cards import cards_for
from forum.reruns.models import Rerun
from forum.reruns.recipes import again
from forum.threads.actions import NotAllowed, TooMany
from forum.threads.views import refused
from forum.web import Request, is_fragment, sign_in_first

#: How many reruns a page shows.
WINDOW = 20


@require_http_methods(["GET", "HEAD", "POST"])
def reruns(request: Request, pk: int) -> HttpResponse:
    """History and button: a fragment for htmx, a page of its own without scripts."""
    if request.method == "POST" and request.member is None:
        return sign_in_first(request)
    images = Image.objects.visible_to(request.member).with_files()
    image: Image = get_object_or_404(images, pk=pk)
    return ask(request, image) if request.method == "POST" else shown(request, image)


def ask(request: Request, image: Image) -> HttpResponse:
    """Have it made again."""
    assert request.member is not None
    try:
        actions.run_again(image=image, by=request.member)
    except (NotAllowed, TooMany) as refusal:
        return told(request, image, refusal)
    if is_fragment(request):
        return shown(request, image)
    return HttpResponseRedirect(reverse("reruns", args=[image.pk]))


def told(request: Request, image: Image, refusal: NotAllowed | TooMany) -> HttpResponse:
    """Why it was not done, above the history as it stands."""
    said = str(refused.sentence(refusal))
    if is_fragment(request):
        response = shown(request, image, problem=said, status=refused.status(refusal))
    else:
        messages.error(request, said)
        response = HttpResponseRedirect(reverse("reruns", args=[image.pk]))
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def shown(request: Request, image: Image, *, problem: str = "", status: int = 200) -> HttpResponse:
    """What is known of this image's reruns."""
    wanted = again(image, request.member)
    words = {
        "image": image,
        "cards": cards_for(Rerun.objects.of(image)[:WINDOW]),
        "again": wanted,
        "cost": actions.price(wanted, request.member),
        "problem": problem,
    }
    template = "reruns/_reruns.html" if is_fragment(request) else "reruns/reruns.html"
    response = render(request, template, words, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response
