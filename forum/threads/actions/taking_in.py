"""What the studio answers is taken in: the machine asks again on the author's behalf.

Both verbs may be called twice for one job, at once or years later; the second call changes nothing.
"""

from django.db import transaction
from django.db.models.functions import Now

from forum.images import actions as images
from forum.images.models import Image
from forum.members.actions import give_back, purse
from forum.members.allowances import times
from forum.states import move
from forum.threads.actions.gates import answerable, derivable
from forum.threads.actions.growing import grow, has_spoken, lock, tell
from forum.threads.actions.refusals import NotAllowed
from forum.threads.actions.stopping import further
from forum.threads.models import Reply, ReplyState
from generation import queue
from generation.results import EditResult

#: Failures that are the member's own doing keep what they cost.
OWN_DOING = frozenset({"nothing_understood"})


@transaction.atomic
def take_in(job_id: int) -> Image | None:
    """Make the image of a finished job. None when nobody waits for it, and then its files go.

    Image, reply, counters and word commit together.
    """
    result = queue.result(job_id)
    if not isinstance(result, EditResult):
        return None
    reply = waiting_for(job_id)
    image = Image.objects.filter(job=job_id).first()
    if image is None:
        image = add(reply, job_id, result) if reply is not None and reply.is_forming else None
    if image is None:
        queue.discard(job_id)
    else:
        queue.mark_taken_in(job_id)
    return image


def waiting_for(job_id: int) -> Reply | None:
    """The reply behind a job, locked, so that two messages are taken one after the other."""
    rows = Reply.objects.select_related("thread", "author", "to")
    return rows.select_for_update(of=("self",)).filter(job=job_id).first()


def add(reply: Reply, job_id: int, result: EditResult) -> Image | None:
    """The reply's image; None where it may no longer come into being, and then the reply says why."""
    lock(reply.thread)  # first: it may be on its way to another board
    try:
        sources = still_allowed(reply)
    except NotAllowed as refusal:
        fail(reply, refusal.reason)
        return None
    new_voice = not has_spoken(reply.author, reply.thread)
    image = images.add_derivative(
        job_id=job_id,
        result=result,
        thread=reply.thread,
        author=reply.author,
        sources=sources,
        alt="",
        language=reply.language,
    )
    move(reply, ReplyState.DONE, image=image, ended_at=Now())
    grow(reply.thread, images=1, replies=1, new_voice=new_voice)
    tell(reply)
    return image


def still_allowed(reply: Reply) -> list[Image]:
    """All source images, if the author could still ask for this. Raises NotAllowed."""
    if reply.author is None or not reply.author.is_active:
        raise NotAllowed("", "author_left")
    sources = derivable(reply.author, [reply.to, *further(reply)])
    try:
        answerable(reply.author, reply.to)
    except NotAllowed as refusal:
        raise NotAllowed(refusal.sentence, "board_closed") from refusal
    return sources


@transaction.atomic
def take_in_failure(job_id: int) -> Reply | None:
    """Let the reply behind a failed job say why it did not come out. None when nobody waits."""
    standing = queue.read([job_id]).get(job_id)
    reply = waiting_for(job_id)
    if standing is None or standing.state != "failed":
        return None
    queue.mark_taken_in(job_id)
    if reply is None or not fail(reply, *true_reason(reply, standing.reason, standing.detail)):
        return None
    if reply.author is not None and standing.reason not in OWN_DOING:
        give_back(who=purse(reply.author), what="envision", times=times(reply.author))
    return reply


def true_reason(reply: Reply, reason: str, detail: str) -> tuple[str, str]:
    """What to say of a failure: a studio sees only that a file is not there, this room knows why."""
    if reason == "source_refused" and any(
        not each.is_shown for each in (reply.to, *further(reply))
    ):
        return "source_withdrawn", ""
    return reason, detail


def fail(reply: Reply, reason: str, detail: str = "") -> bool:
    """Move a forming reply to failed. False when it is not forming any more."""
    words = {"reason": reason[:40], "reason_detail": detail[:300], "ended_at": Now()}
    if not move(reply, ReplyState.FAILED, **words):
        return False
    tell(reply)
    return True
