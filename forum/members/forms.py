"""Forms of the members room."""

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, SignupForm
from django import forms
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from forum.members import actions, names
from forum.members.models import Invitation, Member, Token


class CodeUsedUp(Exception):
    """The invitation's last use went to somebody else meanwhile."""


class SignUp(SignupForm):  # type: ignore[misc]
    """User name and password; a code where sign-up is by invitation. Nothing else is asked."""

    code = forms.CharField(label=_("Invitation code"), max_length=40)

    field_order = ["code", "username", "password1", "password2"]

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        if settings.SIGNUP_MODE != "invite":
            del self.fields["code"]
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)

    def clean_code(self) -> str:
        """Tell early that a code is of no use; it is counted only when the account is made."""
        code: str = self.cleaned_data["code"].strip().lower()
        if not Invitation.usable().filter(code=code).exists():
            raise forms.ValidationError(_("This code is unknown, used up or too old."))
        return code

    def save(self, request: HttpRequest) -> Member:
        """The new member. Runs inside the view's transaction. Raises CodeUsedUp."""
        if "code" in self.fields and not actions.redeem(code=self.cleaned_data["code"]):
            raise CodeUsedUp
        member: Member = super().save(request)
        return member


class SignIn(LoginForm):  # type: ignore[misc]
    """User name and password."""

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        self.fields.pop("remember", None)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)
            field.help_text = ""


class ChangePassword(ChangePasswordForm):  # type: ignore[misc]
    """The old password and, twice, the new one."""

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class Settings(forms.ModelForm):  # type: ignore[type-arg]
    """What members decide about themselves."""

    language = forms.ChoiceField(label=_("Language"), required=False)

    class Meta:
        model = Member
        fields = ["name", "about", "language", "theme", "keys"]
        widgets = {"about": forms.Textarea(attrs={"rows": 4}), "theme": forms.RadioSelect}
        labels = {
            "name": _("Name"),
            "about": _("About you"),
            "theme": _("Light or dark"),
            "keys": _("Single-key shortcuts"),
        }
        help_texts = {"name": _("Shown beside what you say. Empty shows your user name.")}

    def __init__(self, *args: Any, **words: Any) -> None:
        super().__init__(*args, **words)
        languages: forms.ChoiceField = self.fields["language"]  # type: ignore[assignment]
        languages.choices = [
            ("", _("as my browser says")),
            ("en", "English"),
            ("zh-hans", "简体中文"),
        ]

    def clean_name(self) -> str:
        """A name that is not drawn like another one in letters of two scripts."""
        return names.shown_name(self.cleaned_data["name"])


class NewToken(forms.ModelForm):  # type: ignore[type-arg]
    """A name for a key."""

    class Meta:
        model = Token
        fields = ["name"]
        labels = {"name": _("What it is for")}


class NewInvitation(forms.Form):
    """For whom, for how many, for how long."""

    note = forms.CharField(label=_("Note to yourself"), max_length=100, required=False)
    uses = forms.IntegerField(
        label=_("How many may sign up"), min_value=1, max_value=500, initial=1
    )
    days = forms.IntegerField(label=_("Days until it ends"), min_value=1, max_value=365, initial=14)


class Leave(forms.Form):
    """How somebody leaves, and the password, because it cannot be undone."""

    KEEP, ERASE = "keep", "erase"
    how = forms.ChoiceField(
        label=_("Your images and words"),
        widget=forms.RadioSelect,
        choices=[
            (KEEP, _("stay, under a pseudonym that says nothing about me")),
            (ERASE, _("are deleted; where others have answered, an empty place stays")),
        ],
    )
    password = forms.CharField(
        label=_("Your password"),
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, member: Member, **words: Any) -> None:
        super().__init__(*args, **words)
        self.member = member

    def clean_password(self) -> str:
        """Only the person themselves."""
        password: str = self.cleaned_data["password"]
        if not self.member.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password

    @property
    def keeps_images(self) -> bool:
        """Whether images and words stay."""
        return bool(self.cleaned_data["how"] == self.KEEP)
