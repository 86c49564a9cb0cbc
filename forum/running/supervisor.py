"""Keeps the house's processes running, and ends them in order."""

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from forum.running.places import write_private
from forum.running.postgres import EmbeddedPostgres
from forum.running.processes import bound_to_parent, describe, until
from forum.running.switches import REFUSES
from forum.running.trouble import Trouble

BACK_OFF = 2.0  # seconds between the end of a child and its next start, as systemd's RestartSec
_LOOK_EVERY = 0.1
Say = Callable[[str], None]


@dataclass
class Child:
    """A program that is to run for as long as we do.

    `grace`: seconds between SIGTERM and SIGKILL. It is started again whenever it ends, with exit
    code 0 too: a worker that lost its database leaves in perfect order.
    """

    name: str
    command: Sequence[str]
    grace: float
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    _next_start: float = 0.0

    def start(self) -> None:
        """Start it in a process group of its own: Ctrl-C reaches us, and we end it in order."""
        self.process = launch(self.command, self.environment)
        self.starts += 1

    def keep(self, say: Say) -> bool:
        """Start it again if it ended and its back-off is over. True when it was started.

        Raises Trouble where it refused its very first start: it has said why.
        """
        if self.process is not None:
            if (code := self.process.poll()) is None:
                return False
            if code == REFUSES and self.starts == 1:
                raise Trouble(f"{self.name} refuses to start like this.")
            say(f"{self.name} {_ending(code)}; starting it again in {BACK_OFF:g} s.")
            self.kill()
            self.process, self._next_start = None, time.monotonic() + BACK_OFF
        if time.monotonic() < self._next_start:
            return False
        self.start()
        return True

    def ask_to_end(self) -> None:
        """SIGTERM: finish what you do and leave."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def strike(self) -> None:
        """SIGKILL to its whole group: whatever it started goes with it. Waits for nothing.

        A signal handler may call it; to wait there would wait for the very code it interrupted.
        """
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL to its whole group, and wait until it is gone."""
        self.strike()
        if self.process is not None:
            self.process.wait()


def launch(command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a child that gets SIGTERM when we die, by kill -9 too."""
    return subprocess.Popen(
        command,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=bound_to_parent(signal.SIGTERM),
    )


def run_once(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a child to its end and give its exit code; a signal to us ends it first."""
    process = launch(command, environment)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


class Interrupted(Exception):
    """Somebody asked us to end while we were still starting."""


class Supervisor:
    """Runs `children`, and the database where it is ours, until a signal says stop.

    `folder` keeps the list of what was started, so that a start after kill -9 can end what is
    left where the system does not do so itself.
    """

    def __init__(self, folder: Path, say: Say, database: EmbeddedPostgres | None = None) -> None:
        self.children: list[Child] = []
        #: Children that run once; they are ended with the others and not started again.
        self.guests: list[Child] = []
        self.database = database
        self._say = say
        self._list = folder / "processes.json"
        self._stop = threading.Event()
        self._signals = 0

    def listen(self) -> None:
        """From here on SIGINT, SIGTERM and SIGHUP mean: end in order. A second one: at once."""
        for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, self._signalled)

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        self._signals += 1
        self._stop.set()
        if self._signals > 1:
            for child in self._everyone():
                child.strike()

    def _everyone(self) -> list[Child]:
        return [*self.guests, *self.children]

    def check(self) -> None:
        """Raises Interrupted once a signal came."""
        if self._stop.is_set():
            raise Interrupted

    def run(self, each_turn: Callable[[], None] = lambda: None) -> None:
        """Start every child and keep all running; `each_turn` is called about ten times a second."""
        while not self._stop.is_set():
            self._keep_database()
            started = [child.keep(self._say) for child in self.children]
            if any(started):
                self._write_list()
            each_turn()
            self._stop.wait(_LOOK_EVERY)

    def _keep_database(self) -> None:
        if self.database is None or self.database.alive:
            return
        self._say("The database ended; starting it again.")
        try:
            self.database.revive()
        except (Trouble, TimeoutError) as trouble:
            self._say(f"{trouble} Trying again in {BACK_OFF:g} s.")
            self._stop.wait(BACK_OFF)

    def end(self) -> None:
        """End the children together, then the database: they may still write when they leave."""
        for child in self._everyone():
            child.ask_to_end()
        begin = time.monotonic()
        for child in self._everyone():
            self._await(child, begin + child.grace)
        if self.database is not None:
            self.database.stop()
        self._list.unlink(missing_ok=True)

    def _await(self, child: Child, deadline: float) -> None:
        if child.process is None:
            return
        try:
            child.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self._say(f"{child.name} did not end within {child.grace:g} s and was killed.")
        child.kill()

    def _write_list(self) -> None:
        running = {
            str(child.process.pid): " ".join(child.command)
            for child in self._everyone()
            if child.process is not None
        }
        write_private(self._list, json.dumps(running))

    def _recorded(self) -> dict[int, str]:
        """Command lines by process id, as an earlier supervisor wrote them down."""
        try:
            return {int(pid): str(line) for pid, line in json.loads(self._list.read_text()).items()}
        except (FileNotFoundError, ValueError, AttributeError):
            return {}

    def end_left_over(self, grace: float = 10) -> None:
        """End what a killed supervisor left running. Numbers that now mean others are left alone."""
        left = self._recorded()

        def alive() -> list[int]:
            seen = {pid: describe(pid) for pid in left}
            return [
                pid for pid, found in seen.items()
                if found is not None and found[0] not in "ZX" and found[1] == left[pid]
            ]  # fmt: skip

        for sign, seconds in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            for pid in alive():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(pid, sign)
            if until(lambda: not alive(), seconds):
                break
        self._list.unlink(missing_ok=True)
