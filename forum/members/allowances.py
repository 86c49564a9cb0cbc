"""What is dear is counted: how often somebody may do a thing in a window of time.

Counts lie in the database, so that they hold across processes and machines.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import F
from django.db.models.functions import Greatest, Least, Now

from forum.members.models import Allowance, Member


@dataclass(frozen=True)
class Limit:
    """At most `most` times in `seconds`."""

    most: int
    seconds: int


class Spent(Exception):
    """As often as is allowed for now."""

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Try again in {retry_after} s.")
        #: Seconds until it may be done again, at least 1.
        self.retry_after = retry_after


def limits() -> dict[str, Limit]:
    """What is counted, by name."""
    return {
        "envision": Limit(settings.FORUM_EDITS_PER_HOUR, 3600),
        "upload": Limit(settings.FORUM_UPLOADS_PER_HALF_HOUR, 1800),
        # Looking whether a picture was said before: several may be tried before one is posted.
        "look": Limit(4 * settings.FORUM_UPLOADS_PER_HALF_HOUR, 1800),
        "api": Limit(settings.FORUM_API_PER_MINUTE, 60),
        "report": Limit(settings.FORUM_REPORTS_PER_DAY, 86_400),
        "login": Limit(settings.FORUM_LOGIN_FAILURES, 900),
        "login-address": Limit(10 * settings.FORUM_LOGIN_FAILURES, 900),
        "sign-up": Limit(settings.FORUM_SIGNUPS_PER_HALF_HOUR, 1800),
        "code": Limit(20, 3600),
    }


def times(member: Member) -> int:
    """How many times the allowances for derivatives this member's role has."""
    return max(1, int(settings.FORUM_MODERATORS_TIMES)) if member.is_moderator else 1


def at_once(member: Member) -> int:
    """How many of this member's derivatives may wait or run at once."""
    return int(settings.FORUM_EDITS_AT_ONCE) * times(member)


def running(member: Member) -> int:
    """How many of this member's derivatives may run at the same time, of one engine."""
    return max(1, int(settings.FORUM_EDITS_RUNNING)) * times(member)


def left(member: Member, what: str) -> int:
    """How often this member may still do a thing in the running window."""
    limit = limits()[what]
    most = limit.most * times(member)
    now = Allowance.objects.filter(
        who=purse(member), what=what, since__gt=Now() - timedelta(seconds=limit.seconds)
    )
    return max(0, most - (now.values_list("spent", flat=True).first() or 0))


def purse(member: Member) -> str:
    """The name under which a member's doings are counted."""
    return f"member:{member.pk}"


#: The window starts anew when it is over, otherwise it is counted up to one beyond the limit.
COUNT = """
INSERT INTO forum_allowance AS kept (who, what, since, spent)
VALUES (%(who)s, %(what)s, statement_timestamp(), 1)
ON CONFLICT (who, what) DO UPDATE SET
    spent = CASE WHEN kept.since + %(window)s <= statement_timestamp() THEN 1
                 ELSE least(kept.spent, %(most)s) + 1 END,
    since = CASE WHEN kept.since + %(window)s <= statement_timestamp() THEN statement_timestamp()
                 ELSE kept.since END
RETURNING spent, ceil(extract(epoch FROM since + %(window)s - statement_timestamp()))::int
"""


def spend(*, who: str, what: str, times: int = 1) -> None:
    """Count one use. Raises Spent over the limit, KeyError for a name that is not counted.

    `times` widens the limit for those whose role allows more.

    One statement, so that requests sent at once cannot pass together. It belongs to the caller's
    transaction: what is rolled back was not spent.
    """
    limit = limits()[what]
    window = timedelta(seconds=limit.seconds)
    most = limit.most * times
    words: dict[str, Any] = {"who": who[:64], "what": what, "window": window, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(COUNT, words)
        spent, left = cursor.fetchone()
    if spent > most:
        raise Spent(max(1, left))


def give_back(*, who: str, what: str, times: int = 1) -> None:
    """Take one use back, where it came to nothing. `times` as it was spent."""
    lower = Greatest(Least(F("spent"), limits()[what].most * times) - 1, 0)
    Allowance.objects.filter(who=who[:64], what=what).update(spent=lower)
