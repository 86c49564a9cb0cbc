"""Reads switches from the environment and names the one that cannot be. No Django application."""

import builtins
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

#: Exit code of a program that refuses to start because of how it is set: trying again cannot help.
REFUSES = 2
_YES = frozenset(environ.Env.BOOLEAN_TRUE_STRINGS)
_NO = frozenset({"false", "off", "n", "no", "0", ""})
_SCHEMES = ("postgres://", "postgresql://")


class WronglySet(ImproperlyConfigured):
    """A switch holds what it cannot; the text is one sentence for the operator."""


class Switches(environ.Env):  # type: ignore[misc]
    """django-environ, which names the switch and takes no word it does not know for a no."""

    def int(self, var: str, default: Any = environ.Env.NOTSET) -> builtins.int:
        """A whole number. Raises WronglySet."""
        try:
            return int(super().int(var, default))
        except ValueError:
            raise WronglySet(
                f"{var} is {self.ENVIRON[var]!r}; it must be a whole number."
            ) from None

    def float(self, var: str, default: Any = environ.Env.NOTSET) -> builtins.float:
        """A number. Raises WronglySet."""
        try:
            return float(super().float(var, default))
        except ValueError:
            raise WronglySet(f"{var} is {self.ENVIRON[var]!r}; it must be a number.") from None

    def bool(self, var: str, default: Any = environ.Env.NOTSET) -> builtins.bool:
        """Yes or no. Raises WronglySet."""
        said = self.ENVIRON.get(var, "").strip().lower()
        if said not in _YES | _NO:
            raise WronglySet(f"{var} is {said!r}; it must be yes or no.")
        return bool(super().bool(var, default))

    def database(self, url: str) -> dict[str, Any]:
        """Django's words for a PostgreSQL address. Raises WronglySet."""
        require_postgres(url)
        try:
            words: dict[str, Any] = self.db_url_config(url, engine="forum.running.pooled")
        except ValueError as error:
            raise WronglySet(f"DATABASE_URL cannot be read: {error}.") from None
        return words


def require_postgres(url: str) -> None:
    """Raises WronglySet for an address that does not lead to PostgreSQL."""
    if not url.startswith(_SCHEMES):
        raise WronglySet(
            "DATABASE_URL must be the address of a PostgreSQL, "
            "such as postgres://user:password@host:5432/name."
        )
