"""The image page: the picture, what was said, the composer, its answers."""

from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import get_language

from forum.images.lineage import ancestors
from forum.images.models import FileRole, Image
from forum.members.models import Member
from forum.threads import recipes
from forum.threads.cards import Card, cards_for
from forum.threads.forms import LONGEST_PROMPT, Prompt
from forum.threads.forms import Reading as ReadingForm
from forum.threads.models import Reading, Reply, ReplyKind
from forum.web import Request
from generation import queue

#: How many answers a page shows; the rest is behind "Earlier".
WINDOW = 24
#: How many readings stand beside a picture.
READINGS = 50


def image(request: Request, pk: int) -> HttpResponse:
    """The page of one image."""
    found = seen(request.member, pk)
    return page(request, found, Prompt(to=found, initial=drafted(request)))


def seen(member: Member | None, pk: int) -> Image:
    """An image that this person may look at, with all its page shows of it."""
    images = Image.objects.visible_to(member).select_related("author", "board", "thread__board")
    found: Image = get_object_or_404(images.prefetch_related("files"), pk=pk)
    return found


def drafted(request: Request) -> dict[str, Any]:
    """What the composer begins with: the prompt of an own reply that shall be changed."""
    change = request.GET.get("change", "")
    if not change.isdecimal() or len(change) > 18:
        return {}
    own = Reply.objects.stoppable_by(request.member).filter(pk=int(change)).first()
    return {} if own is None else {"prompt": own.prompt, "strength": own.strength}


def page(
    request: Request,
    found: Image,
    form: Prompt,
    *,
    reading: ReadingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page with a composer and a reading as they were left."""
    cards, older = answers(found, request.GET.get("before", ""))
    asked = asking(found, request.member)
    words = {
        **composer(found, form, request.member),
        "thread": found.thread,
        "asked": asked,
        "parent": parent(asked),
        "strip": ancestors(found, request.member),
        "cards": cards,
        "older": older,
        "is_earlier": "before" in request.GET,
        "readings": Reading.objects.visible_to(request.member)
        .filter(image=found)
        .select_related("author")[:READINGS],
        "reading_form": reading or ReadingForm(),
        "recipe": recipes.groups(found.recipe),
        "strip_files": [
            f"{file.role}-{file.position}"
            for file in found.files.all()
            if file.role == FileRole.STRIP
        ],
    }
    return render(request, "threads/image.html", words, status=status)


def composer(found: Image, form: Prompt, member: Member | None) -> dict[str, Any]:
    """What `_composer.html` shows."""
    open_here = found.is_shown and not found.board.is_archived
    return {
        "image": found,
        "form": form,
        "may_answer": member is not None and open_here,
        "is_open": open_here,
        "suggestions": queue.suggestions(get_language() or "en")[:6],
    }


def answers(found: Image, before: str) -> tuple[list[Card], int | None]:
    """The newest answers, and the reply from which "Earlier" goes on."""
    rows = Reply.objects.filter(to=found, thread=found.thread).shown_to_all().for_card()
    if before.isdecimal() and len(before) < 19:
        rows = rows.filter(pk__lt=int(before))
    # All of them answer this image, whose files are here already.
    window = list(
        rows.prefetch_related(None).prefetch_related("image__files").order_by("-pk")[: WINDOW + 1]
    )
    for row in window:
        row.to = found
    older = window[WINDOW - 1].pk if len(window) > WINDOW else None
    return cards_for(window[:WINDOW]), older


def asking(found: Image, member: Member | None) -> Reply | None:
    """The reply that this image is, if it is one."""
    rows = Reply.objects.visible_to(member).filter(image=found).exclude(kind=ReplyKind.LINK)
    return rows.select_related("author", "to__author").prefetch_related("to__files").first()


def parent(asked: Reply | None) -> Image | None:
    """The image to compare with, while it can be seen."""
    return asked.to if asked is not None and asked.to.is_shown else None


def plan(request: Request, pk: int) -> HttpResponse:
    """How the engine would read what is being typed: a fragment."""
    found = seen(request.member, pk)
    prompt = request.GET.get("prompt", "")[:LONGEST_PROMPT]
    preset = request.GET.get("preset") or found.board.preset
    read = queue.plan(prompt, preset, get_language() or "en") if prompt.strip() else None
    words = {"plan": read, "ready": queue.can_do(preset) if read else True, "prompt": prompt}
    return render(request, "threads/_plan.html", words)


def recipe(request: Request, pk: int) -> HttpResponse:
    """A derivative's recipe as JSON, to keep or to run elsewhere."""
    found = seen(request.member, pk)
    if not found.recipe:
        raise Http404
    return JsonResponse(found.recipe, json_dumps_params={"indent": 2, "ensure_ascii": False})
