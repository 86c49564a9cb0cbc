"""Stopping a reply, and trying it again.

A reply's own row says *waiting* from the asking to the end; that it is being envisioned is read
from its job each time it is shown (`cards.py`). So no fault can leave a row that says "running"
while nobody works on it, and the studio needs to write nothing into the house when it begins.
"""

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forum.images.models import Image
from forum.members.models import Member
from forum.states import move
from forum.threads.actions.answering import RESULT_TO
from forum.threads.actions.gates import (
    answerable,
    at_the_desk,
    derivable,
    not_too_many_at_once,
    pay,
    turn,
)
from forum.threads.actions.growing import tell
from forum.threads.actions.refusals import NotAllowed
from forum.threads.models import Reply, ReplyState
from generation import queue
from generation.requests import EditRequest

START = ReplyState.WAITING


@transaction.atomic
def stop(*, reply: Reply, by: Member) -> Reply:
    """End a reply before it has come into being. A reply that is stopped already stays so.

    Raises NotAllowed for others than its author and moderators, and when it has ended.
    """
    reply = mine(reply, by)
    if reply.state == ReplyState.CANCELLED:
        return reply
    if not move(reply, ReplyState.CANCELLED, ended_at=Now()):
        raise NotAllowed(_("It has ended already; there is nothing to stop."), "ended")
    # The job may be done by now: then its result finds nobody who waits, and is thrown away.
    if reply.job is not None:
        queue.cancel(reply.job)
    tell(reply)
    return reply


@transaction.atomic
def try_again(*, reply: Reply, by: Member, free: bool = False) -> Reply:
    """Ask once more for a reply that failed or was stopped. One that is forming stays as it is.

    `free` is for operators who mend what a machine did: it costs nobody's allowance.

    Raises NotAllowed and TooMany.
    """
    by = at_the_desk(by)
    reply = mine(reply, by)
    if reply.is_forming:
        return reply
    author = reply.author or by
    to = answerable(author, reply.to)
    derivable(author, [to, *further(reply)])
    if not free:
        not_too_many_at_once(author)
        pay(by, "envision")
    again = {"reason": "", "reason_detail": "", "ended_at": None}
    if reply.job is None or not move(reply, START, **again):
        raise NotAllowed(_("It has come into being; there is nothing to try again."), "ended")
    restart(reply)
    tell(reply)
    return reply


def restart(reply: Reply) -> None:
    """Put the job back in the queue, or ask anew where the old one came out after all."""
    assert reply.job is not None
    if queue.retry(reply.job):
        return
    request = queue.request(reply.job)
    if not isinstance(request, EditRequest):
        raise NotAllowed(_("What was asked is no longer known. Answer anew."), "ended")
    place = turn(reply.author, reply.to.board) if reply.author else {}
    reply.job = queue.submit(request, return_to=RESULT_TO, topic=reply.thread.topic, **place)
    reply.save(update_fields=["job"])


def mine(reply: Reply, by: Member) -> Reply:
    """The reply afresh and locked, if it is this person's to stop. Raises NotAllowed."""
    own = Reply.objects.stoppable_by(by).select_related("thread", "author", "to")
    found = own.select_for_update(of=("self",)).filter(pk=reply.pk).first()
    if found is None:
        raise NotAllowed(_("Only its author or a moderator can do that."), "not_yours")
    return found


def further(reply: Reply) -> list[Image]:
    """Its further sources, in order."""
    return list(reply.further_sources.order_by("replysource__position"))
