"""How allauth behaves here: no e-mail, three sign-up modes."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest


class Accounts(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Closed shuts the door; invite opens it and asks for the code in the form."""
        return bool(settings.SIGNUP_MODE != "closed")
