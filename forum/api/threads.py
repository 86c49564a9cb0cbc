"""/threads."""

from typing import Annotated

from django.shortcuts import get_object_or_404
from ninja import Path, Query, Router

from forum.api import schemas, showing
from forum.api.cursors import cut
from forum.api.keys import reader
from forum.api.replies import seen_by
from forum.threads.cards import cards_for
from forum.threads.models import Thread
from forum.web import Request

router = Router(tags=["threads"])
Cursor = Annotated[str, Query(max_length=100)]
Limit = Annotated[int, Query(ge=1, le=100)]


@router.get("/threads", auth=reader, response=schemas.ThreadList, url_name="threads")
def list_threads(
    request: Request,
    board: Annotated[str, Query(pattern=schemas.NO_NUL, max_length=50)] = "",
    cursor: Cursor = "",
    limit: Limit = 24,
) -> schemas.ThreadList:
    """Threads you may see, newest first; with `board` those of one board."""
    threads = Thread.objects.visible_to(request.member).select_related("board")
    if board:
        threads = threads.filter(board__slug=board)
    rows, beyond = cut(threads, cursor=cursor, limit=limit)
    items = [schemas.ThreadLine(**showing.thread_line(request, row)) for row in rows]
    return schemas.ThreadList(items=items, next=beyond)


@router.get("/threads/{int:thread}", auth=reader, response=schemas.ThreadOut, url_name="thread")
def get_thread(
    request: Request,
    thread: Annotated[int, Path(ge=1, le=2**63 - 1)],
    cursor: Cursor = "",
    limit: Limit = 50,
) -> schemas.ThreadOut:
    """A thread with a page of its replies, oldest first; `to` and `image` of each make the tree."""
    seen = Thread.objects.visible_to(request.member).select_related("board")
    row = get_object_or_404(seen, pk=thread)
    answers = seen_by(request.member).filter(thread=row)
    rows, beyond = cut(answers, cursor=cursor, limit=limit, newest_first=False)
    return schemas.ThreadOut(
        **showing.thread_line(request, row),
        created_at=row.created_at,
        replies=[showing.reply(request, card) for card in cards_for(rows)],
        next=beyond,
    )
