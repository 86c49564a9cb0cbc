"""What is said to the apparatus in a draft."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from forum.drafts.actions.asking import MOST_CANDIDATES
from forum.threads.forms import Prompt

VARY = [("seed", _("by chance")), ("strength", _("from a touch to the whole"))]


class Turn(Prompt):
    """The composer of a draft: a prompt, and how many candidates."""

    candidates = forms.TypedChoiceField(
        label=_("candidates"),
        coerce=int,
        required=False,
        choices=[(n, str(n)) for n in range(1, MOST_CANDIDATES + 1)],
    )
    vary = forms.ChoiceField(label=_("they differ"), required=False, choices=VARY)

    @property
    def pictures(self) -> int:
        """As many as there are candidates."""
        said = str(self["candidates"].value() or "")
        return min(int(said), MOST_CANDIDATES) if said.isdecimal() and len(said) < 3 else 1

    def next(self) -> "Turn":
        """A fresh composer for the turn after this one, which goes on in the same manner."""
        kept = ("candidates", "vary", "strength", "preset")
        return Turn(to=self.to, initial={name: self.cleaned_data[name] for name in kept})

    def clean(self) -> dict[str, Any]:
        """Without a word, one candidate by chance."""
        words: dict[str, Any] = super().clean()
        words["candidates"] = words.get("candidates") or 1
        words["vary"] = words.get("vary") or "seed"
        return words
