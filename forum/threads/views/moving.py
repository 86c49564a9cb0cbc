"""A thread goes to another board: what that would mean, then the move."""

from http import HTTPStatus

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from forum.boards.models import Board
from forum.threads import actions
from forum.threads.actions import NotAllowed
from forum.threads.forms import BoardField
from forum.threads.models import Thread
from forum.web import MemberRequest, member_required, sent


class MoveForm(forms.Form):
    """Where to, and why."""

    board = BoardField(
        label=gettext_lazy("Board"),
        queryset=Board.objects.none(),
        empty_label=None,
        to_field_name="slug",
        error_messages={
            "required": gettext_lazy("Choose a board."),
            "invalid_choice": gettext_lazy("You do not moderate this board, or it is archived."),
        },
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("For those who moderate either board."),
    )
    meant = forms.BooleanField(
        label=gettext_lazy("More people may see it"),
        required=False,
        help_text=gettext_lazy(
            "Needed where the other board is open to people who do not see this."
        ),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@member_required
def move(request: MemberRequest, pk: int) -> HttpResponse:
    """Say what each board would mean, and move the thread: for those who moderate both boards."""
    threads = Thread.objects.visible_to(request.member).select_related("board", "first_image")
    thread: Thread = get_object_or_404(threads, pk=pk)
    places = actions.places_for(thread, request.member)
    if not Board.objects.editable_by(request.member).filter(pk=thread.board_id).exists():
        raise Http404
    form = MoveForm(sent(request))
    form.fields["board"].queryset = places  # type: ignore[attr-defined]
    if request.method == "POST" and form.is_valid() and moved(request, thread, form):
        return HttpResponseRedirect(thread.get_absolute_url())
    words = {
        "thread": thread,
        "form": form,
        "moves": [actions.weigh(thread, board, request.member) for board in places],
    }
    status = HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK
    return render(request, "threads/move.html", words, status=status)


def moved(request: MemberRequest, thread: Thread, form: MoveForm) -> bool:
    """Do it and say so; what is refused is said in the form."""
    words = form.cleaned_data
    try:
        actions.move_thread(
            thread=thread, to=words["board"], by=request.member, reason=words["reason"],
            meant=words["meant"],
        )  # fmt: skip
    except NotAllowed as refusal:
        form.add_error("meant" if refusal.reason == "not_meant" else "board", str(refusal.sentence))
        return False
    said = _("It stands on “%(board)s” now. Whoever moderates both boards can move it back.")
    messages.success(request, said % {"board": words["board"]})
    return True
