"""Batches through a whole worker: claimed from the database, each job published once and by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from forum.running.processes import until
from generation import queue
from generation.models import Job, Preview, Reason, State
from generation.requests import EditRequest, ImageRef
from tests.workers import Open, Workers, wait_until_quiet, wait_until_seated

pytestmark = pytest.mark.django_db(transaction=True)
BATCHES = Path(__file__).with_name("batches.toml")
HOME = "forum.receive_failure"

Start = Callable[..., object]


@pytest.fixture
def start(workers: Workers, gate: Open, monkeypatch: pytest.MonkeyPatch) -> Start:
    """A worker with one sleeping device: `start("one")`."""
    monkeypatch.setenv("FORUM_PRESETS", str(BATCHES))

    def begin(name: str = "one", *, wait: bool = True, **words: object) -> object:
        process = workers.start(
            name, "--queues", "light,edit:together,edit:other", wait=wait,
            FORUM_PRESETS=str(BATCHES), FORUM_STUDIO_DEVICES="cpu",
        )  # fmt: skip
        if wait:
            assert until(lambda: queue.can_do("together"), 60), workers.said()
        return process

    return begin


def ask(stored: ImageRef, prompt: str, seed: int = 1, **words: object) -> int:
    request = EditRequest("together", prompt, seed, (stored,))
    return queue.submit(request, return_to=HOME, topic="thread.1", **words)  # type: ignore[arg-type]


def running(step: int = 2) -> bool:
    return Preview.objects.filter(step__gte=step).exists()


def together(jobs: list[int]) -> list[int]:
    """How large the batch of each job was."""
    made = Job.objects.in_bulk(jobs)
    return [made[job].result["recipe"]["batch"] for job in jobs]


def test_members_share_a_batch_and_each_has_an_answer(
    workers: Workers, stored: ImageRef, start: Start, gate: Open
):
    start()
    first = ask(stored, "until:first 4 x 0.1", asker=9)
    assert until(running, 60)
    jobs = [ask(stored, f"{n} secret-{n} 3 x 0.05", seed=n, asker=n) for n in range(4)]
    wait_until_seated(*jobs)
    gate("first")
    wait_until_quiet(120)
    assert together([first, *jobs]) == [1, 4, 4, 4, 4]
    made = Job.objects.in_bulk(jobs)
    assert {each.state for each in made.values()} == {State.DONE}
    assert len({each.result["file"]["sha256"] for each in made.values()}) == 4
    assert all(default_storage.exists(each.result["file"]["name"]) for each in made.values())
    [machine] = queue.workers()
    [device] = machine.about["devices"]
    assert until(lambda: queue.workers()[0].about["devices"][0]["made"] == 5, 15)
    device = queue.workers()[0].about["devices"][0]
    assert device["loaded"] == ["together"] and device["batches"] == {"1": 1, "4": 1}
    assert device["ms"]["engine"] > 0
    # Its first frame waits for a turn of the publisher at most; sleeping is all that a batch does.
    assert 0 < device["preview_lag_ms"] < 2000
    assert device["spent"]["denoise"] >= 0.5 and 0 < device["outside_denoiser"] < 0.6
    assert workers.end("one") == 0
    assert "secret-" not in workers.said()
    assert list(queue.audit()) == []


def test_poison_dies_alone_and_its_neighbours_are_made(
    workers: Workers, stored: ImageRef, start: Start, gate: Open
):
    start()
    ask(stored, "until:first 4 x 0.1")
    assert until(running, 60)
    poison = ask(stored, "crash 3 x 0.05")
    others = [ask(stored, f"{n} 3 x 0.05", seed=n) for n in range(3)]
    wait_until_seated(poison, *others)
    gate("first")
    wait_until_quiet(120)
    made = Job.objects.get(pk=poison)
    assert (made.state, made.reason, made.attempt) == (State.FAILED, Reason.ENGINE_ERROR, 3)
    assert set(Job.objects.filter(pk__in=others).values_list("state", "attempt")) == {("done", 2)}
    assert together(others) == [1, 1, 1]
    assert list(queue.audit()) == []


def test_a_cancelled_job_leaves_its_batch_and_the_rest_is_made(
    stored: ImageRef, start: Start, gate: Open
):
    start()
    first = ask(stored, "until:first 4 x 0.1")
    assert until(running, 60)
    jobs = [ask(stored, f"{n} until:rest 4 x 0.1", seed=n) for n in range(4)]
    wait_until_seated(*jobs)
    gate("first")
    assert until(lambda: Preview.objects.filter(job=jobs[1], step__gte=2).exists(), 60)
    assert queue.cancel(jobs[1])
    gate("rest")
    wait_until_quiet(120)
    states = [Job.objects.get(pk=job).state for job in (first, *jobs)]
    assert states == [State.DONE, State.DONE, State.CANCELLED, State.DONE, State.DONE]
    assert not default_storage.exists(f"results/{jobs[1]}")


def test_a_drained_worker_finishes_its_batch_and_gives_the_rest_back(
    workers: Workers, stored: ImageRef, start: Start, gate: Open
):
    start()
    running_one = ask(stored, "until:asked 4 x 0.1")
    assert until(running, 60)
    waiting = [ask(stored, f"{n} 4 x 0.1", seed=n) for n in range(7)]
    assert until(lambda: Job.objects.filter(state=State.RUNNING).count() == 5, 60)  # 4 are next
    ending = workers.processes["one"]
    ending.terminate()
    # What has not begun is given back before what has is waited for.
    given = Job.objects.filter(pk__in=waiting, state=State.WAITING)
    assert until(lambda: given.count() == 7, 15), workers.said()
    gate("asked")
    assert ending.wait(40) == 0
    assert Job.objects.get(pk=running_one).state == State.DONE
    left = set(Job.objects.filter(pk__in=waiting).values_list("state", "attempt", "reason"))
    assert left == {(State.WAITING, 0, "")}, workers.said()
    assert list(queue.audit()) == []


def test_a_preset_without_weights_is_not_served(
    workers: Workers, stored: ImageRef, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    words = BATCHES.read_text("utf-8").replace(
        "[other]\n", f'[other]\nmodel = "{tmp_path / "nothing-here"}"\n'
    )
    presets = tmp_path / "presets.toml"
    presets.write_text(words, "utf-8")
    monkeypatch.setenv("FORUM_PRESETS", str(presets))
    workers.start("one", FORUM_PRESETS=str(presets), FORUM_STUDIO_DEVICES="cpu")
    assert until(lambda: queue.can_do("together"), 60), workers.said()
    assert not queue.can_do("other")
    [machine] = queue.workers()
    assert {"edit:darkroom", "edit:together"} <= set(machine.queues)
