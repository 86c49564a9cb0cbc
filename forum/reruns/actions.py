"""Verbs of this room: run again, take in how it came out."""

from dataclasses import replace

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forum.announce import announce
from forum.images import events
from forum.images.models import Image
from forum.members.actions import give_back, purse
from forum.members.allowances import times
from forum.members.models import Member
from forum.reruns.models import Rerun, RerunState
from forum.reruns.recipes import Again, again
from forum.reruns.verdicts import differences, verdict, versions
from forum.threads.actions import NotAllowed, TooMany
from forum.threads.actions.gates import SOON, at_the_desk, not_too_many_at_once, pay, turn
from forum.threads.costs import Cost, cost
from generation import queue
from generation.results import RerunResult

#: Where the studio posts the comparison to.
RESULT_TO = "forum.receive_rerun"
#: Reruns of one member that may wait at once.
AT_ONCE = 2


def price(wanted: Again, by: Member | None) -> Cost | None:
    """What making it again costs this person; None where it cannot be asked, or nobody asks.

    It waits even where no machine at work has the engine, for no other engine will do.
    """
    if by is None or not wanted.is_possible or wanted.request is None:
        return None
    asked = wanted.request
    found = cost(by, asked.preset, queue.expected_seconds(asked))
    return None if found is None else replace(found, is_impossible=False)


@transaction.atomic
def run_again(*, image: Image, by: Member) -> Rerun:
    """Ask the studio to make an image once more and to compare. One that waits already is that one.

    Costs as much as an answer. Raises NotAllowed, with the reason, and TooMany.
    """
    by = at_the_desk(by)
    seen = Image.objects.visible_to(by).filter(state="ready").prefetch_related("files")
    found = seen.select_for_update(of=("self",), no_key=True).filter(pk=image.pk).first()
    if found is None:
        raise NotAllowed(_("There is no such image that you may make again."), "no_such_image")
    if (waiting := Rerun.objects.of(found).waiting().first()) is not None:
        return waiting
    wanted = again(found, by)
    if not wanted.is_possible or wanted.request is None:
        against = next(each for each in wanted.obstacles if each.blocks)
        raise NotAllowed(against.sentence, against.reason)
    not_too_many_at_once(by)
    if Rerun.objects.filter(asker=by).waiting().count() >= AT_ONCE:
        raise TooMany(SOON, _("As many images as may be are being made again. Wait for one."))
    pay(by, "envision")
    job = queue.submit(
        wanted.request, return_to=RESULT_TO, topic=topic(found), **turn(by, found.board)
    )
    made = Rerun.objects.create(
        image=found, asker=by, job=job, versions_then=versions(found.recipe)
    )
    tell(made)
    return made


@transaction.atomic
def take_in(job_id: int) -> Rerun | None:
    """File how a rerun came out. None when nobody waits for it; a second call changes nothing."""
    result = queue.result(job_id)
    rerun = waiting_for(job_id)
    queue.mark_taken_in(job_id)
    if rerun is None or not isinstance(result, RerunResult):
        return None
    return end(
        rerun,
        state=RerunState.DONE,
        verdict=verdict(result),
        because=differences(rerun.image.recipe, result),
        pdq_distance=result.pdq_distance,
        largest=result.largest,
        mean=result.mean,
        differing=result.differing,
        versions_now=versions(result.recipe),
    )


@transaction.atomic
def take_in_failure(job_id: int) -> Rerun | None:
    """Let a rerun say why it did not come out, and give back what it cost. None where none waits."""
    standing = queue.read([job_id]).get(job_id)
    rerun = waiting_for(job_id)
    if rerun is None or standing is None or standing.state != "failed":
        return None
    if rerun.asker is not None:
        give_back(who=purse(rerun.asker), what="envision", times=times(rerun.asker))
    return end(rerun, state=RerunState.FAILED, reason=standing.reason[:40])


def waiting_for(job_id: int) -> Rerun | None:
    """The rerun behind a job, locked."""
    rows = Rerun.objects.waiting().select_related("image", "asker")
    return rows.select_for_update(of=("self",)).filter(job=job_id).first()


def end(rerun: Rerun, **words: object) -> Rerun:
    """Write its end down and say so."""
    Rerun.objects.filter(pk=rerun.pk).update(ended_at=Now(), **words)
    rerun.refresh_from_db()
    tell(rerun)
    return rerun


def topic(image: Image) -> str:
    """The name under which what happens beside an image is announced."""
    return f"image.{image.pk}"


def tell(rerun: Rerun) -> None:
    """Say to those who look at the image that its reruns changed."""
    announce(f"image.{rerun.image_id}", "rerun", id=rerun.pk)


def forget(image: Image) -> None:
    """With an image goes what was found out about it."""
    for rerun in Rerun.objects.filter(image=image):
        queue.cancel(rerun.job)
    Rerun.objects.filter(image=image).delete()


if forget not in events.on_withdrawn:
    events.on_withdrawn.append(forget)
