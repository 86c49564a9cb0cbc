"""What this room does when a member leaves."""

from django.db.models import Exists, OuterRef, Q

from forum.images.models import Descent, Image, ImageQuerySet, ImageState
from forum.members import events
from forum.members.models import Member
from forum.states import move
from forum.threads.actions.growing import recount, tell
from forum.threads.models import Reading, Reply, ReplyKind, ReplySource, ReplyState, Thread
from generation import queue


def leave_threads(member: Member, keep_images: bool) -> None:
    """Stop what the member still waits for; without `keep_images` their words go too.

    An image that others answered or built upon keeps a grey place in the tree, without author and
    words; all else goes, the studio's record of what was asked too.
    """
    own = Reply.objects.filter(author=member)
    for reply in own.forming().select_related("thread"):
        stop_for_good(reply)
    if keep_images:
        return
    touched = Thread.objects.filter(Q(replies__author=member) | Q(images__author=member))
    threads = list(touched.distinct().values_list("pk", flat=True))
    Reading.objects.filter(author=member).delete()
    jobs = [pk for pk in own.values_list("job", flat=True) if pk is not None]
    own.filter(Q(image__isnull=True) | Q(kind=ReplyKind.LINK)).delete()
    own.update(author=None, prompt="", language="", job=None)
    clear_leaves(member)
    queue.forget(jobs)
    recount(threads, without=member)


def clear_leaves(member: Member) -> None:
    """Remove withdrawn images on which nothing stands, leaf by leaf towards the root."""
    while pks := list(leaves(member).values_list("pk", flat=True)):
        Reply.objects.filter(image__in=pks).delete()
        opened = list(Thread.objects.filter(first_image__in=pks).values_list("pk", flat=True))
        Thread.objects.filter(pk__in=opened).update(first_image=None)
        Image.objects.filter(pk__in=pks).delete()
        Thread.objects.filter(pk__in=opened, images=None).delete()


def leaves(member: Member) -> ImageQuerySet:
    """Withdrawn images of a member that nobody answered, pointed to or used as a source."""
    here = OuterRef("pk")
    return Image.objects.filter(author=member, state=ImageState.WITHDRAWN).filter(
        ~Exists(Descent.objects.filter(source=here)),
        ~Exists(Reply.objects.filter(to=here)),
        ~Exists(Reply.objects.filter(image=here, kind=ReplyKind.LINK)),
        ~Exists(ReplySource.objects.filter(image=here)),
    )


def stop_for_good(reply: Reply) -> None:
    """Nobody waits for it any more."""
    if move(reply, ReplyState.CANCELLED) and reply.job is not None:
        queue.cancel(reply.job)
        tell(reply)


if leave_threads not in events.on_leaving:
    events.on_leaving.append(leave_threads)
