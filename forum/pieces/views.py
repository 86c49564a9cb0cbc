"""The page of pieces, and the pictures its samples point to."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import get_urlconf, set_urlconf
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from forum.pieces import machines, samples, tries
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
            "wide": wide(request),
            "empty_form": Sample(prefix="empty"),
            "filled_form": filled,
            "levels": range(9),
        },
    )


@contextmanager
def own_pictures() -> Iterator[None]:
    """Samples have no files: their pictures are fetched from here instead."""
    kept = get_urlconf()
    set_urlconf("forum.pieces.addresses")
    try:
        yield
    finally:
        set_urlconf(kept)


def groups(request: HttpRequest) -> dict[str, list[Piece]]:
    """Heading -> the rooms' own fragments, rendered from samples."""
    with own_pictures():
        return {
            "chips": chips(request),
            "replies": replies(request),
            "reruns": reruns(request),
            "takes": takes(request),
            "beginnings": beginnings(request),
            "films": films(request),
        }


def wide(request: HttpRequest) -> dict[str, list[Piece]]:
    """Heading -> fragments that take the whole width."""
    shown = {
        "costs": [
            ("threads/_cost.html", name, {"cost": cost}) for name, cost in machines.costs().items()
        ],
        "null answers": [
            ("measures/_null.html", name, words) for name, words in tries.null_answers().items()
        ],
        "studio": [("studio/_now.html", name, words) for name, words in machines.studio().items()],
    }
    with own_pictures():
        return {
            heading: [
                Piece(name, still(piece(request, name, template, words).html, f"{heading}-{place}"))
                for place, (template, name, words) in enumerate(pieces)
            ]
            for heading, pieces in shown.items()
        }


def still(html: str, mark: str) -> str:
    """A piece that may stand beside others of its kind: ids of its own, and nothing is fetched."""
    mark = mark.replace(" ", "-")
    parted = re.sub(r'\b(id|for|aria-labelledby)="([^"]+)"', rf'\1="\2-{mark}"', html)
    return mark_safe(re.sub(r' hx-(get|trigger)="[^"]*"', "", parted))


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


def takes(request: HttpRequest) -> list[Piece]:
    """A candidate of a draft in each of its states."""
    return [
        piece(request, name, "drafts/_take.html", {"card": card, "image": samples.ORIGINAL})
        for name, card in tries.takes().items()
    ]


def beginnings(request: HttpRequest) -> list[Piece]:
    """A first image made from words, in each of its states."""
    return [
        piece(request, name, "beginnings/_card.html", {"card": card})
        for name, card in tries.beginnings().items()
    ]


def films(request: HttpRequest) -> list[Piece]:
    """A film in each of its states."""
    return [
        piece(request, name, "films/_film.html", {"card": card, "film": card.film})
        for name, card in tries.films().items()
    ]


def piece(request: HttpRequest, name: str, template: str, context: dict[str, Any]) -> Piece:
    """A fragment rendered as the socket renders it, but with this page's request."""
    return Piece(name, render_to_string(template, context, request))


def picture(request: HttpRequest, pk: int, role: str = "") -> HttpResponse:
    """A drawn stand-in for a file of a sample."""
    return HttpResponseRedirect(static(f"img/samples/{pk % 4}.svg"))
