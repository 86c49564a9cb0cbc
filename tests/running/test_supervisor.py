"""The supervisor keeps real programs alive and leaves none behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from forum.running.processes import runs, until
from forum.running.supervisor import BACK_OFF, Supervisor

ROOT = Path(__file__).parents[2]


class House:
    """The supervisor as a process of its own, and what it says."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.said = folder / "said"
        self.process: subprocess.Popen[Any] = subprocess.Popen(
            [sys.executable, "-m", "tests.running.house", str(folder), *names],
            cwd=ROOT, stdout=self.said.open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip

    def lines(self, begin: str) -> list[str]:
        return [line for line in self.said.read_text().splitlines() if line.startswith(begin)]

    def pids(self, name: str, count: int = 1) -> list[int]:
        """Process ids under which `name` came up, once there are `count`."""
        assert until(lambda: len(self.lines(f"up {name} ")) >= count, 20), self.said.read_text()
        return [int(line.split()[2]) for line in self.lines(f"up {name} ")]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Any]:
    made: list[House] = []

    def make(*names: str) -> House:
        made.append(House(tmp_path, *names))
        return made[-1]

    yield make
    for each in made:
        each.process.terminate()
        each.process.wait(10)


def gone(pid: int, seconds: float = 10) -> bool:
    return until(lambda: not runs(pid), seconds)


def test_a_killed_child_is_started_again(house: Any) -> None:
    running = house("quiet")
    first = running.pids("quiet")[0]
    killed_at = time.monotonic()
    os.kill(first, signal.SIGKILL)
    second = running.pids("quiet", 2)[1]
    assert time.monotonic() - killed_at >= BACK_OFF
    assert second != first
    assert running.lines("quiet was ended by SIGKILL")


def test_a_child_that_leaves_in_order_is_started_again(house: Any) -> None:
    """A worker whose database went away ends with exit code 0."""
    running = house("leaving")
    assert len(set(running.pids("leaving", 2))) == 2
    assert running.lines("leaving ended with exit code 0")


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everyone_in_order(house: Any, sign: signal.Signals) -> None:
    running = house("quiet")
    pid = running.pids("quiet")[0]
    running.process.send_signal(sign)
    assert running.process.wait(10) == 0
    assert gone(pid, 0)
    assert running.lines("bye quiet")
    assert running.lines("all ended")


def test_a_child_that_does_not_listen_is_killed_after_its_grace(house: Any) -> None:
    running = house("stubborn", "quiet")
    stubborn, quiet = running.pids("stubborn")[0], running.pids("quiet")[0]
    running.process.terminate()
    assert running.process.wait(10) == 0
    assert gone(stubborn, 0) and gone(quiet, 0)
    assert running.lines("stubborn did not end within 1 s")
    assert running.lines("bye quiet")


def test_impatience_ends_everyone_at_once(house: Any) -> None:
    """Signals that come while it waits for a stubborn child must not wait for that very waiting."""
    running = house("stubborn")
    [child] = running.pids("stubborn")
    running.process.send_signal(signal.SIGINT)
    for _ in range(300):
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.001)
    # One that comes while Python itself is leaving meets no handler any more.
    assert running.process.wait(10) in {0, -signal.SIGINT}
    assert gone(child)


def test_what_a_child_started_goes_with_it(house: Any) -> None:
    running = house("parent")
    grandchild = running.pids("parent")[0]
    running.process.terminate()
    assert running.process.wait(10) == 0
    assert gone(grandchild, 1)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's death")
def test_killing_the_supervisor_ends_its_children(house: Any) -> None:
    running = house("quiet")
    pid = running.pids("quiet")[0]
    running.process.kill()
    running.process.wait()
    assert gone(pid)


def test_the_next_start_ends_what_was_left(house: Any, tmp_path: Path) -> None:
    """Stubborn programs outlive even the bond with their parent."""
    running = house("stubborn")
    left = running.pids("stubborn")[0]
    running.process.kill()
    running.process.wait()
    assert runs(left)
    again = Supervisor(tmp_path, lambda text: None)
    again.end_left_over(grace=0.5)
    assert gone(left, 1)
    assert not (tmp_path / "processes.json").exists()


def test_numbers_that_mean_others_now_are_left_alone(tmp_path: Path) -> None:
    other = subprocess.Popen(["sleep", "300"])
    (tmp_path / "processes.json").write_text(
        json.dumps({str(other.pid): "python manage.py worker"})
    )
    Supervisor(tmp_path, lambda text: None).end_left_over(grace=0.2)
    assert other.poll() is None
    other.kill()
    other.wait()


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"x": "y"}'])
def test_a_broken_list_is_no_obstacle(tmp_path: Path, content: str) -> None:
    (tmp_path / "processes.json").write_text(content)
    Supervisor(tmp_path, lambda text: None).end_left_over(grace=0.2)
    assert not (tmp_path / "processes.json").exists()
