"""How allauth behaves here: no e-mail, three sign-up modes, failures counted in our ledger."""

import unicodedata
from typing import Any, ClassVar

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from forum.members.actions import Spent, give_back, spend
from forum.members.models import Member
from forum.members.names import user_name
from forum.web import address


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages: ClassVar[dict[str, Any]] = {
        **DefaultAccountAdapter.error_messages,
        "account_inactive": _("This account is shut. Ask those who run the forum."),
        "enter_current_password": _("Type your present password."),
        "incorrect_password": _("This is not your password."),
        "too_many_login_attempts": _("Too many tries with a wrong password. Try again later."),
        "username_blacklisted": _("This name cannot be used. Choose another one."),
        "username_password_mismatch": _(
            "User name and password do not belong together. Look at both again."
        ),
        "username_taken": _("Somebody here has this name. Choose another one."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed shuts the door; invite opens it and asks for the code in the form."""
        return bool(settings.SIGNUP_MODE != "closed")

    def clean_username(self, username: str, shallow: bool = False) -> str:
        """A name that can be told from every other. Raises ValidationError."""
        name: str = super().clean_username(unicodedata.normalize("NFKC", username), shallow)
        return name if shallow else user_name(name)

    def get_client_ip(self, request: HttpRequest) -> str:
        """The same address that everything else is counted by."""
        return address(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt before the password is looked at; `authenticate` gives it back."""
        try:
            for who, what in purses(request, credentials):
                spend(who=who, what=what)
        except Spent:
            raise self.validation_error("too_many_login_attempts") from None

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Member | None:
        """The member whose password this is, or None. Only failures stay counted."""
        member: Member | None = super().authenticate(request, **credentials)
        if member is not None:
            for who, what in purses(request, credentials):
                give_back(who=who, what=what)
        return member


def purses(request: HttpRequest, credentials: dict[str, Any]) -> list[tuple[str, str]]:
    """Whose failures are counted: the name's, whether it exists or not, and the address's."""
    name = str(credentials.get("username", "")).lower()[:50]
    return [(f"name:{name}", "login"), (f"address:{address(request)}", "login-address")]
