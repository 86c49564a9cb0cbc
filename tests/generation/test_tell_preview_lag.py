"""How late previews are: from the step to the row that browsers look at, through a real worker."""

import pytest

from forum.running.processes import until
from generation import queue
from generation.models import State
from generation.requests import EditRequest, ImageRef
from generation.worker.tallies import Tally
from tests.generation.conftest import HOME
from tests.workers import PRESETS, Workers, wait_for


def test_the_newest_counts_more() -> None:
    tally = Tally()
    assert "preview_lag_ms" not in tally.about(), "nothing is said before the first"
    tally.note_lag(0.1)
    tally.note_lag(0.2)
    assert tally.about()["preview_lag_ms"] == 120
    tally.note_lag(-5)
    assert tally.about()["preview_lag_ms"] == 96, "a clock that went back counts as nothing"


@pytest.mark.django_db(transaction=True)
def test_a_worker_says_it(
    stored: ImageRef, workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORUM_PRESETS", str(PRESETS))
    workers.start("one", "--queues", "edit:timed", "--hosts", "1", FORUM_PRESETS=str(PRESETS))
    request = EditRequest(preset="timed", prompt="8 x 0.3", seed=7, sources=(stored,))
    job = queue.submit(request, return_to=HOME)
    wait_for(job, State.DONE, seconds=90)

    def lag() -> int:
        return int(queue.workers()[0].about["pool"].get("preview_lag_ms", 0))

    assert until(lambda: lag() > 0, 20)
    assert lag() < 5000
