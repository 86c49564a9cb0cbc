"""What sending will cost, said before it is sent: time, place in the queue, allowance, licence."""

from dataclasses import dataclass

from forum.members import allowances
from forum.members.models import Member
from forum.threads.forms import Prompt
from generation import queue
from generation.queue import Preset, Standing


@dataclass(frozen=True, slots=True)
class Cost:
    """What one sending costs one person; `_cost.html` says it."""

    #: None where no engine is asked, as for films.
    preset: Preset | None
    #: Where it would stand if it were sent now.
    wait: Standing
    #: Other engines are at work, and nobody has this one.
    is_impossible: bool = False
    #: How often this person may still ask in the running hour; None for visitors.
    left: int | None = None
    #: How many pictures are made, and how many of the allowance they take.
    pictures: int = 1
    uses: int = 1

    @property
    def is_idle(self) -> bool:
        """No machine is at work at all: it waits until one is."""
        return not self.wait.workers and not self.is_impossible

    @property
    def is_too_dear(self) -> bool:
        """Whether the allowance is not enough for it."""
        return self.left is not None and self.left < self.uses


def cost(
    member: Member | None,
    preset: str,
    seconds: float,
    *,
    pictures: int = 1,
    uses: int | None = None,
    offer: queue.Offer | None = None,
) -> Cost | None:
    """What `pictures` of `seconds` each cost this person. None for a preset that is not there.

    Each picture takes one of the allowance, unless `uses` says otherwise. `offer` is what is
    offered now, where that is known already. Three queries at most.
    """
    found = queue.presets().get(preset)
    if found is None:
        return None
    wait = queue.foresee(
        preset,
        seconds,
        asker=member.pk if member else None,
        pictures=pictures,
        at_once=allowances.running(member) if member else None,
    )
    return Cost(
        found,
        wait,
        is_impossible=not wait.workers and (offer or queue.offer()).is_impossible(preset),
        left=allowances.left(member, "envision") if member else None,
        pictures=pictures,
        uses=pictures if uses is None else uses,
    )


def cost_of(form: Prompt, member: Member | None) -> Cost | None:
    """What sending this form as it stands costs; None while nothing was read of it."""
    read = form.understood
    if read is None:
        return None
    name, seconds = read.plan.preset, read.seconds
    return cost(member, name, seconds, pictures=form.pictures, offer=form.offer)


def cost_of_nothing_yet(member: Member | None, preset: str, *, pictures: int = 1) -> Cost | None:
    """What it costs at least, while nothing is typed."""
    return cost(member, preset, queue.plan("", preset).seconds, pictures=pictures)
