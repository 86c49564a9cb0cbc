"""Doors to masks: every byte after a check of the right to it."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from forum.images.models import Image
from forum.images.serving import send
from forum.masks.models import Mask
from forum.web import Request


@require_safe
def mask(request: Request, pk: int) -> HttpResponse:
    """A mask, for its author and for those who see a reply that was sent with it."""
    masks = Mask.objects.visible_to(request.member).select_related("image__board")
    return send(request, get_object_or_404(masks, pk=pk).as_file())


@require_safe
def image_mask(request: Request, pk: int) -> HttpResponse:
    """The mask that a derivative was made with, for those who see both."""
    image = get_object_or_404(Image.objects.visible_to(request.member), pk=pk)
    masks = Mask.objects.visible_to(request.member).behind(image).select_related("image__board")
    return send(request, get_object_or_404(masks).as_file())
