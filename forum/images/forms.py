"""What people may say anew of their images."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext_lazy as _

from forum.images.models import Image, Origin

if TYPE_CHECKING:
    ImageForm = forms.ModelForm[Image]
else:  # Django's own class takes no subscript when the program runs
    ImageForm = forms.ModelForm


class ReasonForm(forms.Form):
    """Why an image is hidden."""

    reason = forms.CharField(
        label=_("Why it is hidden"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Its author reads this, and so does everybody who moderates here."),
        error_messages={"required": _("Say why: its author will read it.")},
    )


class DescriptionForm(ImageForm):
    """Title and description of any image; licence, consent and origin of an upload."""

    class Meta:
        model = Image
        fields = ["title", "alt", "licence", "allow_derivatives", "origin"]
        widgets = {"alt": forms.Textarea(attrs={"rows": 3})}
        help_texts = {"alt": _("For those who cannot see the picture: what does it show?")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.is_original:
            # A derivative stands under the licence of its sources, and its origin is its recipe.
            del self.fields["licence"], self.fields["origin"]
        elif self.instance.origin == Origin.AI_DETECTED:
            del self.fields["origin"]
        else:
            self.fields["origin"].choices = [  # type: ignore[attr-defined]
                choice for choice in Origin.choices if choice[0] != Origin.AI_DETECTED
            ]
