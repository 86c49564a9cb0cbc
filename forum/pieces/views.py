"""The page of pieces, and the pictures its samples point to."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import get_urlconf, set_urlconf
from django.utils.translation import gettext_lazy as _

from forum.pieces import samples
from forum.web import Request


@dataclass(frozen=True)
class Piece:
    """One fragment in one state, drawn."""

    name: str
    html: str


class Sample(forms.Form):
    """A field of every kind, with messages where it was filled in wrongly."""

    title = forms.CharField(label=_("Title"), max_length=8, help_text=_("One line."))
    description = forms.CharField(label=_("Description"), widget=forms.Textarea, required=False)
    licence = forms.ChoiceField(label=_("Licence"), choices=[("by", "CC BY"), ("0", "CC0")])
    origin = forms.ChoiceField(
        label=_("How it was made"),
        choices=[("hand", _("by hand or lens")), ("ai", _("with AI")), ("unknown", _("not said"))],
        widget=forms.RadioSelect,
    )
    allow = forms.BooleanField(label=_("May be answered by derivatives"), required=False)


def show(request: Request) -> HttpResponse:
    """Every piece in every state."""
    filled = Sample({"title": "far too long a title", "origin": "hand"})
    return render(
        request,
        "pieces/pieces.html",
        {
            "groups": groups(request),
            "empty_form": Sample(prefix="empty"),
            "filled_form": filled,
            "levels": range(9),
        },
    )


def groups(request: HttpRequest) -> dict[str, list[Piece]]:
    """Heading -> the rooms' own fragments, rendered from samples."""
    kept = get_urlconf()
    # Samples have no files: their pictures are fetched from here instead.
    set_urlconf("forum.pieces.addresses")
    try:
        return {"chips": chips(request), "replies": replies(request), "reruns": reruns(request)}
    finally:
        set_urlconf(kept)


def chips(request: HttpRequest) -> list[Piece]:
    """What an image is, at first sight."""
    return [
        piece(request, name, "pieces/_image.html", {"image": image})
        for name, image in samples.images().items()
    ]


def replies(request: HttpRequest) -> list[Piece]:
    """A reply in each of its states."""
    return [
        piece(request, name, "threads/_reply.html", {"card": card})
        for name, card in samples.cards().items()
    ]


def reruns(request: HttpRequest) -> list[Piece]:
    """A derivative made again, in each of its states."""
    return [
        piece(request, name, "reruns/_rerun.html", {"card": card, "rerun": card.rerun})
        for name, card in samples.reruns().items()
    ]


def piece(request: HttpRequest, name: str, template: str, context: dict[str, Any]) -> Piece:
    """A fragment rendered as the socket renders it, but with this page's request."""
    return Piece(name, render_to_string(template, context, request))


def picture(request: HttpRequest, pk: int, role: str = "") -> HttpResponse:
    """A drawn stand-in for a file of a sample."""
    return HttpResponseRedirect(static(f"img/samples/{pk % 4}.svg"))
