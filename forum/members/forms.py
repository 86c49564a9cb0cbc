"""Forms of the members room."""

from allauth.account.forms import SignupForm


class SignUp(SignupForm):  # type: ignore[misc]
    """User name and password; nothing else is asked."""
