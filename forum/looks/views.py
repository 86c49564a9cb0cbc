"""Doors to looks: the chips with their thumbnails, and the sheet these are cut from."""

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from forum.images.models import Image
from forum.images.serving import send
from forum.looks.actions import ask
from forum.looks.models import Looks
from forum.web import Request
from generation import queue


@dataclass(frozen=True, slots=True)
class Shown:
    """A chip, and where its thumbnail lies in the sheet."""

    name: str
    title: str
    words: str
    #: Left edge in pixels; None while there is no thumbnail.
    place: int | None = None


@require_safe
def looks(request: Request, pk: int) -> HttpResponse:
    """The chips of an image: a fragment. Who may answer the image has its thumbnails made."""
    images = Image.objects.visible_to(request.member).select_related("board")
    image = get_object_or_404(images.prefetch_related("files"), pk=pk)
    may_ask = Image.objects.answerable_by(request.member).filter(
        pk=image.pk, allow_derivatives=True
    )
    if request.member is not None and may_ask.exists():
        found = ask(image)
    else:
        found = Looks.objects.filter(image=image).first() or Looks(image=image)
    chips = [
        Shown(chip.name, chip.title, chip.words, found.place_of(chip.name))
        for chip in queue.chips(get_language() or "en")
    ]
    words = {"image": image, "chips": chips, "sheet": found if found.name else None}
    response = render(request, "threads/_looks.html", words)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@require_safe
def sheet(request: Request, pk: int) -> HttpResponse:
    """All thumbnails of an image in one picture."""
    sheets = Looks.objects.visible_to(request.member).select_related("image__board")
    return send(request, get_object_or_404(sheets, image=pk).as_file())
