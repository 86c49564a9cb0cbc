"""An operator drains a real worker: what it has it finishes, and it takes nothing more until told."""

import time

from django.db.models import F

from forum.running.processes import until
from generation import queue
from generation.models import Job, State, Worker
from generation.requests import EditRequest, ImageRef
from tests.generation.conftest import HOME
from tests.workers import Workers, wait_for


def test_a_drained_worker_finishes_and_waits(workers: Workers, stored: ImageRef) -> None:
    """And goes on when it is let."""

    def timed(prompt: str) -> int:
        request = EditRequest(preset="timed", prompt=prompt, seed=7, sources=(stored,))
        return queue.submit(request, return_to=HOME)

    workers.start("one", "--queues", "edit:timed", "--hosts", "1")
    running = timed("120 x 0.1")
    wait_for(running, State.RUNNING)
    assert queue.drain("one")
    assert until(lambda: "worker drains" in workers.said(), 30)
    late = timed("1 x 0.05")
    wait_for(running, seconds=60)
    assert Job.objects.get(pk=running).attempt == 1
    time.sleep(2)
    assert Job.objects.get(pk=late).state == State.WAITING
    assert not queue.can_do("timed")
    assert Worker.objects.filter(name="one", seen_at__gt=F("started_at")).exists()
    assert queue.refill("one")
    wait_for(late, seconds=40)
    assert workers.end("one") == 0
