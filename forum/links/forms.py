"""What people say about resonances, cleaned."""

from django import forms
from django.utils.translation import gettext_lazy as _

from forum.links.resonances import DIAL


class Dial(forms.Form):
    """Where the dial between echo and counterpoint stands. Nonsense counts as the middle ground."""

    dial = forms.IntegerField(
        label=_("Echo – counterpoint"), min_value=0, max_value=100, required=False
    )

    def position(self) -> int:
        """0 to 100."""
        found = self.cleaned_data.get("dial") if self.is_valid() else None
        return DIAL if found is None else int(found)


class Because(forms.Form):
    """Why two images belong together, if somebody cares to say."""

    name = forms.CharField(label=_("Related because …"), max_length=120, required=False, strip=True)


class Look(forms.Form):
    """A picture to look for, and the image it would answer."""

    file = forms.FileField()
    to = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
