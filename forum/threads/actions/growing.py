"""A thread grows: its counters, and the word to open browsers."""

from collections.abc import Iterable
from typing import Any

from django.db import models
from django.db.models import Count, F, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now

from forum.announce import announce
from forum.images.models import Image
from forum.members.models import Member
from forum.threads.models import Reply, Thread

#: The topic of all threads.
STREAM = "stream"


def tell(reply: Reply) -> None:
    """Say that a reply changed, to those who look at its thread and to the stream."""
    announce(reply.thread.topic, "reply", id=reply.pk)
    announce(STREAM, "moved", id=reply.thread_id)


def lock(thread: Thread) -> bool:
    """Let threads grow one step at a time, so that two first words of one member count as one voice.

    False where it stands on another board than was known, which is known then.
    """
    found = Thread.objects.select_for_update(no_key=True).get(pk=thread.pk)
    stayed = found.board_id == thread.board_id
    thread.board_id = found.board_id
    return stayed


def has_spoken(member: Member | None, thread: Thread) -> bool:
    """Whether the member stands behind an image or a finished reply of the thread."""
    if member is None:
        return True  # nobody's voice is not a new one
    made = Image.objects.filter(thread=thread, author=member)
    said = Reply.objects.filter(thread=thread, author=member).done()
    return made.exists() or said.exists()


def grow(thread: Thread, *, images: int, replies: int, new_voice: bool) -> None:
    """Count what came into being. The thread must be locked."""
    Thread.objects.filter(pk=thread.pk).update(
        image_count=F("image_count") + images,
        reply_count=F("reply_count") + replies,
        voice_count=F("voice_count") + int(new_voice),
        moved_at=Now(),
    )


def recount(threads: Iterable[Thread | int], without: Member | None = None) -> None:
    """Reckon the counters of threads from their rows: after members left, and for repair.

    `without` is a member who is about to go.
    """
    pks = [thread if isinstance(thread, int) else thread.pk for thread in threads]
    images = Image.objects.filter(thread=OuterRef("pk"))
    replies = Reply.objects.filter(thread=OuterRef("pk")).done()
    # Two levels up, for these stand inside the subquery that counts members.
    here = OuterRef(OuterRef("pk"))
    made = Image.objects.filter(thread=here).values("author")
    said = Reply.objects.filter(thread=here).done().values("author")
    voices = Member.objects.filter(Q(pk__in=made) | Q(pk__in=said))
    if without is not None:
        voices = voices.exclude(pk=without.pk)
    Thread.objects.filter(pk__in=pks).update(
        image_count=counted(images),
        reply_count=counted(replies),
        voice_count=Coalesce(
            Subquery(
                voices.order_by()
                .annotate(one=F("pk") * 0)
                .values("one")
                .annotate(n=Count("pk"))
                .values("n"),
                IntegerField(),
            ),
            0,
        ),
    )


def counted(rows: models.QuerySet[Any]) -> Coalesce:
    """Number of rows of a thread, as a subquery."""
    grouped = rows.order_by().values("thread").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(grouped, IntegerField()), 0)
