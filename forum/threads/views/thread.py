"""A thread as a tree."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render

from forum.boards.models import Board
from forum.threads.models import Thread
from forum.threads.trees import WINDOW, tree_of
from forum.web import Request


def thread(request: Request, pk: int) -> HttpResponse:
    """Every reply below the image it answers, a window at a time."""
    threads = Thread.objects.visible_to(request.member).select_related(
        "board", "first_image__author"
    )
    found = get_object_or_404(threads.prefetch_related("first_image__files"), pk=pk)
    start = start_of(request.GET.get("from", ""))
    branches = tree_of(found, start, WINDOW + 1)
    words = {
        "thread": found,
        "may_move": Board.objects.editable_by(request.member).filter(pk=found.board_id).exists(),
        "branches": branches[:WINDOW],
        "start": start,
        "next": start + WINDOW if len(branches) > WINDOW else None,
        "previous": max(0, start - WINDOW) if start else None,
    }
    return render(request, "threads/thread.html", words)


def start_of(text: str) -> int:
    """Where a window begins; at the top for anything that is no number."""
    return int(text) if text.isdecimal() and len(text) < 9 else 0
