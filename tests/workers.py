"""Real `manage.py worker` processes on the database and the files of the running test."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from forum.running.processes import until
from generation import queue
from generation.models import Job, State

ROOT = Path(__file__).resolve().parents[1]
PRESETS = ROOT / "tests" / "faults" / "presets.toml"
OPEN = (State.WAITING, State.RUNNING)


def database_url() -> str:
    """Address of this test's database, for other processes."""
    name = settings.DATABASES["default"]["NAME"]
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


class Workers:
    """Starts, hurts and ends workers. Their log is one file."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log = folder, folder / "workers.log"
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(
        self,
        name: str = "one",
        *words: str,
        wait: bool = True,
        halting: tuple[str, str] | None = None,
        **environment: str,
    ) -> subprocess.Popen[bytes]:
        """A worker in a process group of its own, ready when this returns.

        With `halting`, a point and a signal, it is stopped there: see tests/faults/halting.py.
        """
        door = ["tests/faults/halting.py", *halting] if halting else ["manage.py"]
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, *door, "worker", "--name", name, *words],
                cwd=ROOT, env={**self.environment, **environment}, stdout=log,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, process_group=0,
            )  # fmt: skip
        self.processes[name] = process
        if wait:
            self.wait_until_ready(name)
        return process

    @property
    def environment(self) -> Mapping[str, str]:
        """In which processes find the database and the files of the running test."""
        own = {
            "DATABASE_URL": database_url(),
            "FORUM_DATA_DIR": str(self.folder),
            "FORUM_PRESETS": str(PRESETS),
        }
        return {**os.environ, **own}

    def audit(self) -> str:
        """What `manage.py audit --strict` complains of; empty when it ends with 0."""
        found = subprocess.run(
            [sys.executable, "manage.py", "audit", "--strict"],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        return "" if found.returncode == 0 else found.stdout + found.stderr

    def wait_until_ready(self, *names: str, seconds: float = 90) -> None:
        """Until workers of these names have been heard of."""
        wanted = set(names)
        assert until(lambda: wanted <= {each.name for each in queue.workers()}, seconds, 0.1), (
            self.said()
        )

    def signal(self, name: str, sign: signal.Signals) -> None:
        """Send a signal to a worker and its hosts."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.processes[name].pid, sign)

    def kill(self, name: str) -> None:
        """As the power cut does."""
        self.signal(name, signal.SIGKILL)
        self.processes.pop(name).wait()

    def end(self, name: str, seconds: float = 40) -> int:
        """Ask a worker to end; its exit code."""
        self.processes[name].terminate()
        return self.processes.pop(name).wait(seconds)

    def end_all(self) -> None:
        """Nothing of ours outlives the test."""
        for name in list(self.processes):
            self.signal(name, signal.SIGCONT)
            self.kill(name)

    def said(self) -> str:
        """The end of what they wrote."""
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""


def wait_for(job: int, *states: str, seconds: float = 60) -> Job:
    """The job once it is in one of these states (done, where none is named)."""
    wanted = states or (State.DONE,)
    asked = Job.objects.filter(pk=job, state__in=wanted)
    assert until(asked.exists, seconds), f"{Job.objects.get(pk=job).__dict__}"
    return Job.objects.get(pk=job)


def wait_until_quiet(seconds: float = 120) -> None:
    """Until no job waits or runs, and every end was taken in."""
    busy = Job.objects.filter(state__in=OPEN)
    untold = Job.objects.filter(state__in=(State.DONE, State.FAILED), taken_in_at__isnull=True)
    assert until(lambda: not busy.exists() and not untold.exists(), seconds, 0.1)


def host_of(worker: "subprocess.Popen[bytes]") -> int:
    """The process of the device of a worker that has one, which is its only host."""
    asked = ["pgrep", "-f", "-P", str(worker.pid), "generation.host"]
    found = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    assert len(found) == 1
    return int(found[0])


@contextlib.contextmanager
def held_device(worker: "subprocess.Popen[bytes]") -> Iterator[None]:
    """The only host of a worker stands still for the length of the block: those who come share a batch."""
    host = host_of(worker)
    os.kill(host, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(host, signal.SIGCONT)


def wait_until_seated(*jobs: int | None) -> None:
    """Until these jobs have seats in batches; one that is full goes to its device at once."""
    running = Job.objects.filter(pk__in=jobs, state=State.RUNNING)
    assert until(lambda: running.count() == len(jobs), 60), list(running)


Open = Callable[[str], None]


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    """`gate("tea")` lets every prompt with "until:tea" go on: see tests/generation/together.py.

    Workers must be started after it.
    """
    folder = tmp_path / "gates"
    folder.mkdir()
    monkeypatch.setenv("FORUM_TEST_GATES", str(folder))
    return lambda name: (folder / name).touch()


@pytest.fixture
def workers(
    transactional_db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Workers]:
    """Start real workers with the preset "timed": `workers.start("one")`."""
    monkeypatch.setenv("FORUM_PRESETS", str(PRESETS))
    made = Workers(tmp_path)
    try:
        yield made
    finally:
        made.end_all()
        with contextlib.suppress(psycopg.Error), connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs, procrastinate_workers CASCADE")
