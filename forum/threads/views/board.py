"""A board with its threads."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render

from forum.boards.models import Board
from forum.threads.models import Thread
from forum.threads.views.catching_up import shown_by, threads_again
from forum.threads.views.stream import WINDOW, older, threads_before
from forum.web import Request

VIEWS = ("wall", "threads")


def board(request: Request, slug: str) -> HttpResponse:
    """Its threads as a wall or as a list, by `?view=`."""
    boards = Board.objects.visible_to(request.member)
    found = get_object_or_404(boards.prefetch_related("memberships"), slug=slug)
    view = request.GET.get("view", VIEWS[0])
    if view not in VIEWS:
        raise Http404
    own = Thread.objects.visible_to(request.member).filter(board=found)
    if shown := shown_by(request):
        return threads_again(request, shown, own, rows=view == "threads")
    earlier = threads_before(own, request.GET.get("before", ""))
    threads = earlier.order_by("-moved_at", "-pk")[: WINDOW + 1].for_cards()
    words = {
        "board": found,
        "view": view,
        "threads": threads[:WINDOW],
        "older": older(threads),
        "earlier": "before" in request.GET,
        "may_post": request.member is not None and not found.is_archived,
        "may_edit": Board.objects.editable_by(request.member).filter(pk=found.pk).exists(),
    }
    return render(request, "threads/board.html", words)
