"""Why a reply did not come out, and what to do next: one sentence for each reason word."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

#: The studio's reasons (`generation.models.Reason`) and, below the line, the forum's own.
SENTENCES: Mapping[str, Promise] = {
    "engine_error": _("The engine stumbled over this picture. Try again, or change the prompt."),
    "source_refused": _(
        "The engine could not read the picture. Answer another one, or upload it anew."
    ),
    "nothing_understood": _(
        "The engine understood nothing of this prompt. Change it: name a light, a weather, "
        "a season or a way of painting."
    ),
    "out_of_memory": _(
        "The picture was too large for the machine. Try again later, or answer a smaller one."
    ),
    "timeout": _(
        "It took longer than the machine may work on one image. Try again, or ask for less."
    ),
    "worker_lost": _("The machine went away three times. Try again in a few minutes."),
    "no_machine": _("No machine is here to make it. Try again later; the operator has been told."),
    "storage_full": _(
        "There is no room for new images, or their storage cannot be reached. Try again later; "
        "the operator must see to it."
    ),
    "nothing_there": _(
        "There is nothing of the picture in the place that the prompt names, such as a sky. "
        "Name a half of the picture, or paint the part."
    ),
    "mask_empty": _(
        "Nothing is painted, so nothing may change. Paint the part, or take the mask away."
    ),
    "second_missing": _(
        "This look takes after a second picture. Add one to your answer, then try again."
    ),
    "source_too_small": _(
        "The picture is too small or too narrow to work on. Answer a larger one, or crop it first."
    ),
    # ---
    "no_worker": _(
        "Impossible now: no machine at work has this engine. Choose another one, or come back later."
    ),
    "source_withdrawn": _(
        "The picture it would have come from is no longer here. Answer another one."
    ),
    "not_consented": _(
        "The picture's author no longer wants derivatives. Answer it with an upload or a link."
    ),
    "not_for_all": _("That image stands on a board that not everybody here may see."),
    "board_closed": _("Nothing new is said on this board any more. Answer in another one."),
    "not_yours": _("Only its author or a moderator can do that."),
    "author_left": _("Whoever asked for it may no longer write here."),
}
UNKNOWN = _("Something went wrong on our side. Try again, or change the prompt.")

#: Where another try with the same words cannot help.
HOPELESS = frozenset(
    {
        "nothing_understood", "source_refused", "source_withdrawn", "not_consented",
        "board_closed", "author_left", "nothing_there", "mask_empty", "second_missing",
        "source_too_small", "not_for_all",
    }
)  # fmt: skip


def sentence(reason: str) -> Promise:
    """What happened and what to do, for people."""
    return SENTENCES.get(reason, UNKNOWN)


def is_hopeless(reason: str) -> bool:
    """Whether trying the same again is useless."""
    return reason in HOPELESS
