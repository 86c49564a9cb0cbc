"""The stream of threads, and images that wait for an answer."""

from django.db.models import Exists, OuterRef
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language

from forum.images.models import Image
from forum.members.models import Member
from forum.threads.cards import cards_for
from forum.threads.forms import Prompt
from forum.threads.models import Reply, Thread, ThreadQuerySet
from forum.threads.views.catching_up import shown_by, threads_again, waiting_again
from forum.web import Request
from generation import queue

#: Threads on a page, forming cards above them, images that wait on a page.
WINDOW, NOW, WAITING = 24, 3, 12
#: Images that somebody skipped are remembered in a cookie: so many, for a day.
SKIPPED, MOST_SKIPPED, A_DAY = "skipped", 60, 86_400


def stream(request: Request) -> HttpResponse:
    """Threads by when something last came into being in them."""
    visible = Thread.objects.visible_to(request.member)
    if shown := shown_by(request):
        return threads_again(request, shown, visible)
    earlier = threads_before(visible, request.GET.get("before", ""))
    threads = earlier.order_by("-moved_at", "-pk")[: WINDOW + 1].for_cards()
    now = Reply.objects.visible_to(request.member).forming().for_card().order_by("-pk")[:NOW]
    words = {
        "threads": threads[:WINDOW],
        "older": older(threads),
        "earlier": "before" in request.GET,
        "forming": [] if request.GET.get("before") else cards_for(now),
    }
    return render(request, "threads/stream.html", words)


def threads_before(threads: ThreadQuerySet, before: str) -> ThreadQuerySet:
    """Those that last moved before a moment in ISO 8601; all of them where it is none."""
    try:
        moment = parse_datetime(before)
    except ValueError:
        return threads
    if moment is None:
        return threads
    aware = moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    return threads.filter(moved_at__lt=aware)


def older(threads: list[Thread], window: int = WINDOW) -> str:
    """The moment from which "Earlier" goes on; empty where nothing is left."""
    return threads[window - 1].moved_at.isoformat() if len(threads) > window else ""


def waiting(request: Request) -> HttpResponse:
    """Images without an answer, longest waiting first, one per member, nobody's own."""
    skipped = skipped_by(request)
    if (skip := request.GET.get("skip", "")).isdecimal() and len(skip) < 19:
        skipped = [*(pk for pk in skipped if pk != int(skip)), int(skip)][-MOST_SKIPPED:]
    images = unanswered(request.member, skipped)
    if shown := shown_by(request):
        return waiting_again(request, shown, images)
    may_answer = request.member is not None
    words = {
        "entries": [(image, Prompt(to=image) if may_answer else None) for image in images],
        "skipped": len(skipped),
        "chips": queue.chips(get_language() or "en"),
    }
    response = render(request, "threads/waiting.html", words)
    if skipped:
        value = ".".join(str(pk) for pk in skipped)
        response.set_cookie(
            SKIPPED, value, max_age=A_DAY, httponly=True, samesite="Lax", secure=request.is_secure()
        )
    return response


def skipped_by(request: Request) -> list[int]:
    """Images that this browser skipped today."""
    parts = request.COOKIES.get(SKIPPED, "").split(".")[-MOST_SKIPPED:]
    return [int(part) for part in parts if part.isdecimal() and len(part) < 19]


def unanswered(member: Member | None, skipped: list[int]) -> list[Image]:
    """Images in open boards that nobody has answered or is answering; one of each author."""
    answered = Reply.objects.holding().filter(to=OuterRef("pk"))
    waits = (
        Image.objects.visible_to(member)
        .filter(state="ready", board__archived_at__isnull=True)
        .exclude(pk__in=skipped)
        .filter(~Exists(answered))
    )
    if member is not None:
        waits = waits.exclude(author=member)
    first = waits.order_by("author", "created_at", "pk").distinct("author")
    longest = Image.objects.visible_to(member).filter(pk__in=first.values("pk"))
    rows = longest.select_related("thread", "author", "board").prefetch_related("files")
    return list(rows.order_by("created_at", "pk")[:WAITING])
