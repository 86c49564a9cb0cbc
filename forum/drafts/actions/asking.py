"""Asking the apparatus: a turn with one to four candidates, to stop one, to try one again."""

import secrets

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forum.announce import announce
from forum.drafts.models import Draft, Take, TakeState
from forum.images.models import Image
from forum.masks.models import Mask
from forum.members import allowances
from forum.members.actions import give_back, purse
from forum.members.allowances import times
from forum.members.models import Member
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.actions.answering import SEEDS, engine_for, held_mask
from forum.threads.actions.gates import (
    answerable,
    at_the_desk,
    content_of,
    derivable,
    pay,
    soonest,
)
from forum.threads.actions.gates import turn as place
from forum.threads.languages import guess
from generation import queue
from generation.requests import EditRequest, ImageRef, Operation
from generation.results import EditResult

#: Where the studio posts a take to.
RESULT_TO = "forum.receive_take"
#: Candidates of one turn, turns of one draft, at most.
MOST_CANDIDATES, MOST_TURNS = 4, 100


@transaction.atomic
def take_turn(
    *,
    member: Member,
    to: Image,
    prompt: str,
    preset: str = "",
    seed: int | None = None,
    strength: float = 0.6,
    candidates: int = 1,
    vary: str = "seed",
    mask: Mask | None = None,
    read_as: tuple[Operation, ...] | None = None,
    unread: tuple[str, ...] | None = None,
    key: str,
) -> list[Take]:
    """Have the take at the head edited, or the image itself where there is none. The new takes.

    Several candidates differ by their seed, or with `vary="strength"` run from a touch to the whole
    strength. Each costs what an answer costs. The same key gives the same takes again. Raises
    NotAllowed, TooMany, KeyReused.
    """
    member = at_the_desk(member)
    content = content_of(
        to.pk, prompt, preset, seed, strength, candidates, vary, mask and mask.sha256
    )
    if before := asked_before(member, key, content):
        return before
    to = answerable(member, to)
    derivable(member, [to])
    chosen = engine_for(to, preset, 1)
    held = None if mask is None else held_mask(member, to, mask)
    not_too_many(member)
    for _each in range(candidates):
        pay(member, "envision")
    draft = desk(member, to)
    after = draft.head
    turn = 1 + (draft.takes.aggregate(last=Max("turn"))["last"] or 0)
    if turn > MOST_TURNS:
        raise NotAllowed(_("This draft is long enough. Publish something of it, or begin anew."))
    source = to.source_ref() if after is None else picture(after)
    drawn = secrets.randbelow(SEEDS) if seed is None else seed
    takes = []
    turn_of = place(member, to.board)
    for position in range(candidates):
        request = EditRequest(
            preset=chosen,
            prompt=prompt,
            seed=drawn if vary == "strength" else (drawn + position) % SEEDS,
            sources=(source,),
            strength=strengths(strength, candidates)[position] if vary == "strength" else strength,
            read_as=read_as,
            unread=unread,
            mask=None if held is None else held.ref(),
        )
        job = queue.submit(request, return_to=RESULT_TO, topic=draft.topic, **turn_of)
        takes.append(
            Take(
                draft=draft, after=after, turn=turn, position=position, prompt=prompt,
                language=guess(prompt), preset=chosen, seed=request.seed,
                strength=request.strength, mask=held, job=job, key=key, content=content,
            )
        )  # fmt: skip
    Take.objects.bulk_create(takes)
    touch(draft)
    return takes


def strengths(whole: float, count: int) -> list[float]:
    """From a touch to the whole strength, evenly."""
    return [round(whole * (n + 1) / count, 3) for n in range(count)]


def asked_before(member: Member, key: str, content: str) -> list[Take]:
    """The takes that this request made already. Raises KeyReused if the key made others."""
    found = list(Take.objects.filter(draft__author=member, key=key))
    if found and found[0].content != content:
        raise KeyReused(key)
    return found


def desk(member: Member, to: Image) -> Draft:
    """The member's draft to this image, locked."""
    Draft.objects.get_or_create(author=member, to=to)
    own = Draft.objects.select_for_update(of=("self",)).select_related("head")
    return own.get(author=member, to=to)


def picture(take: Take) -> ImageRef:
    """The finished picture of a take, as a source. Raises NotAllowed where it is gone."""
    result = queue.result(take.job)
    if not take.is_done or not isinstance(result, EditResult):
        raise NotAllowed(_("That take has no picture to go on from."), "no_picture")
    file = result.file
    return ImageRef(sha256=file.sha256, name=file.name, size=(file.width, file.height))


def not_too_many(member: Member) -> None:
    """Raises TooMany while as many of the member's takes are forming as may be. Needs the lock."""
    forming = Take.objects.forming().filter(draft__author=member)
    if forming.count() >= allowances.at_once(member):
        raise TooMany(
            soonest(forming.values_list("job", flat=True)),
            _("As many of your takes as may be still come into being. Wait for one."),
        )


@transaction.atomic
def stop(*, take: Take, by: Member) -> Take:
    """End a take before it has come into being. Raises NotAllowed."""
    take = mine(take, by)
    if take.state == TakeState.CANCELLED:
        return take
    if not move(take, TakeState.CANCELLED, ended_at=Now()):
        raise NotAllowed(_("It has ended already; there is nothing to stop."), "ended")
    queue.cancel(take.job)
    give_back(who=purse(by), what="envision", times=times(by))
    touch(take.draft)
    return take


@transaction.atomic
def try_again(*, take: Take, by: Member) -> Take:
    """Ask once more for a take that failed or was stopped. Raises NotAllowed and TooMany."""
    by = at_the_desk(by)
    take = mine(take, by)
    if take.is_forming:
        return take
    derivable(by, [answerable(by, take.draft.to)])
    not_too_many(by)
    pay(by, "envision")
    if not move(take, TakeState.WAITING, reason="", ended_at=None) or not queue.retry(take.job):
        raise NotAllowed(_("It has come into being; there is nothing to try again."), "ended")
    touch(take.draft)
    return take


def mine(take: Take, by: Member) -> Take:
    """The take afresh and locked, if it is this person's own. Raises NotAllowed."""
    own = Take.objects.of(by).select_related("draft__author", "draft__to", "after")
    found = own.select_for_update(of=("self",)).filter(pk=take.pk).first()
    if found is None:
        raise NotAllowed(_("This draft is no longer here."), "not_yours")
    return found


def move(take: Take, state: TakeState, **more: object) -> bool:
    """Compare-and-set along `Take.MOVES`. False when it stands where no move leads there from."""
    ready = Take.objects.filter(pk=take.pk, state__in=Take.MOVES.before(state))
    if not ready.update(state=state, **more):
        return False
    take.state = state
    return True


def touch(draft: Draft) -> None:
    """Something happened: it is not old, and the page that shows it hears so."""
    Draft.objects.filter(pk=draft.pk).update(moved_at=Now())
    announce(draft.topic, "draft", id=draft.pk)
