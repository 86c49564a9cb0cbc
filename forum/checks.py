"""System checks: the house refuses to start wrongly set, with a hint."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

SIGNUP_MODES = ("open", "invite", "closed")


@register()
def signup_mode_is_known(
    app_configs: Sequence[AppConfig] | None, **kwargs: object
) -> list[CheckMessage]:
    """SIGNUP_MODE is one of three words."""
    if settings.SIGNUP_MODE in SIGNUP_MODES:
        return []
    return [
        Error(
            f"SIGNUP_MODE is {settings.SIGNUP_MODE!r}.",
            hint=f"Use one of: {', '.join(SIGNUP_MODES)}.",
            id="forum.E001",
        )
    ]
