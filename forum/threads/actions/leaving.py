"""What this room does when a member leaves."""

from django.db.models import Q

from forum.members import events
from forum.members.models import Member
from forum.threads.actions.growing import recount, tell
from forum.threads.actions.stopping import move
from forum.threads.models import Reading, Reply, ReplyKind, ReplyState, Thread
from generation import queue


def leave_threads(member: Member, keep_images: bool) -> None:
    """Stop what the member still waits for; without `keep_images` their words go too.

    Replies that became an image keep their place in the tree, without author and words: others may
    have answered it.
    """
    own = Reply.objects.filter(author=member)
    for reply in own.forming().select_related("thread"):
        stop_for_good(reply)
    if keep_images:
        return
    touched = Thread.objects.filter(Q(replies__author=member) | Q(images__author=member))
    threads = list(touched.distinct().values_list("pk", flat=True))
    Reading.objects.filter(author=member).delete()
    own.filter(Q(image__isnull=True) | Q(kind=ReplyKind.LINK)).delete()
    own.update(author=None, prompt="", language="")
    recount(threads, without=member)


def stop_for_good(reply: Reply) -> None:
    """Nobody waits for it any more."""
    if move(reply, ReplyState.CANCELLED) and reply.job is not None:
        queue.cancel(reply.job)
        tell(reply)


if leave_threads not in events.on_leaving:
    events.on_leaving.append(leave_threads)
