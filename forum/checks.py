"""System checks: the house refuses to start wrongly set, with a hint."""

import re
import sys
from collections.abc import Callable, Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.checks.registry import registry

from forum.running.switches import REFUSES
from generation import queue

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

#: Modules whose checks a program that starts without Django's commands asks all the same.
OURS = (__name__, "generation.checks")
#: Characters that a secret key has at least, outside development.
LEAST_KEY = 32

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


@collected
def the_key_is_long_enough() -> list[Error]:
    """Whoever guesses the key signs in as anybody. It is not repeated here."""
    if settings.DEBUG or len(settings.SECRET_KEY) >= LEAST_KEY:
        return []
    return [
        Error(
            f"SECRET_KEY has {len(settings.SECRET_KEY)} characters.",
            hint=f"Give it {LEAST_KEY} random characters at least, or leave it empty: one is made.",
            id="forum.E007",
        )
    ]


@collected
def the_usual_engines_are_there() -> list[Error]:
    """The preset that answers while a GPU is at work; `generation.E002` looks at the other one."""
    name = "FORUM_DEFAULT_GPU_PRESET"
    try:
        known = queue.presets()
    except ValueError:  # the studio's own check names what is broken
        return []
    if not getattr(settings, name) or getattr(settings, name) in known:
        return []
    return [wrong(name, f"Use one of: {', '.join(known)}; or leave it empty.", "forum.E008")]


def refuse_if_wrong() -> None:
    """Say what is wrong, a line each, and end the process with exit code 2, before it serves."""
    checks = [each for each in registry.get_checks() if each.__module__ in OURS]
    said = [each for check in checks for each in check(app_configs=None, databases=None)]
    if wrong_ones := [each for each in said if each.is_serious()]:
        sys.stderr.writelines(f"{each.msg} {each.hint} ({each.id})\n" for each in wrong_ones)
        raise SystemExit(REFUSES)
