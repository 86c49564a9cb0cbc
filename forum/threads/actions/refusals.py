"""Why a verb was not done. Doors turn these into 409, 403 and 429."""

from django.utils.functional import Promise


class KeyReused(Exception):
    """The same key came with something else before."""


class NotAllowed(Exception):
    """This may not be done; `sentence` says why, for people."""

    def __init__(self, sentence: str | Promise, reason: str = "not_allowed") -> None:
        super().__init__(reason)
        self.sentence = sentence
        #: A stable word, see `sentences`.
        self.reason = reason


class TooMany(Exception):
    """As often, or as many at once, as is allowed for now."""

    def __init__(self, retry_after: int, sentence: str | Promise = "") -> None:
        super().__init__(f"Try again in {retry_after} s.")
        #: Seconds until it may be tried again.
        self.retry_after = retry_after
        #: What is too many, for people; empty when the hourly allowance is spent.
        self.sentence = sentence
