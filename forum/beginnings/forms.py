"""What is said to begin from nothing."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from forum.boards.models import Board, Licence
from forum.members.models import Member
from forum.threads.forms import IMPOSSIBLE, LONGEST_PROMPT, BoardField, Keyed, preset_choices
from generation import queue


def engines(also: str = "") -> list[tuple[str, str]]:
    """Presets that make images from words alone and can be chosen now, with their titles."""
    return [(name, title) for name, title in preset_choices(also) if queue.begins(name)]


class Begin(Keyed):
    """A first image in words."""

    prompt = forms.CharField(
        label=_("What should be seen?"),
        max_length=LONGEST_PROMPT,
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Say what should be seen.")},
    )
    preset = forms.ChoiceField(
        label=_("Engine"),
        error_messages={
            "required": _("Choose an engine."),
            "invalid_choice": _("There is no such engine here. Choose another one."),
        },
    )
    board = BoardField(
        label=_("Board"),
        queryset=Board.objects.none(),
        empty_label=None,
        to_field_name="slug",
        error_messages={
            "required": _("Choose a board."),
            "invalid_choice": _("You cannot post on this board."),
        },
    )
    title = forms.CharField(label=_("Title"), max_length=120, required=False)
    licence = forms.ChoiceField(label=_("Licence"), choices=Licence.choices, required=False)

    def __init__(self, *args: Any, member: Member, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["board"].queryset = Board.objects.open_to(member)  # type: ignore[attr-defined]
        self.fields["preset"].choices = engines()  # type: ignore[attr-defined]
        if queue.begins(str(self.data.get("preset", ""))):
            # There is such an engine; the machine that has it went away.
            self.fields["preset"].error_messages["invalid_choice"] = str(IMPOSSIBLE)

    def clean_prompt(self) -> str:
        """One kind of line end, whatever the browser sends."""
        return re.sub(r"\r\n?", "\n", self.cleaned_data["prompt"])
