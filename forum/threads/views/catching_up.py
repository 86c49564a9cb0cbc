"""Lists that were away: what they show, anew, and how much has come meanwhile.

A page names what it shows; only that is sent, each thing for its own place, so that nothing moves.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.http import HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers

from forum.images.models import Image
from forum.threads.cards import cards_for
from forum.threads.models import GLIMPSES, Reply, ThreadQuerySet
from forum.web import Request, is_fragment

#: As many things as a page may name; `news.js` names no more.
MOST = 100
#: As many new threads as are counted one by one.
COUNTED = 50
_NAMED = re.compile(r"(thread|reply|waits)-([0-9]{1,18})")


@dataclass(frozen=True, slots=True)
class Shown:
    """Ids of what a page shows."""

    threads: list[int] = field(default_factory=list)
    replies: list[int] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)


def shown_by(request: Request) -> Shown | None:
    """What the page of this request shows, if it asks to catch up; anything else it names is left."""
    if not is_fragment(request) or "shown" not in request.GET:
        return None
    found = Shown()
    kept = {"thread": found.threads, "reply": found.replies, "waits": found.waits}
    for name in request.GET["shown"].split()[:MOST]:
        if match := _NAMED.fullmatch(name):
            kept[match[1]].append(int(match[2]))
    return found


def threads_again(
    request: Request, shown: Shown, threads: ThreadQuerySet, *, rows: bool = False
) -> HttpResponse:
    """Threads and forming replies that the page shows; and which of `threads` were opened since.

    `threads` are those this person may see on this list. Whoever reads an earlier page is told of
    nothing new: it would not come there.
    """
    mine = threads.filter(pk__in=shown.threads).for_cards()
    replies = Reply.objects.visible_to(request.member).filter(pk__in=shown.replies).for_card()
    is_first = not request.GET.get("before")
    since = max(shown.threads, default=0)
    opened = threads.filter(pk__gt=since).order_by("pk").values_list("pk", flat=True)
    seen = {thread.pk for thread in mine}
    words = {
        "threads": mine,
        "gone": [pk for pk in shown.threads if pk not in seen],
        "cards": cards_for(replies),
        "new": list(opened[:COUNTED]) if is_first else [],
        "rows": rows,
    }
    return told(request, words)


def waiting_again(request: Request, shown: Shown, unanswered: Iterable[Image]) -> HttpResponse:
    """Whether what the page shows still waits, what answers it meanwhile, and what else waits."""
    waits = {image.pk: image for image in unanswered}
    mine = list(Image.objects.visible_to(request.member).filter(pk__in=shown.waits))
    answers = answers_to(request, [image.pk for image in mine if image.pk not in waits])
    words = {
        "waits": [(image, image.pk in waits, answers[image.pk]) for image in mine],
        "new": [pk for pk in waits if pk not in shown.waits],
    }
    return told(request, words)


def answers_to(request: Request, images: list[int]) -> dict[int, list[Reply]]:
    """The newest replies by which these images wait no more, as far as this person may see them."""
    found: dict[int, list[Reply]] = defaultdict(list)
    if not images:
        return found
    rows = Reply.objects.visible_to(request.member).holding().filter(to__in=images)
    for reply in rows.for_card().order_by("-pk")[:MOST]:
        if len(found[reply.to_id]) < GLIMPSES:
            found[reply.to_id].append(reply)
    return found


def told(request: Request, words: dict[str, object]) -> HttpResponse:
    """A fragment of pieces, each for its own place."""
    response = render(request, "threads/_caught_up.html", words)
    patch_vary_headers(response, ["HX-Request", "Cookie"])
    return response
