"""Turns as a real worker takes them: three members flood one machine, a fourth comes late."""

from collections import Counter

from forum.running.processes import until
from generation import queue
from generation.models import Job, State
from generation.requests import EditRequest, ImageRef
from tests.generation.conftest import HOME
from tests.workers import OPEN, Workers, wait_for

ADA, BO, CY, DEE = 1, 2, 3, 4


def test_who_floods_delays_nobody(workers: Workers, stored: ImageRef) -> None:
    """Nobody is ever more than two jobs ahead of another who waits; the newcomer is among the next."""

    def ask(asker: int) -> int:
        request = EditRequest(preset="timed", prompt="2 x 0.05", seed=7, sources=(stored,))
        return queue.submit(request, return_to=HOME, asker=asker)

    flood = [ask(asker) for asker in (ADA, BO, CY) for _ in range(5)]
    workers.start("one", "--queues", "edit:timed", "--hosts", "1")
    wait_for(flood[1])
    late = ask(DEE)
    assert until(lambda: not Job.objects.filter(state__in=OPEN).exists(), 90)
    rows = Job.objects.filter(state=State.DONE).order_by("started_at")
    order = list(rows.values_list("pk", "asker"))
    assert len(order) == 16
    taken: Counter[int] = Counter()
    for _, asker in order[:12]:
        if asker != DEE:
            taken[asker] += 1
            assert max(taken.values()) - min(taken[each] for each in (ADA, BO, CY)) <= 2
    asked_at = Job.objects.get(pk=late).created_at
    after = [pk for pk, _ in order if Job.objects.get(pk=pk).started_at > asked_at]
    # What the worker had in hand when it came, and one of each who had not been served since.
    assert after.index(late) <= 2
