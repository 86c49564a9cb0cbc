"""A whole worker: `manage.py worker` with its device hosts, on the database of this test."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from forum.running.processes import until
from generation import queue
from generation.models import Job, Preview, Reason, State
from generation.requests import EditRequest, EmbedRequest, ImageRef
from generation.results import EditResult
from tests.workers import ROOT, Workers, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
#: Nobody takes these results in; the studio only repeats the address.
HOME = "forum.receive_failure"


def ask(stored: ImageRef, prompt: str, preset: str = "timed", seed: int = 1) -> int:
    request = EditRequest(preset, prompt, seed, (stored,))
    return queue.submit(request, return_to=HOME, topic="thread.1")


def tree_rss(pid: int) -> int:
    """Resident bytes of a process and its children."""
    found = subprocess.run(
        ["ps", "-o", "rss=", "-p", str(pid), "--ppid", str(pid)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return sum(int(each) for each in found.stdout.split()) * 1024


def test_the_darkroom_answers_and_the_worker_stays_small(workers: Workers, stored: ImageRef):
    process = workers.start()
    assert queue.can_do("darkroom")
    prompt = "at night, in snow, with the secret word zanzibar"
    job = wait_for(ask(stored, prompt, "darkroom")).pk
    result = queue.result(job)
    assert isinstance(result, EditResult)
    assert default_storage.exists(result.file.name)
    embed = queue.submit(EmbedRequest(stored), return_to=HOME)
    wait_for(embed)
    assert until(lambda: Job.objects.filter(taken_in_at__isnull=True).count() == 0, 10)
    assert tree_rss(process.pid) < 400 * 2**20
    assert workers.end("one") == 0
    assert queue.workers() == []
    assert "zanzibar" not in workers.said()
    assert list(queue.audit()) == []


def test_a_cancelled_job_stops_at_its_next_step(workers: Workers, stored: ImageRef):
    workers.start()
    job = ask(stored, "100 x 0.1")
    assert until(lambda: Preview.objects.filter(job=job, step__gt=1).exists(), 20)
    queue.cancel(job)
    begun = time.monotonic()
    wait_for(ask(stored, "1 x 0.01"))
    assert time.monotonic() - begun < 5
    assert Job.objects.get(pk=job).state == State.CANCELLED
    assert until(lambda: not default_storage.exists(f"results/{job}"), 5)
    assert not Preview.objects.filter(job=job).exists()


@pytest.mark.parametrize(
    ("prompt", "reason", "tries"),
    [
        ("crash 5 x 0.01", Reason.ENGINE_ERROR, 3),
        ("hang 5 x 0.01", Reason.TIMEOUT, 3),
        ("raise 5 x 0.01", Reason.ENGINE_ERROR, 3),
        ("refuse 5 x 0.01", Reason.SOURCE_REFUSED, 1),
    ],
)
def test_poison_ends_with_a_reason_and_harms_nobody(
    workers: Workers, stored: ImageRef, prompt: str, reason: str, tries: int
):
    workers.start("one", "--hosts", "1")
    job, other = ask(stored, prompt), ask(stored, "3 x 0.01")
    made = wait_for(job, State.FAILED, State.DONE)
    assert (made.state, made.reason, made.attempt) == (State.FAILED, reason, tries)
    wait_for(other)
    assert not default_storage.exists(f"results/{job}")


def test_hosts_end_with_a_killed_supervisor(workers: Workers, stored: ImageRef):
    process = workers.start()
    ask(stored, "1000 x 0.1")
    assert until(Preview.objects.exists, 20)
    hosts = subprocess.run(
        ["pgrep", "-P", str(process.pid)], capture_output=True, text=True, check=True
    ).stdout.split()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert hosts
    assert until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in hosts), 5)


def test_a_queue_that_is_none_is_refused_in_one_line():
    said = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "worker", "--queues", "edit:oracle"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 2
    assert said.stderr.count("\n") == 1 and "oracle" in said.stderr
