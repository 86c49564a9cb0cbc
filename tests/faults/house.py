"""A whole house of its own for tests that break things: `manage.py up` in a folder and on a port."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from forum.running import secrets
from forum.running.places import home_of
from forum.running.processes import runs, until

ROOT = Path(__file__).resolve().parents[2]
#: How a process is known by its command line.
MARKS = {"web": "forum.asgi:application", "worker": "manage.py worker", "demo": "manage.py demo"}
NAMES = ("web", "worker", "database")


def free_port() -> int:
    """A port that nobody listened on a moment ago."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def busy() -> float:
    """How many times longer everything takes because others use this machine; 1 when idle."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class House:
    """One instance: database, web and worker under the real supervisor."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gegenbild-house-"))
        self.folder.chmod(0o755)  # the database's user must come through
        self.data, self.log = self.folder / "var", self.folder / "log"
        self.port = free_port()
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("FORUM_") and name not in {"DATABASE_URL", "SECRET_KEY"}
        }
        self.environment = {
            **inherited,
            "FORUM_DATA_DIR": str(self.data),
            "PORT": str(self.port),
            "FORUM_DEMO": "no",
            "FORUM_FREE_MB": "0",
            "FORUM_DATABASE_SETTINGS": "shared_buffers=64MB,fsync=off",
            **(environment or {}),
        }
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where the web process answers, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    # --- start and end ---------------------------------------------------------------------------

    def start(self, seconds: float = 90) -> float:
        """Start and wait until /healthz answers 200. Gives the seconds that took."""
        begin = time.monotonic()
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(ROOT / "manage.py"), "up"],
                env=self.environment, stdout=log, stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        self.wait_until_well(seconds)
        return time.monotonic() - begin

    def wait_until_well(self, seconds: float = 60) -> None:
        """Until /healthz answers 200, and not of a moment ago; fails with the log otherwise."""
        assert self.process is not None

        def settled() -> bool:
            well = self.health()[0] == 200 and self.database_answers()
            return well or self.process.poll() is not None  # type: ignore[union-attr]

        assert until(settled, seconds, 0.1), f"not well: {self.health()}\n{self.said()}"
        assert self.process.poll() is None, f"ended:\n{self.said()}"

    def end(self, sign: signal.Signals = signal.SIGINT, seconds: float = 60) -> int:
        """Send the supervisor a signal and wait for it. Gives its exit code."""
        assert self.process is not None
        self.process.send_signal(sign)
        return self.process.wait(seconds)

    def remove(self) -> None:
        """End what runs and delete everything."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.end(signal.SIGTERM)
        for pid in self.pids().values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for folder in {self.folder, home_of(self.data / "postgres")} - {self.data / "postgres"}:
            shutil.rmtree(folder, ignore_errors=True)

    # --- its processes ---------------------------------------------------------------------------

    def pids(self) -> dict[str, int]:
        """Ids of the processes that live at this moment, by name."""
        found: dict[str, int] = {}
        with contextlib.suppress(OSError, ValueError):
            for pid, command in json.loads((self.data / "processes.json").read_text()).items():
                found |= {name: int(pid) for name, mark in MARKS.items() if mark in command}
        with contextlib.suppress(OSError, ValueError, IndexError):
            pidfile = home_of(self.data / "postgres") / "data" / "postmaster.pid"
            found["database"] = int(pidfile.read_text().split()[0])
        return {name: pid for name, pid in found.items() if runs(pid)}

    def signal(self, name: str, sign: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to "web", "worker" or "database". Gives the id it had."""
        pid = self.pids()[name]
        os.kill(pid, sign)
        return pid

    def wait_for_another(self, name: str, than: int, seconds: float = 30) -> int:
        """Until `name` runs under another id than `than`. Gives the new one."""
        assert until(lambda: self.pids().get(name, than) != than, seconds, 0.1), self.said()
        return self.pids()[name]

    # --- ways in ---------------------------------------------------------------------------------

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        """Status and body of a GET; status 0 when nobody listens."""
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read()
        except OSError:
            return 0, b""

    def health(self) -> tuple[int, Any]:
        """Status and body of /healthz."""
        status, body = self.get("/healthz")
        with contextlib.suppress(ValueError):
            return status, json.loads(body)
        return status, None

    def connect(self) -> "psycopg.Connection[Any]":
        """A connection to the house's database, each statement on its own."""
        return psycopg.connect(secrets.database_url(self.data), autocommit=True)

    def database_answers(self) -> bool:
        """Whether the database lets us in."""
        try:
            return self.ask("SELECT 1") == [(1,)]
        except psycopg.Error:
            return False

    def ask(self, question: str) -> list[tuple[Any, ...]]:
        """Rows of one query."""
        with self.connect() as connection:
            return connection.execute(question.encode()).fetchall()

    def manage(self, *words: str, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
        """Run a management command on this house."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *words],
            env=self.environment, capture_output=True, text=True, timeout=timeout, check=False,
        )  # fmt: skip

    def audit(self) -> str:
        """What `manage.py audit --strict` complains of; empty when all is in order."""
        found = self.manage("audit", "--strict")
        return "" if found.returncode == 0 else found.stdout + found.stderr

    def token(self, username: str = "owner") -> str:
        """A new API token of a member."""
        made = self.manage("token", username)
        assert made.returncode == 0, made.stderr
        return made.stdout.split()[-1]

    def wait_until_quiet(self, seconds: float = 120) -> None:
        """Until no job waits or runs."""
        busy = "SELECT count(*) FROM generation_job WHERE state IN ('waiting', 'running')"

        def quiet() -> bool:
            with contextlib.suppress(psycopg.Error):
                return self.ask(busy) == [(0,)]
            return False

        assert until(quiet, seconds, 0.2), self.said()

    def said(self) -> str:
        """The end of what the house wrote."""
        return self.log.read_text(errors="replace")[-6000:] if self.log.exists() else ""
