"""System checks: the house refuses to start wrongly set, with a hint."""

import re
import sys
from collections.abc import Callable, Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from forum.running.switches import REFUSES

#: Switches that take one of a few words, each with the id of its check.
CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "SIGNUP_MODE": ("forum.E001", ("open", "invite", "closed")),
    "FORUM_BOARD_MAKERS": ("forum.E002", ("members", "moderators")),
}
#: Switches that are a number, and the least that makes sense.
NUMBERS: dict[str, int] = {
    "FORUM_UPLOAD_MB": 1,
    "FORUM_UPLOAD_MEGAPIXELS": 1,
    "FORUM_MEMBER_STORAGE_MB": 0,
    "FORUM_IMAGES_PER_MEMBER": 0,
    "FORUM_UPLOADS_PER_HALF_HOUR": 0,
    "FORUM_EDITS_PER_HOUR": 0,
    "FORUM_EDITS_AT_ONCE": 0,
    "FORUM_DRAFT_DAYS": 1,
    "FORUM_API_PER_MINUTE": 1,
    "FORUM_PAGES_PER_MINUTE": 1,
    "FORUM_LOGIN_FAILURES": 1,
    "FORUM_SIGNUPS_PER_HALF_HOUR": 1,
    "FORUM_REPORTS_PER_DAY": 0,
    "FORUM_FREE_MB": 0,
    "FORUM_SOCKETS_PER_MEMBER": 1,
    "FORUM_SOCKETS_PER_ADDRESS": 1,
    "FORUM_STUDIO_HOSTS": 0,
    "FORUM_VECTOR_INDEX_FROM": 1,
}
#: Switches that are an address, by form: empty is always allowed.
SHAPES: dict[str, tuple[str, str, str]] = {
    "FORUM_CONTACT": (
        "forum.E004",
        r"[^@\s:/]+@[^@\s]+|https://\S+",
        "Use an e-mail address, or an address that begins with https://.",
    ),
    "FORUM_SOURCE_URL": (
        "forum.E005",
        r"https?://\S+",
        "Use an address that begins with https://.",
    ),
    "FORUM_X_ACCEL": (
        "forum.E006",
        r"/(\S*/)?",
        "Use the internal location of nginx, with a stroke at both ends, such as /protected/.",
    ),
}

#: Every check of ours, for those who start without Django's commands.
OURS: list[Callable[[], list[Error]]] = []

Apps = Sequence[AppConfig] | None


def wrong(name: str, hint: str, code: str) -> Error:
    """What is said of a switch that cannot be."""
    return Error(f"{name} is {getattr(settings, name)!r}.", hint=hint, id=code)


def collected(found: Callable[[], list[Error]]) -> Callable[..., list[CheckMessage]]:
    """Register a check that needs no apps."""

    def check(app_configs: Apps, **kwargs: object) -> list[CheckMessage]:
        return list(found())

    check.__doc__, check.__name__ = found.__doc__, found.__name__
    register()(check)
    OURS.append(found)
    return check


@collected
def words_are_known() -> list[Error]:
    """Switches of few words hold one of them."""
    return [
        wrong(name, f"Use one of: {', '.join(words)}.", code)
        for name, (code, words) in CHOICES.items()
        if getattr(settings, name) not in words
    ]


@collected
def numbers_make_sense() -> list[Error]:
    """Limits are no smaller than makes sense."""
    return [
        wrong(name, f"Use a whole number, at least {least}.", "forum.E003")
        for name, least in NUMBERS.items()
        if getattr(settings, name) < least
    ]


@collected
def addresses_have_their_form() -> list[Error]:
    """Addresses can be followed."""
    return [
        wrong(name, hint, code)
        for name, (code, form, hint) in SHAPES.items()
        if getattr(settings, name) and not re.fullmatch(form, getattr(settings, name))
    ]


def refuse_if_wrong() -> None:
    """Say what is wrong, a line each, and end the process; the web process does so before it serves."""
    if wrong_ones := [error for found in OURS for error in found()]:
        sys.stderr.writelines(f"{error.msg} {error.hint}\n" for error in wrong_ones)
        raise SystemExit(REFUSES)
