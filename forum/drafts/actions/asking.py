"""Asking the apparatus: a turn with one to four candidates, to stop one, to try one again."""

import secrets
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from forum.announce import announce
from forum.drafts.models import Draft, Take, TakeState
from forum.images.models import Image
from forum.masks.models import Mask
from forum.members.actions import give_back, purse
from forum.members.allowances import times
from forum.members.models import Member
from forum.states import move
from forum.threads.actions import KeyReused, NotAllowed
from forum.threads.actions.answering import SEEDS, engine_for, held_mask
from forum.threads.actions.gates import (
    answerable,
    at_the_desk,
    at_work,
    content_of,
    derivable,
    few_at_once,
    keys_of,
    pay,
    turn,
)
from forum.threads.languages import guess
from generation import queue
from generation.requests import EditRequest, ImageRef, Operation
from generation.results import EditResult

#: Where the studio posts a take to.
RESULT_TO = "forum.receive_take"
#: Candidates of one turn, turns of one draft, at most.
MOST_CANDIDATES, MOST_TURNS = 4, 100


@dataclass(frozen=True, slots=True)
class Wish:
    """What one turn asks for."""

    prompt: str
    preset: str = ""
    seed: int | None = None
    strength: float = 0.6
    candidates: int = 1
    #: "seed" lets candidates differ by chance; "strength" lets them run from a touch to the whole.
    vary: str = "seed"
    read_as: tuple[Operation, ...] | None = None
    unread: tuple[str, ...] | None = None

    def requests(
        self, preset: str, sources: tuple[ImageRef, ...], mask: ImageRef | None
    ) -> list[EditRequest]:
        """One request for each candidate."""
        drawn = secrets.randbelow(SEEDS) if self.seed is None else self.seed
        grows = self.vary == "strength"
        return [
            EditRequest(
                preset=preset,
                prompt=self.prompt,
                seed=drawn if grows else (drawn + place) % SEEDS,
                sources=sources,
                strength=self.share(place) if grows else self.strength,
                read_as=self.read_as,
                unread=self.unread,
                mask=mask,
            )
            for place in range(self.candidates)
        ]

    def share(self, place: int) -> float:
        """Strength of a candidate where they run evenly from a touch to the whole."""
        return round(self.strength * (place + 1) / self.candidates, 3)


@transaction.atomic
def take_turn(
    *,
    member: Member,
    to: Image,
    mask: Mask | None = None,
    second: Image | None = None,
    waits: bool = True,
    key: str,
    **words: Any,
) -> list[Take]:
    """Have the take at the head edited, or the image itself where there is none. The new takes.

    `words` are those of `Wish`; `second` is a further picture that this turn looks at. Without `waits`
    an engine that no machine at work has is refused. Each candidate costs what an answer costs. The
    same key gives the same takes again. Raises NotAllowed, TooMany, KeyReused.
    """
    wish, member = Wish(**words), at_the_desk(member)
    painted = None if mask is None else mask.sha256
    further = [] if second is None else [second]
    content = content_of(to.pk, repr(wish), painted, *keys_of(further))
    if before := asked_before(member, key, content):
        return before
    to = answerable(member, to)
    further = derivable(member, [to, *further])[1:]
    preset = engine_for(to, wish.preset, 1 + len(further))
    if not waits:
        at_work(preset)
    held = None if mask is None else held_mask(member, to, mask)
    not_too_many(member)
    for _each in range(wish.candidates):
        pay(member, "envision")
    draft = desk(member, to)
    source = to.source_ref() if draft.head is None else picture(draft.head)
    sources = (source, *(each.source_ref() for each in further))
    requests = wish.requests(preset, sources, None if held is None else held.ref())
    shared: dict[str, Any] = {
        "draft": draft, "after": draft.head, "turn": next_turn(draft), "mask": held,
        "second": second, "language": guess(wish.prompt), "key": key, "content": content,
    }  # fmt: skip
    takes = Take.objects.bulk_create(
        candidate(place, request, **shared) for place, request in enumerate(requests)
    )
    touch(draft)
    return takes


def next_turn(draft: Draft) -> int:
    """Number of the turn to come. Raises NotAllowed where a draft has had enough of them."""
    last: int = draft.takes.aggregate(last=Max("turn"))["last"] or 0
    if last >= MOST_TURNS:
        raise NotAllowed(_("This draft is long enough. Publish something of it, or begin anew."))
    return last + 1


def candidate(place: int, request: EditRequest, *, draft: Draft, **shared: Any) -> Take:
    """One candidate of a turn, not saved yet, with its job queued."""
    place_in_line = turn(draft.author, draft.to.board)
    return Take(
        draft=draft,
        position=place,
        prompt=request.prompt,
        preset=request.preset,
        seed=request.seed,
        strength=request.strength,
        job=queue.submit(request, return_to=RESULT_TO, topic=draft.topic, **place_in_line),
        **shared,
    )


def asked_before(member: Member, key: str, content: str) -> list[Take]:
    """The takes that this request made already. Raises KeyReused if the key made others."""
    found = list(Take.objects.filter(draft__author=member, key=key))
    if found and found[0].content != content:
        raise KeyReused(key)
    return found


def desk(member: Member, to: Image) -> Draft:
    """The member's draft to this image, locked."""
    Draft.objects.get_or_create(author=member, to=to)
    own = Draft.objects.select_for_update(of=("self",)).select_related(
        "head", "author", "to__board"
    )
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
    sentence = _("As many of your takes as may be still come into being. Wait for one.")
    few_at_once(member, Take.objects.forming().filter(draft__author=member), sentence)


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


def touch(draft: Draft) -> None:
    """Something happened: it is not old, and the page that shows it hears so."""
    Draft.objects.filter(pk=draft.pk).update(moved_at=Now())
    announce(draft.topic, "draft", id=draft.pk)
