"""Pages of the boards room. The page of one board, with its threads, lives in the threads room."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Max
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from forum.boards import actions
from forum.boards.forms import BoardForm, NewMember
from forum.boards.models import Board
from forum.members.models import Member
from forum.web import MemberRequest, Request, member_required, sent

#: Boards on one page of the list.
PAGE = 50


@require_GET
def boards(request: Request) -> HttpResponse:
    """The boards that this person may look into; archived ones last."""
    seen = Board.objects.visible_to(request.member).annotate(
        thread_count=Count("threads"), moved_at=Max("threads__moved_at")
    )
    page = Paginator(seen.order_by("archived_at", "title", "pk"), PAGE).get_page(
        request.GET.get("page")
    )
    words = {
        "boards": page,
        "may_create": actions.may_create(request.member),
        "newer": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "older": f"?page={page.next_page_number()}" if page.has_next() else "",
    }
    return render(request, "boards/boards.html", words)


@require_http_methods(["GET", "POST"])
@member_required
def new(request: MemberRequest) -> HttpResponse:
    """Make a board."""
    if not actions.may_create(request.member):
        raise actions.NotAllowed
    form = BoardForm(sent(request))
    if request.method == "POST" and form.is_valid():
        try:
            board = actions.create(by=request.member, **form.cleaned_data)
        except actions.SlugTaken:
            form.add_error("slug", _("Another board has this address."))
        else:
            return redirect("board", board.slug)
    return render(request, "boards/edit.html", {"form": form}, status=422 if form.is_bound else 200)


def mine(request: MemberRequest, slug: str) -> Board:
    """A board that this person may change: 404 for those who may not see it, 403 for others."""
    board = get_object_or_404(Board.objects.visible_to(request.member), slug=slug)
    if not Board.objects.editable_by(request.member).filter(pk=board.pk).exists():
        raise actions.NotAllowed
    return board


@require_http_methods(["GET", "POST"])
@member_required
def edit(request: MemberRequest, slug: str) -> HttpResponse:
    """Change a board."""
    board = mine(request, slug)
    form = BoardForm(sent(request), instance=board)
    if request.method == "POST" and form.is_valid():
        try:
            board = actions.change(board=board, by=request.member, **form.cleaned_data)
        except actions.SlugTaken:
            form.add_error("slug", _("Another board has this address."))
        else:
            messages.success(request, _("Saved."))
            return redirect("board", board.slug)
    words = {"form": form, "board": board, "slug": slug}
    return render(request, "boards/edit.html", words, status=422 if form.is_bound else 200)


@require_POST
@member_required
def archive(request: MemberRequest, slug: str) -> HttpResponse:
    """Archive a board, or take it up again: the form says which."""
    board = mine(request, slug)
    verb = actions.reopen if request.POST.get("reopen") else actions.archive
    verb(board=board, by=request.member)
    messages.success(request, _("Reopened.") if request.POST.get("reopen") else _("Archived."))
    return redirect("board", board.slug)


@require_http_methods(["GET", "POST"])
@member_required
def members(request: MemberRequest, slug: str) -> HttpResponse:
    """Who belongs to a board; its moderators let others in."""
    board = mine(request, slug)
    form = NewMember(sent(request))
    if request.method == "POST" and form.is_valid() and form.member is not None:
        actions.add_member(
            board=board, member=form.member, by=request.member, role=form.cleaned_data["role"]
        )
        return redirect("board-members", slug)
    belonging = board.memberships.select_related("member").order_by("member__username")
    words = {"form": form, "board": board, "memberships": belonging}
    return render(request, "boards/members.html", words, status=422 if form.is_bound else 200)


@require_POST
@member_required
def remove_member(request: MemberRequest, slug: str, username: str) -> HttpResponse:
    """Somebody no longer belongs to the board."""
    board = mine(request, slug)
    member = get_object_or_404(Member, username__iexact=username)
    actions.remove_member(board=board, member=member, by=request.member)
    return redirect("board-members", slug)


@require_POST
@member_required
def go(request: MemberRequest, slug: str) -> HttpResponse:
    """Leave a board that one belongs to."""
    board = get_object_or_404(Board.objects.visible_to(request.member), slug=slug)
    actions.remove_member(board=board, member=request.member, by=request.member)
    messages.success(request, _("You no longer belong to “%(board)s”.") % {"board": board})
    return redirect("boards")
