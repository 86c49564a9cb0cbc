"""The open program: what the darkroom can do, how, and in which words; and how resonances are found."""

from importlib import metadata
from itertools import groupby

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from forum.images.models import Image
from forum.program import formulas, sources
from forum.web import Request, is_fragment
from generation import queue
from generation.queue import Opened

#: Own images offered for a try.
OWN = 6


@require_safe
def program(request: Request) -> HttpResponse:
    """Every operation by its kind; `?q=` finds those whose title, words or text hold it."""
    wanted = request.GET.get("q", "").strip()[:60]
    found = [each for each in all_operations() if holds(each, wanted)]
    groups = [(title, list(part)) for title, part in groupby(found, lambda each: each.group)]
    words = {"groups": groups, "q": wanted, "count": len(found), "total": len(all_operations())}
    template = "program/_groups.html" if is_fragment(request) else "program/program.html"
    response = render(request, template, words)
    patch_vary_headers(response, ["HX-Request"])
    return response


def all_operations() -> tuple[Opened, ...]:
    """The program in the reader's language."""
    return queue.operations(get_language() or "en")


def holds(each: Opened, wanted: str) -> bool:
    """Whether an operation is what is looked for: by name, title, text or a word that calls it."""
    texts = (each.name, each.title, each.sentence, each.does, *each.english, *each.chinese)
    return all(any(word in text.lower() for text in texts) for word in wanted.lower().split())


@require_safe
def operation(request: Request, name: str) -> HttpResponse:
    """One operation with its picture, words, settings, limits and code."""
    found = all_operations()
    each = next((each for each in found if each.name == name), None)
    if each is None:
        raise Http404
    place = found.index(each)
    own = Image.objects.visible_to(request.member).filter(author=request.member, state="ready")
    derivable = own.filter(allow_derivatives=True, board__archived_at__isnull=True)
    words = {
        "each": each,
        "before": picture(f"{name}-before.webp") or "program/palace.jpg",
        "after": picture(f"{name}.webp"),
        "pieces": sources.function(each.run),
        "module": each.run.partition(":")[0],
        "regions": places(each),
        "earlier": found[place - 1] if place else None,
        "later": found[place + 1] if place + 1 < len(found) else None,
        "own": derivable.with_files().order_by("-pk")[:OWN] if request.member else (),
    }
    return render(request, "program/operation.html", words)


def places(each: Opened) -> list[str]:
    """Where in a picture this operation can be limited to; empty where it takes the whole."""
    if "region" not in each.entry.settings:
        return []
    return list(queue.region_titles(get_language() or "en").values())


def picture(name: str) -> str:
    """The static path of a picture of the program; empty where there is none."""
    return f"program/{name}" if finders.find(f"program/{name}") else ""


@require_safe
def resonances(request: Request) -> HttpResponse:
    """How resonances are found."""
    words = {"sections": formulas.sections(get_language() or "en"), "files": sources.FORMULAS}
    return render(request, "program/resonances.html", words)


@require_safe
def source(request: Request, name: str) -> HttpResponse:
    """One file of the program, whole."""
    if name not in sources.files():
        raise Http404
    words = {"piece": sources.whole(name), "name": name, "files": sources.files()}
    return render(request, "program/source.html", words)


@require_safe
def about(request: Request) -> HttpResponse:
    """What this place is, who runs it, which program and which engines, under which licences."""
    language = get_language() or "en"
    engines = [
        (preset.titles.get(language) or preset.titles.get("en") or name, preset)
        for name, preset in queue.presets().items()
    ]
    contact = settings.FORUM_CONTACT
    words = {
        "engines": engines,
        "version": release(),
        "source": settings.FORUM_SOURCE_URL,
        "contact": contact,
        "write_to": contact if "://" in contact else f"mailto:{contact}",
    }
    return render(request, "program/about.html", words)


def release() -> str:
    """Version of the installed program, such as "0.1.0"; empty where it runs uninstalled."""
    try:
        return metadata.version("gegenbild")
    except metadata.PackageNotFoundError:
        return ""
