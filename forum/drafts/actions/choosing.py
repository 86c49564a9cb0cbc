"""Choosing: the take to go on from, a step back, and what enters the thread."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from forum.drafts.actions.asking import mine, picture, touch
from forum.drafts.lines import path
from forum.drafts.models import Draft, Take
from forum.images.models import Image
from forum.members.models import Member
from forum.threads import actions as threads
from forum.threads.actions import NotAllowed
from forum.threads.models import Reply
from generation import queue
from generation.results import EditResult

#: Between what was said in several turns.
THEN = " → "
LONGEST = 2000


@transaction.atomic
def go_to(*, take: Take, by: Member) -> Draft:
    """Let the next turn edit this take. Raises NotAllowed."""
    take = mine(take, by)
    picture(take)
    take.draft.head = take
    take.draft.save(update_fields=["head"])
    touch(take.draft)
    return take.draft


@transaction.atomic
def go_back(*, draft: Draft, by: Member) -> Draft:
    """One step back: what the head was made from. At the image itself nothing happens."""
    found = Draft.objects.of(by).select_for_update(of=("self",)).filter(pk=draft.pk).first()
    if found is None:
        raise NotAllowed(_("This draft is no longer here."), "not_yours")
    if found.head is not None:
        found.head = found.head.after
        found.save(update_fields=["head"])
        touch(found)
    return found


@transaction.atomic
def publish(*, take: Take, by: Member) -> Reply:
    """Say it in the thread: this take becomes an answer to the image. Doing so twice is once.

    It costs nothing, for it is made already. Raises NotAllowed, TooMany.
    """
    take = mine(take, by)
    if take.reply is not None and take.reply.state not in {"failed", "cancelled"}:
        return take.reply
    picture(take)
    turns = path(take.draft.takes.select_related("second"), take.pk)
    reply = threads.answer_by_result(
        member=by,
        to=take.draft.to,
        job=take.job,
        prompt=said(turns),
        preset=take.preset,
        seed=take.seed,
        strength=take.strength,
        mask=take.mask,
        further_sources=looked_at(turns, take.draft.to_id),
        recipe=told(turns),
        key=f"take-{take.pk}" if take.reply is None else f"take-{take.pk}-{take.reply_id}",
    )
    Take.objects.filter(pk=take.pk).update(reply=reply)
    touch(take.draft)
    return reply


def looked_at(turns: list[Take], to: int) -> list[Image]:
    """Second pictures of all the turns, in order, each once: the answer comes of them too."""
    found = {take.second.pk: take.second for take in turns if take.second is not None}
    return [image for pk, image in found.items() if pk != to]


def said(turns: list[Take]) -> str:
    """What was said in all the turns, as one sentence of the dialogue."""
    whole = THEN.join(take.prompt for take in turns)
    return whole if len(whole) <= LONGEST else turns[-1].prompt


def told(turns: list[Take]) -> dict[str, object]:
    """What the recipe tells beside the last turn's own: the recipes of all turns, oldest first."""
    if len(turns) < 2:
        return {}
    results = [queue.result(take.job) for take in turns]
    recipes = [each.recipe for each in results if isinstance(each, EditResult)]
    return {"prompt": said(turns), "turns": recipes}
