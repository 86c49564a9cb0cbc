"""What every verb asks again inside its own transaction, whatever its door has asked before."""

import hashlib
import json
import math
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forum.boards.models import Board, Visibility
from forum.images.models import File, FileRole, Image, ImageState, deal
from forum.members import allowances
from forum.members.actions import Spent, purse, spend
from forum.members.models import Member
from forum.prepared import prepared
from forum.threads.actions.refusals import KeyReused, NotAllowed, TooMany
from forum.threads.models import Reply
from forum.threads.sentences import sentence
from generation import queue

#: Seconds after which it is worth asking again when too many replies are still forming.
SOON = 15
#: And at most as many, however long the queue is.
LATEST = 600


def at_the_desk(member: Member) -> Member:
    """The member, locked: what one member asks for at once is done one after the other.

    So a double click finds the first one's reply, and limits hold. NO KEY, because rows that point
    to the member are written meanwhile. Raises NotAllowed for those who were shut out.
    """
    found = Member.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
    if found is None or not found.is_active:
        raise NotAllowed(_("Your account may not write here."), "author_left")
    return found


def answerable(member: Member, image: Image) -> Image:
    """The image afresh, if this member may answer it. Raises NotAllowed."""
    rows = _answerable(image.pk, member.pk, role=member.role, is_active=member.is_active)
    if not rows:
        raise NotAllowed(
            _("This image cannot be answered: it is no longer here, or its board is closed to you.")
        )
    deal(_files(image.pk), rows)
    return rows[0]


@prepared
def _answerable(pk: int, who: int, **stands: Any) -> QuerySet[Image]:
    """An image, for somebody who stands in the house like this and would answer it."""
    open_here = Image.objects.answerable_by(Member(pk=who, **stands))
    return open_here.filter(pk=pk).select_related("thread", "board")


@prepared
def _files(image: int) -> QuerySet[File]:
    """What an answer may need of an image: not how it came into being."""
    return File.objects.exclude(role=FileRole.STRIP).filter(image=image)


def derivable(
    member: Member, images: Sequence[Image], *, answered: Image | None = None
) -> list[Image]:
    """The images afresh and in order, if derivatives may be made of all of them. Raises NotAllowed.

    The first is the one that is answered: a derivative stands on its board and shows something of
    every source, so whoever sees that board must be allowed to see the others too. `answered` is
    one of them as `answerable` has just found it, which is not asked for again.
    """
    pks = [image.pk for image in images]
    found = {} if answered is None else {answered.pk: answered}
    if others := [pk for pk in pks if pk not in found]:
        seen = Image.objects.visible_to(member).filter(state="ready").with_files()
        found |= seen.in_bulk(others)
    if len(found) < len(set(pks)):
        raise NotAllowed(sentence("source_withdrawn"), "source_withdrawn")
    if not all(image.allow_derivatives for image in found.values()):
        raise NotAllowed(
            _("Its author does not want derivatives. Answer it with an upload or a link instead."),
            "not_consented",
        )
    if not all(shown_to_all_on(found[pks[0]].board, image) for image in found.values()):
        raise NotAllowed(sentence("not_for_all"), "not_for_all")
    return [found[pk] for pk in dict.fromkeys(pks)]


def shown_to_all_on(board: Board, image: Image) -> bool:
    """Whether everybody who may look into the board may see the image, as far as its own board goes."""
    if image.board_id == board.pk or image.board.visibility == Visibility.PUBLIC:
        return True
    inner = board.visibility != Visibility.PUBLIC
    return inner and image.board.visibility == Visibility.MEMBERS


def open_board(member: Member, board: Board) -> Board:
    """The board afresh, if this member may post in it. Raises NotAllowed."""
    found = Board.objects.open_to(member).filter(pk=board.pk).first()
    if found is None:
        raise NotAllowed(_("You cannot post on this board."), "board_closed")
    return found


def at_work(preset: str) -> None:
    """Raises NotAllowed where machines are at work and none of them has this preset."""
    if queue.offer().is_impossible(preset):
        raise NotAllowed(sentence("no_worker"), "no_worker")


def pay(member: Member, what: str) -> None:
    """Count one use; more for those who look after the house. Raises TooMany."""
    more = allowances.times(member) if what == "envision" else 1
    try:
        spend(who=purse(member), what=what, times=more)
    except Spent as spent:
        raise TooMany(spent.retry_after) from spent


def not_too_many_kept(member: Member) -> None:
    """Raises NotAllowed while the member keeps as many images as may be. Needs the lock."""
    most = settings.FORUM_IMAGES_PER_MEMBER
    kept = Image.objects.filter(author=member).exclude(state=ImageState.WITHDRAWN)
    if most and kept.count() >= most:
        said = _("You keep as many images as a member may: %(most)s. Withdraw one first.")
        raise NotAllowed(said % {"most": most}, "images_full")


def not_too_many_at_once(member: Member) -> None:
    """Raises TooMany while as many of the member's replies are forming as may be. Needs the lock."""
    sentence = _("As many of your replies as may be are still coming into being. Wait for one.")
    few_at_once(member, Reply.objects.filter(author=member).forming(), sentence)


def few_at_once(member: Member, forming: "QuerySet[Any]", sentence: Promise) -> None:
    """Raises TooMany with this sentence while as many of these rows form as may be at once.

    They have a column `job`. Needs the lock, or two could pass side by side.
    """
    if forming.count() >= allowances.at_once(member):
        jobs = [job for job in forming.values_list("job", flat=True) if job is not None]
        raise TooMany(soonest(jobs), sentence)


def soonest(jobs: Iterable[int]) -> int:
    """Seconds until the first of these jobs is expected to be done, for Retry-After."""
    waits = [each.seconds for each in queue.read(jobs).values() if each.workers]
    return min(LATEST, max(1, math.ceil(min(waits)))) if waits else SOON


def turn(member: Member, board: Board) -> dict[str, Any]:
    """How the studio shall place a wish of this member's on this board: words for `queue.submit`."""
    return {
        "asker": member.pk,
        "circle": board.circle,
        "at_once": allowances.running(member),
    }


def content_of(*said: Any) -> str:
    """Hex SHA-256 of what was asked, to tell a repetition from something else under the same key."""
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()


def said_before(member: Member, key: str, content: str) -> Reply | None:
    """The reply that this request made already. Raises KeyReused if the key made another one."""
    found = Reply.objects.filter(author=member, key=key).first()
    if found is not None and found.content != content:
        raise KeyReused(key)
    return found


def keys_of(images: Iterable[Image]) -> list[int]:
    """Their ids, in order."""
    return [image.pk for image in images]
