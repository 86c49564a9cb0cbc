"""The form that asks for a film."""

from django import forms
from django.utils.translation import gettext_lazy as _

from forum.films.models import FilmFormat, FilmKind


class Wanted(forms.Form):
    """Which film, and how it is kept."""

    kind = forms.ChoiceField(label=_("What it shows"), choices=FilmKind.choices)
    format = forms.ChoiceField(label=_("Format"), choices=FilmFormat.choices, required=False)
    titled = forms.BooleanField(label=_("With what was said"), required=False)

    def clean_format(self) -> str:
        """WebP, where nothing was said: it can be made everywhere."""
        return self.cleaned_data["format"] or FilmFormat.WEBP
