"""Pages of the boards room. The page of one board, with its threads, lives in the threads room."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Max, Q
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from forum.boards import actions
from forum.boards import words as teaching
from forum.boards.forms import BoardForm, NewMember, TryWords, WordForm
from forum.boards.models import Board, Decision, Word
from forum.members.models import Member
from forum.web import MemberRequest, Request, member_required, sent
from generation import queue

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
        "may_teach": teaching.may_teach(request.member, None),
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


@require_safe
@member_required
def decisions(request: MemberRequest, slug: str) -> HttpResponse:
    """What was decided on a board and why, newest first: for those who moderate it."""
    board = mine(request, slug)
    rows = Decision.objects.filter(Q(board=board) | Q(to_board=board)).with_names()
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    words = {
        "board": board,
        "decisions": page,
        "newer": f"?page={page.previous_page_number()}" if page.has_previous() else "",
        "older": f"?page={page.next_page_number()}" if page.has_next() else "",
    }
    return render(request, "boards/decisions.html", words)


@require_POST
@member_required
def go(request: MemberRequest, slug: str) -> HttpResponse:
    """Leave a board that one belongs to."""
    board = get_object_or_404(Board.objects.visible_to(request.member), slug=slug)
    actions.remove_member(board=board, member=request.member, by=request.member)
    messages.success(request, _("You no longer belong to “%(board)s”.") % {"board": board})
    return redirect("boards")


def place(request: MemberRequest, slug: str) -> Board | None:
    """The board whose words these are; None is the house, whose owner alone teaches it words."""
    if slug:
        return mine(request, slug)
    if not teaching.may_teach(request.member, None):
        raise actions.NotAllowed
    return None


@require_http_methods(["GET", "POST"])
@member_required
def words(request: MemberRequest, slug: str = "") -> HttpResponse:
    """The words that a board, or the house, taught the darkroom; teach one; try them out."""
    board = place(request, slug)
    form = WordForm(sent(request), initial=begun(request))
    if request.method == "POST" and form.is_valid():
        made = taught(request, form, teaching.teach, board=board)
        if made is not None:
            return redirect(tried_at_once(board, made))
    return words_page(request, board, form)


def begun(request: MemberRequest) -> dict[str, str]:
    """What the address fills into the form for a new word: a word just forgotten, for example."""
    return {name: request.GET.get(name, "")[:200] for name in ("term", "means")}


def tried_at_once(board: Board | None, word: Word) -> str:
    """The words, with the new one tried: one sees that it is understood."""
    return f"{to_words(board)}?{urlencode({'attempt': word.term})}#try"


def words_page(request: MemberRequest, board: Board | None, form: WordForm) -> HttpResponse:
    """The list with what it means, the form, and a prompt that is tried."""
    rows = Word.objects.filter(board=board).select_related("made_by", "changed_by")
    attempt = TryWords(request.GET or None)
    tried = None
    if attempt.is_valid() and (prompt := attempt.cleaned_data["attempt"]):
        own = teaching.heard_on(board) if board else teaching.of_the_house()
        tried = queue.plan(prompt, teaching.PRESET, get_language() or "en", words=own)
    shown = {
        "board": board,
        "slug": board.slug if board else "",
        "words": [(row, teaching.does(row)) for row in rows],
        "form": form,
        "attempt": attempt,
        "tried": tried,
        "most": teaching.MOST_WORDS,
    }
    return render(request, "boards/words.html", shown, status=422 if form.is_bound else 200)


def to_words(board: Board | None) -> str:
    """Where the words of a board, or of the house, stand."""
    return reverse("board-words", args=[board.slug]) if board else reverse("site-words")


def taught(
    request: MemberRequest, form: WordForm, verb: Callable[..., Word], **which: Any
) -> Word | None:
    """Do it and say what came of it; what is refused is said beside its field."""
    try:
        word = verb(by=request.member, **which, **form.cleaned_data)
    except teaching.Refused as refusal:
        form.add_error(refusal.field, str(refusal.sentence))
        return None
    before = teaching.conflict(word.term)
    if before:
        said = _("Kept. Without it “%(word)s” meant: %(before)s. Here it means what you wrote.")
        messages.warning(request, said % {"word": word.term, "before": before})
    else:
        messages.success(request, _("Kept. It is understood from now on."))
    return word


@require_http_methods(["GET", "POST"])
@member_required
def word(request: MemberRequest, pk: int, slug: str = "") -> HttpResponse:
    """Change a word."""
    board = place(request, slug)
    found = get_object_or_404(Word, pk=pk, board=board)
    initial = {"term": found.term, "means": found.means}
    form = WordForm(sent(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        made = taught(request, form, teaching.change, word=found)
        if made is not None:
            return redirect(tried_at_once(board, made))
    shown = {"form": form, "board": board, "slug": slug, "word": found, "back": to_words(board)}
    return render(request, "boards/word.html", shown, status=422 if form.is_bound else 200)


@require_POST
@member_required
def word_delete(request: MemberRequest, pk: int, slug: str = "") -> HttpResponse:
    """Take a word away."""
    board = place(request, slug)
    found = get_object_or_404(Word, pk=pk, board=board)
    teaching.forget(word=found, by=request.member)
    said = _("“%(word)s” is forgotten. It stands in the form below: “Teach it” takes it back.")
    messages.success(request, said % {"word": found.term})
    back = urlencode({"term": found.term, "means": found.means})
    return redirect(f"{to_words(board)}?{back}#teach")
