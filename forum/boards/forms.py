"""Forms of the boards room."""

from typing import Any

from django import forms
from django.utils.text import format_lazy
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from forum.boards.models import Board, Membership
from forum.members.models import Member
from generation import queue


class BoardForm(forms.ModelForm):  # type: ignore[type-arg]
    """Everything that the makers of a board decide. It saves nothing: `actions` do."""

    preset = forms.ChoiceField(label=_("Engine that answers"), required=False)
    take_turns = forms.BooleanField(
        label=_("Everybody's first before anybody's second"),
        required=False,
        help_text=_(
            "For a class: whoever has had fewer derivatives here since this was switched on goes "
            "first, however early others asked."
        ),
    )

    class Meta:
        model = Board
        fields = ["title", "slug", "description", "visibility", "licence", "preset"]
        widgets = {
            "description": forms.Textarea(attrs={"rows": 4}),
            "visibility": forms.RadioSelect,
        }
        labels = {"title": _("Title"), "description": _("What it is for"), "slug": _("Address")}
        help_texts = {"slug": _("Small letters, digits and hyphens; it stands in the address bar.")}

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        engines: forms.ChoiceField = self.fields["preset"]  # type: ignore[assignment]
        engines.choices = presets(self.instance.preset if self.instance.pk else "")
        self.fields["take_turns"].initial = self.instance.turns_since is not None

    def validate_unique(self) -> None:
        """Left to the database, which is asked once, when the board is saved."""


def presets(also: str = "") -> list[tuple[str, str]]:
    """Engines to choose from, `also` among them, with their titles in the reader's language.

    First the usual one, whatever that will be.
    """
    language, offer = get_language() or "en", queue.offer(also)
    found = [
        (name, preset.titles.get(language) or preset.titles.get("en", name))
        for name, preset in offer.presets.items()
    ]
    now = dict(found).get(offer.usual, offer.usual)
    return [("", format_lazy(_("the usual one (now {engine})"), engine=now)), *found]  # type: ignore[list-item]


class NewMember(forms.Form):
    """Somebody who is let in, by user name."""

    username = forms.CharField(label=_("User name"), max_length=40)
    role = forms.ChoiceField(
        label=_("As"), choices=Membership.Role.choices, initial=Membership.Role.MEMBER
    )

    def clean_username(self) -> str:
        """A member who exists and has not left."""
        name: str = self.cleaned_data["username"].strip()
        self.member = Member.objects.filter(username__iexact=name, is_active=True).first()
        if self.member is None:
            raise forms.ValidationError(_("Nobody here has this user name."))
        return name


class WordForm(forms.Form):
    """A word that a community teaches the darkroom. It saves nothing: `words` do."""

    term = forms.CharField(
        label=_("Word"),
        max_length=60,
        help_text=_("As members will type it, such as “grandma's kitchen”."),
    )
    means = forms.CharField(
        label=_("It means"),
        max_length=200,
        help_text=_(
            "In words that the darkroom knows, such as “sepia, slightly old photograph” or"
            " “the sky in teal”."
        ),
    )


class TryWords(forms.Form):
    """A prompt to be read, without making anything."""

    # Named unlike the fields of a word, for both stand on one page.
    attempt = forms.CharField(label=_("Try a prompt"), max_length=200, required=False)
