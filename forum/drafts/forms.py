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

    def clean(self) -> dict[str, Any]:
        """Without a word, one candidate by chance."""
        words: dict[str, Any] = super().clean()
        words["candidates"] = words.get("candidates") or 1
        words["vary"] = words.get("vary") or "seed"
        return words
