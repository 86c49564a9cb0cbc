"""What the studio answers to a draft. Every verb may be called twice; the second call changes nothing."""

from django.db import transaction
from django.db.models.functions import Now

from forum.announce import announce
from forum.drafts.actions.asking import touch
from forum.drafts.lines import path
from forum.drafts.models import Draft, Take, TakeState
from forum.images.models import File, FileRole, Image
from forum.members.actions import give_back, purse
from forum.members.allowances import times
from forum.states import move
from forum.threads.actions.taking_in import OWN_DOING
from generation import queue
from generation.results import EditResult


@transaction.atomic
def take_in(job_id: int) -> Take | None:
    """A take is done. None when nobody waits for it, and then its files go.

    The only candidate of its turn is what the next turn edits, unless another was chosen meanwhile.
    """
    take = waiting_for(job_id)
    if take is None:
        if Take.objects.filter(job=job_id, state=TakeState.DONE).exists():
            queue.mark_taken_in(job_id)
        else:
            queue.discard(job_id)
        return None
    move(take, TakeState.DONE, ended_at=Now())
    queue.mark_taken_in(job_id)
    others = take.draft.takes.filter(turn=take.turn).exclude(pk=take.pk)
    if not others.exists():
        Draft.objects.filter(pk=take.draft_id, head=take.after).update(head=take)
    touch(take.draft)
    announce(take.draft.topic, "take", id=take.pk)
    return take


@transaction.atomic
def take_in_failure(job_id: int) -> Take | None:
    """Let a take say why it did not come out, and give back what it cost. None where none waits."""
    standing = queue.read([job_id]).get(job_id)
    take = waiting_for(job_id)
    if take is None or standing is None or standing.state != "failed":
        return None
    move(take, TakeState.FAILED, reason=standing.reason[:40], ended_at=Now())
    if standing.reason not in OWN_DOING:
        give_back(who=purse(take.draft.author), what="envision", times=times(take.draft.author))
    touch(take.draft)
    return take


def waiting_for(job_id: int) -> Take | None:
    """The take behind a job, locked."""
    rows = Take.objects.forming().select_related("draft__author", "after")
    return rows.select_for_update(of=("self",)).filter(job=job_id).first()


def keep_steps(image: Image) -> int:
    """Let an image that came of several turns own the pictures between, so that it can be made again.

    Pictures that another image owns already stay there. How many files that were.
    """
    takes = Take.objects.select_related("draft")
    take = None if image.job is None else takes.filter(job=image.job).first()
    if take is None:
        return 0
    between = path(take.draft.takes.all(), take.after_id)
    results = [queue.result(each.job) for each in between]
    files = [each.file for each in results if isinstance(each, EditResult)]
    names = [each.name for each in files]
    owned = set(File.objects.filter(name__in=names).values_list("name", flat=True))
    rows = [
        File(
            image=image, role=FileRole.STEP, position=number, name=each.name, mime=each.mime,
            bytes=each.bytes, sha256=each.sha256, width=each.width, height=each.height,
        )
        for number, each in enumerate(files)
        if each.name not in owned
    ]  # fmt: skip
    return len(File.objects.bulk_create(rows))
