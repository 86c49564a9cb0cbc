"""What operators do with what went wrong."""

from dataclasses import dataclass

from forum.members.models import Member
from forum.threads import actions as threads
from forum.threads.actions import NotAllowed
from forum.threads.models import Reply
from generation import queue


@dataclass(frozen=True, slots=True)
class Retried:
    """What became of letting failed jobs try again."""

    again: int = 0
    #: Such as replies whose source was withdrawn meanwhile.
    left: int = 0


def retry(*, preset: str, reason: str, by: Member) -> Retried:
    """Let what failed so in the last day try again; it costs nobody's allowance.

    Replies go the way that their author's own "try again" goes, each in a transaction of its own.
    """
    jobs = queue.failed_jobs(preset, reason)
    again = sum(queue.is_own(job) and queue.retry(job) for job in jobs)
    left = 0
    for reply in Reply.objects.filter(job__in=jobs).select_related("to").order_by("pk"):
        try:
            threads.try_again(reply=reply, by=by, free=True)
            again += 1
        except NotAllowed:
            left += 1
    return Retried(again, left)
