"""What the pages show of a rerun: its row, where its job stands, and its differences in words."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from forum.reruns.models import Rerun, RerunState
from forum.reruns.verdicts import WEIGHTS
from forum.threads import sentences
from generation import queue
from generation.queue import Standing

#: Names of facts for people; libraries are called by their own names.
NAMES: dict[str, Promise] = {
    "preset": _("preset"),
    "prompt": _("prompt"),
    "operations": _("operations"),
    "seed": _("seed"),
    "strength": _("strength"),
    "sources": _("sources"),
    "mask": _("mask"),
    "size": _("size"),
    "source_size": _("size of the source"),
    "randomness": _("random numbers"),
    "weights": _("weights"),
    "revision": _("revision of the weights"),
    "device": _("device"),
    "bucket": _("size of the batch"),
    "steps": _("steps"),
    "guidance": _("guidance"),
    "negative": _("what to avoid"),
    "task": _("task"),
    "pipeline": _("pipeline"),
    "scheduler": _("scheduler"),
    "scheduler_digest": _("settings of the scheduler"),
    "preset_digest": _("settings of the preset"),
    "generator": _("random numbers"),
    "dtype": _("precision"),
    "attention": _("attention"),
    "compiled": _("compiled"),
    "offload": _("offloading"),
    "tiled": _("decoded in tiles"),
    "control": _("map to follow"),
    "outside": _("how the outside of the mask is kept"),
    "cut": _("part of the source"),
}


@dataclass(frozen=True, slots=True)
class Card:
    """One rerun as everybody who sees the image may see it."""

    rerun: Rerun
    standing: Standing | None = None

    @property
    def is_forming(self) -> bool:
        """Still being made."""
        return self.rerun.state == RerunState.WAITING

    @property
    def is_running(self) -> bool:
        """Whether a machine is at it, or has just ended."""
        return self.standing is not None and self.standing.state in ("running", "done")

    @property
    def sentence(self) -> Promise:
        """Why it did not come out, and what to do."""
        return sentences.sentence(self.rerun.reason)

    @property
    def because(self) -> list[str]:
        """What differs, one sentence each."""
        return list(reasons(self.rerun))

    @property
    def share(self) -> str:
        """Pixels that differ, in per cent; empty for pictures of different size."""
        if self.rerun.differing is None:
            return ""
        percent = 100 * self.rerun.differing
        return f"{percent:.2g}" if percent < 10 else f"{percent:.0f}"


def reasons(rerun: Rerun) -> Iterator[str]:
    """Each difference as people read it."""
    for each in rerun.because:
        what = str(each.get("what", ""))
        if what == "file":
            yield gettext("the stored picture is no longer the one that was made")
        elif what == "unknown":
            yield gettext("nothing that is known differs")
        else:
            yield change({"what": named(what), "then": each["then"], "now": each["now"]})


def named(what: str) -> object:
    """A fact for people; of weights in several parts or files it is said which."""
    if what.startswith(f"{WEIGHTS} "):
        return gettext("weights (%(name)s)") % {"name": what.removeprefix(f"{WEIGHTS} ")}
    return NAMES.get(what, what)


def change(words: dict[str, object]) -> str:
    """One fact that changed, came or went."""
    if not words["now"]:
        return gettext("%(what)s was %(then)s; now there is none") % words
    if not words["then"]:
        return gettext("%(what)s is %(now)s; nothing was said then") % words
    return gettext("%(what)s was %(then)s; it is %(now)s now") % words


def cards_for(rows: Iterable[Rerun]) -> list[Card]:
    """A card for each rerun, in order; one query for the jobs of those that are being made."""
    reruns = list(rows)
    forming = [each.job for each in reruns if each.state == RerunState.WAITING]
    standings = queue.read(forming) if forming else {}
    return [Card(each, standings.get(each.job)) for each in reruns]
