"""Posting a first image."""

from http import HTTPStatus

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from forum.boards.models import Board, Visibility
from forum.images import ingest
from forum.images.refusals import Refused
from forum.threads import actions
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.forms import Post
from forum.threads.languages import guess
from forum.threads.views import refused
from forum.web import MemberRequest, member_required


@require_http_methods(["GET", "POST"])
@member_required
def post(request: MemberRequest) -> HttpResponse:
    """A form on GET, a new thread on POST."""
    if request.method == "GET":
        return page(request, Post(member=request.member, initial=beginning(request)))
    form = Post(request.POST, request.FILES, member=request.member)
    if not form.is_valid():
        return page(request, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    words = form.cleaned_data
    try:
        ingested = ingest.ingest(words.pop("file"), member=request.member)
        thread = actions.open_thread(
            member=request.member,
            ingested=ingested,
            language=guess(words["title"] or words["alt"]),
            **words,
        )
    except (Refused, KeyReused, NotAllowed, TooMany) as refusal:
        return refused.with_form(refusal, form, lambda status: page(request, form, status))
    assert thread.first_image is not None
    return HttpResponseRedirect(thread.first_image.get_absolute_url())


def beginning(request: MemberRequest) -> dict[str, str]:
    """Board and licence chosen beforehand: the board one comes from, else the first public one."""
    boards = Board.objects.open_to(request.member)
    asked = boards.filter(slug=request.GET.get("board", "")[:50].replace("\0", "")).first()
    # Whoever chooses nothing speaks to everybody, where that may be.
    board = asked or boards.filter(visibility=Visibility.PUBLIC).first() or boards.first()
    return {} if board is None else {"board": board.slug, "licence": board.licence}


def page(request: MemberRequest, form: Post, status: int = 200) -> HttpResponse:
    """The form for a first image."""
    boards = form.fields["board"].queryset.exists()  # type: ignore[attr-defined]
    words = {"form": form, "boards": boards, "max_bytes": settings.FORUM_UPLOAD_MB * 1024**2}
    return render(request, "threads/post.html", words, status=status)
