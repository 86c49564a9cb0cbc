"""How fast pages may be asked for, counted in the memory of each process."""

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from forum.live.errors import too_many
from forum.members.allowances import Spent
from forum.web import address

WINDOW = 60.0  # seconds
#: Addresses remembered at once; a flood from more is the front server's to stop.
MOST = 20_000


class Counter:
    """Counts uses by name in windows of a minute."""

    def __init__(self) -> None:
        self.seen: dict[str, tuple[float, int]] = {}

    def count(self, who: str, most: int) -> int:
        """Count one use: 0, or the seconds to wait when it is one too many."""
        now = time.monotonic()
        since, used = self.seen.get(who, (now, 0))
        if now - since >= WINDOW:
            since, used = now, 0
        elif used >= most:
            return max(1, round(since + WINDOW - now))
        if len(self.seen) >= MOST:
            self.forget(now)
        self.seen[who] = since, used + 1
        return 0

    def forget(self, now: float) -> None:
        """Drop what is over; everything, where that is not enough."""
        self.seen = {who: kept for who, kept in self.seen.items() if now - kept[0] < WINDOW}
        if len(self.seen) >= MOST:
            self.seen = {}


class Pace:
    """Middleware: 429 for addresses that ask too fast, and for members whose allowance is spent."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.counter = Counter()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        wait = self.counter.count(address(request), settings.FORUM_PAGES_PER_MINUTE)
        return too_many(request, wait) if wait else self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A verb that counts raised Spent; any view may let it pass."""
        return too_many(request, error.retry_after) if isinstance(error, Spent) else None
