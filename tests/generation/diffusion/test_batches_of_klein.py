"""A tiny FLUX.2 klein through the whole studio: worker, host, batches, files, rows."""

from pathlib import Path

import pytest

from forum.running.processes import until
from generation import queue
from generation.models import Job, Preview, State
from generation.requests import EditRequest, ImageRef
from tests.generation.conftest import stored as stored
from tests.workers import (
    Workers,
    held_device,
    wait_for,
    wait_until_quiet,
    wait_until_seated,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]


def ask(stored: ImageRef, prompt: str, seed: int, **words: object) -> int:
    request = EditRequest("klein", prompt, seed, (stored,), **words)  # type: ignore[arg-type]
    return queue.submit(request, return_to="forum.receive_failure", topic="thread.1", asker=seed)


def recipe(job: int) -> dict[str, object]:
    result = Job.objects.get(pk=job).result
    assert result is not None
    return {**result["recipe"], "sha256": result["file"]["sha256"]}


def test_members_share_a_call_of_the_model_and_get_what_they_would_get_alone(
    workers: Workers, stored: ImageRef, monkeypatch: pytest.MonkeyPatch, tiny_file: Path
):
    monkeypatch.setenv("FORUM_PRESETS", str(tiny_file))
    worker = workers.start(
        "one", "--queues", "light,edit:klein", FORUM_PRESETS=str(tiny_file),
        FORUM_STUDIO_DEVICES="cpu", OMP_NUM_THREADS="1",
    )  # fmt: skip
    assert until(lambda: queue.can_do("klein"), 240), workers.said()
    first = ask(stored, "a long one", seed=9, steps=60)
    assert until(lambda: Preview.objects.filter(job=first, step__gte=1).exists(), 60)
    with held_device(worker):
        jobs = [ask(stored, f"a secret wish {n} " * 40, seed=n) for n in range(4)]
        wait_until_seated(*jobs)
    wait_until_quiet(120)
    assert set(Job.objects.values_list("state", "attempt")) == {(State.DONE, 1)}, workers.said()
    made = [recipe(job) for job in jobs]
    assert [each["bucket"] for each in made] == [4, 4, 4, 4]
    assert len({each["sha256"] for each in made}) == 4
    assert all(each["tokens_dropped"] > 0 for each in made)
    # Made again without its neighbours, padded to the same size: the same file, bit for bit.
    alone = ask(stored, "a secret wish 2 " * 40, seed=2, bucket=4)
    wait_for(alone)
    assert recipe(alone)["sha256"] == made[2]["sha256"]
    assert workers.end("one") == 0
    assert "secret wish" not in workers.said()
