"""Moving a thread to another board, and back again.

Who may see a thread follows its board. A move that lets more people in is never silent, and what others
said on a private board stays there: they said it to those who belonged.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forum.announce import announce
from forum.boards.actions import office_of, tell
from forum.boards.models import Board, BoardQuerySet, Decision, DecisionKind, Visibility
from forum.images.models import Descent, Image
from forum.members.models import Member
from forum.threads import events
from forum.threads.actions.gates import at_the_desk
from forum.threads.actions.growing import STREAM
from forum.threads.actions.refusals import NotAllowed
from forum.threads.models import Reading, Reply, Thread
from forum.threads.sentences import sentence

#: Characters that a decision keeps of its reason.
LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Move:
    """What moving a thread to a board would mean."""

    to: Board
    #: Whether people will see it who do not see it now.
    widens: bool
    #: Others than who moves it, who spoke since it last stood where all who see the board could see it.
    voices: int
    #: Why it cannot be; empty where it can.
    refusal: str | Promise = ""

    @property
    def must_be_meant(self) -> bool:
        """Whether it needs a word of its own: more people see what was said to fewer."""
        return self.widens and self.voices >= 0


def places_for(thread: Thread, by: Member) -> BoardQuerySet:
    """Boards to which this person may move a thread."""
    mine = Board.objects.editable_by(by)
    if not mine.filter(pk=thread.board_id).exists():
        return Board.objects.none()
    return mine.filter(archived_at__isnull=True).exclude(pk=thread.board_id).order_by("title", "pk")


def weigh(thread: Thread, to: Board, by: Member) -> Move:
    """What it would mean. `voices` is -1 where nothing was said since it came from that board."""
    widens = not all_see(to, thread.board)
    since = left(thread, to)
    voices = len(speakers(thread, since) - {by.pk}) if widens else 0
    if widens and since is not None and not speakers(thread, since):
        voices = -1
    return Move(to, widens, voices, refusal_of(thread, to, widens, voices))


def refusal_of(thread: Thread, to: Board, widens: bool, voices: int) -> str | Promise:
    """Why a thread cannot go there, or nothing."""
    if widens and voices > 0 and thread.board.visibility == Visibility.PRIVATE:
        return _(
            "Others spoke here on a private board, to those who belong to it. What they said cannot be "
            "shown to more people than they chose."
        )
    if children_beyond(thread, to):
        return _(
            "Images elsewhere were made from images of this thread, where people see them who would no "
            "longer see what they come from."
        )
    if sources_within(thread, to):
        return _(
            "Images of this thread were made from images of boards that not everybody there may see."
        )
    return ""


def all_see(board: Board, origin: Board) -> bool:
    """Whether everybody who may look into `board` may look into `origin` too."""
    if board.pk == origin.pk or origin.visibility == Visibility.PUBLIC:
        return True
    return origin.visibility == Visibility.MEMBERS and board.visibility != Visibility.PUBLIC


def left(thread: Thread, to: Board) -> datetime | None:
    """When the thread last left this very board; None where it never stood there."""
    went = Decision.objects.filter(thread=thread, kind=DecisionKind.MOVED, board=to)
    return went.order_by("-pk").values_list("made_at", flat=True).first()


def speakers(thread: Thread, since: datetime | None) -> set[int | None]:
    """Who posted, asked or read in a thread, since a moment or ever. None stands for those who left."""
    later: dict[str, Any] = {} if since is None else {"created_at__gt": since}
    said = (
        Image.objects.filter(thread=thread, **later),
        Reply.objects.filter(thread=thread, **later),
        Reading.objects.filter(image__thread=thread, **later),
    )
    return {pk for rows in said for pk in rows.order_by().values_list("author", flat=True)}


def children_beyond(thread: Thread, to: Board) -> bool:
    """Whether images of other threads would have a source that not all who see them may see."""
    children = Descent.objects.filter(source__thread=thread).exclude(child__thread=thread)
    if to.visibility == Visibility.PUBLIC:
        return False
    wider = ~Q(child__board=to)
    if to.visibility == Visibility.MEMBERS:
        wider &= Q(child__board__visibility=Visibility.PUBLIC)
    return children.filter(wider).exists()


def sources_within(thread: Thread, to: Board) -> bool:
    """Whether images of this thread would stand where not all may see what they come from."""
    sources = Descent.objects.filter(child__thread=thread).exclude(source__thread=thread)
    narrower = Q(source__board__visibility=Visibility.PRIVATE)
    if to.visibility == Visibility.PUBLIC:
        narrower |= Q(source__board__visibility=Visibility.MEMBERS)
    return sources.filter(narrower).exclude(source__board=to).exists()


@transaction.atomic
def move_thread(
    *, thread: Thread, to: Board, by: Member, reason: str = "", meant: bool = False
) -> Thread:
    """Move a thread with all its images. Moving it where it stands changes nothing.

    For moderators of both boards and of the house. `meant` says that more people may see it. Raises
    NotAllowed.
    """
    by = at_the_desk(by)
    thread = (
        Thread.objects.select_for_update(of=("self",)).select_related("board").get(pk=thread.pk)
    )
    origin, office = thread.board, office_of(by, to)
    if thread.board_id == to.pk:
        return thread
    if office is None or not places_for(thread, by).filter(pk=to.pk).exists():
        raise NotAllowed(sentence("not_yours"), "not_yours")
    wish = weigh(thread, to, by)
    if wish.refusal:
        raise NotAllowed(wish.refusal, "stays")
    if wish.must_be_meant and not meant:
        raise NotAllowed(_("More people would see it. Say that this is meant."), "not_meant")
    thread.board = to
    thread.save(update_fields=["board"])
    Image.objects.filter(thread=thread).update(board=to)
    Decision.objects.create(
        board=origin, to_board=to, kind=DecisionKind.MOVED, thread=thread, by=by, office=office,
        reason=reason.strip()[:LONGEST_REASON],
    )  # fmt: skip
    for hear in events.on_moved:
        hear(thread)
    for board in (origin, to):
        tell(board)
    announce(thread.topic, "moved", id=thread.pk)
    announce(STREAM, "moved", id=thread.pk)
    return thread
