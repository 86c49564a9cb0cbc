"""The image page: the picture, what was said, the composer, its answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import get_language

from forum.boards.models import Membership
from forum.images.actions import hidden_since
from forum.images.lineage import Node, ancestors
from forum.images.models import FileRole, Image
from forum.images.views import hidden_page
from forum.members.models import Member
from forum.prepared import prepared
from forum.threads import chips, costs, keeping, recipes
from forum.threads.cards import answers_of
from forum.threads.forms import LONGEST_PROMPT, Prompt
from forum.threads.forms import Reading as ReadingForm
from forum.threads.models import Reply
from forum.threads.readings import readings_of
from forum.threads.views.beginning import begun
from forum.web import Request
from generation import queue

#: As many pictures as a plan reckons with at once.
MOST_PICTURES = 4
#: How many images of each kind are offered for a recipe.
USES = 12


def image(request: Request, pk: int) -> HttpResponse:
    """The page of one image; for its author and those who moderate, that it is hidden."""
    try:
        found = seen(request.member, pk)
    except Http404:
        return hidden_page(request, pk)
    return page(request, found, begun(request, found))


def seen(member: Member | None, pk: int) -> Image:
    """An image that this person may look at, with its author, board and thread."""
    if member is None:
        rows = _seen(pk)
    else:
        rows = _seen(pk, member.pk, role=member.role, is_active=member.is_active)
    if not rows:
        raise Http404
    return rows[0]


@prepared
def _seen(pk: int, who: int | None = None, **stands: Any) -> QuerySet[Image]:
    """An image, for somebody who stands in the house like this."""
    images = Image.objects.visible_to(None if who is None else Member(pk=who, **stands))
    if who is not None:
        # Whether they moderate its board: asked along, since the page offers to hide it.
        office = Membership.Role.MODERATOR
        own = Membership.objects.filter(board=OuterRef("board"), member=who, role=office)
        images = images.annotate(overseen=Exists(own))
    return (
        images.filter(pk=pk)
        .select_related("author", "board", "thread")
        .defer("pdq", "sha256", "author__password", "author__email", "author__about")
        .annotate(thread_language=F("thread__first_image__language"))
    )


def page(
    request: Request,
    found: Image,
    form: Prompt,
    *,
    reading: ReadingForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page with a composer and a reading as they were left."""
    cards, older = answers_of(found, before=request.GET.get("before", ""))
    strip = [] if found.is_original else ancestors(found, request.member)
    words = {
        **composer(found, form, request.member),
        "decision": None if found.is_shown else hidden_since(found),
        "thread": found.thread,
        "asked": asking(found, strip),
        "parent": parent(strip),
        "strip": strip,
        "cards": cards,
        "older": older,
        "is_earlier": "before" in request.GET,
        "readings": readings_of(found.pk),
        "reading_form": reading or ReadingForm(),
        "recipe": recipes.groups(found.recipe),
        "missed": keeping.missed(found.recipe),
        "steps": recipes.steps(found.recipe),
        "frames": recipes.frames(found.recipe, frames(found)),
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
        "chips": queue.chips(get_language() or "en"),
        "cost": costs.cost_of(form, member),
    }


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody said with this image, and to whom."""

    author: Member | None
    #: Whose image was answered; None where that cannot be seen.
    other: Member | None
    prompt: str = ""
    language: str = ""


def asking(found: Image, strip: Sequence[Node]) -> Asked | None:
    """The reply that this image is, if it is one. A derivative knows it by itself."""
    if not found.is_original:
        answered = parent(strip)
        prompt = str(found.recipe.get("prompt", ""))
        return Asked(found.author, answered.author if answered else None, prompt, found.language)
    if found.thread.first_image_id == found.pk:
        return None
    reply = Reply.objects.as_which(found).select_related("author", "to__author").first()
    return None if reply is None else Asked(reply.author, reply.to.author)


def parent(strip: Sequence[Node]) -> Image | None:
    """The image to compare with: the one it was made from, while it can be seen."""
    return strip[-1].image if strip else None


def frames(found: Image) -> list[str]:
    """Roles of the kept frames of its coming into being."""
    kept = (file for file in found.known_files if file.role == FileRole.STRIP)
    return [f"{file.role}-{file.position}" for file in kept]


def plan(request: Request, pk: int) -> HttpResponse:
    """How the engine would read what is being typed, as chips, and what it costs: a fragment."""
    found = seen(request.member, pk)
    prompt = request.GET.get("prompt", "")[:LONGEST_PROMPT].replace("\0", "")
    preset, offer = request.GET.get("preset") or found.board.preset, None
    if not preset:
        offer = queue.offer()
        preset = offer.usual
    try:
        before = chips.sent(request.GET)
    except chips.Unfit:
        before = None
    read = None
    if prompt.strip() or before is not None:
        read = chips.understand(prompt, preset, found.board, before)
    words: dict[str, Any] = {"understood": read, "image": found, "prompt": prompt}
    words["second"] = request.GET.get("second", "")[:500]
    seconds = queue.plan("", preset).seconds if read is None else read.seconds
    many = request.GET.get("candidates", "")
    pictures = min(int(many), MOST_PICTURES) if many.isdecimal() and len(many) < 3 else 1
    words["cost"] = costs.cost(
        request.member, preset, seconds, pictures=max(1, pictures), offer=offer
    )
    return render(request, "threads/_plan.html", words)


def recipe_use(request: Request, pk: int) -> HttpResponse:
    """Images to answer with this image's recipe: one's own, and those of its thread."""
    found = seen(request.member, pk)
    if not found.recipe.get("prompt"):
        raise Http404
    open_here = Image.objects.answerable_by(request.member).filter(allow_derivatives=True)
    others = open_here.exclude(pk=found.pk).prefetch_related("files").order_by("-pk")
    own = others.filter(author=request.member) if request.member else others.none()
    words = {
        "image": found,
        "own": own[:USES],
        "beside": others.filter(thread=found.thread_id)[:USES],
        "steps": recipes.steps(found.recipe),
    }
    return render(request, "threads/recipe_use.html", words)


def recipe(request: Request, pk: int) -> HttpResponse:
    """A derivative's recipe as JSON, to keep or to run elsewhere."""
    found = seen(request.member, pk)
    if not found.recipe:
        raise Http404
    return JsonResponse(found.recipe, json_dumps_params={"indent": 2, "ensure_ascii": False})
