"""One run of the whole house, from the database to the last child. What `make run` starts.

No Django: it only waits on others, so it should be there at once and stay small.
"""

import hashlib
import json
import os
import sys
import sysconfig
from pathlib import Path
from typing import Any

import psycopg

from forum.running import places, secrets
from forum.running.address import Address
from forum.running.embedded import embedded, house_lock
from forum.running.supervisor import Child, Interrupted, Say, Supervisor, run_once
from forum.running.switches import REFUSES, Switches, WronglySet, require_postgres
from forum.running.trouble import Trouble

BASE = Path(__file__).resolve().parents[2]
WEB_GRACE = 20.0  # seconds; uvicorn's own is 15
WORKER_GRACE = 20.0  # beyond what FORUM_DRAIN_SECONDS lets it wait for what it makes


def main() -> int:
    """Run until a signal comes; the exit code: 2, after one line, where the house cannot be."""
    Switches.read_env(BASE / ".env")
    folder = Path(os.environ.get("FORUM_DATA_DIR") or BASE / "var").absolute()
    lock = house_lock(folder)
    try:
        address = Address.chosen()
        folder.mkdir(parents=True, exist_ok=True)
        lock.take()
        House(folder, address, say).live()
    except Interrupted:
        return 130
    except (Trouble, TimeoutError, WronglySet) as trouble:
        sys.stderr.write(f"{trouble}\n")
        return REFUSES
    except OSError as error:
        sys.stderr.write(f"Gegenbild cannot start: {error}\n")
        return REFUSES
    finally:
        lock.free()
    return 0


def say(text: str) -> None:
    """One line for the operator, at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class House:
    """Database, web, worker, and for a new forum the demo."""

    def __init__(self, folder: Path, address: Address, say: Say) -> None:
        self.folder, self.address, self.say = folder, address, say
        external = os.environ.get("DATABASE_URL")
        if external:
            require_postgres(external)
        self.supervisor = Supervisor(folder, say, None if external else embedded(folder))
        self.answered = False
        self.demo: Child | None = None

    def live(self) -> None:
        """Start, run until a signal comes, end in order."""
        self.supervisor.listen()
        self.supervisor.end_left_over()
        self.address.require_free()
        try:
            self.prepare()
            self.supervisor.children = [self.web(), self.worker()]
            self.supervisor.run(self.each_turn)
            self.say("Ending.")
        finally:
            self.supervisor.end()

    def prepare(self) -> None:
        """Have a database with all tables and an owner, and its address in the environment."""
        if (server := self.supervisor.database) is not None:
            server.start(timeout=600)
            if server.place.notice:
                self.say(server.place.notice)
            os.environ["DATABASE_URL"] = server.url()
            secrets.write_database_url(self.folder, server.url())
        tables = Tables(os.environ["DATABASE_URL"], self.folder / "tables.json")
        self.supervisor.check()
        if not tables.are_current():
            self.say("Preparing the tables.")
            self.manage("migrate", "--noinput", "--verbosity=0")
            tables.remember()
        self.supervisor.check()
        if not tables.have_owner():
            self.manage("owner")
            (self.folder / "demo-wanted").touch()

    def manage(self, *words: str) -> None:
        """Run a command to its end. Raises Trouble when it fails, after what it said itself."""
        code = run_once(manage(*words), {})
        self.supervisor.check()
        if code != 0:
            raise Trouble(f"`manage.py {words[0]}` failed (exit code {code}).")

    def web(self) -> Child:
        """The web process: bounded frames, bounded farewells, no line per request."""
        command = [
            sys.executable, "-m", "uvicorn", "forum.asgi:application", "--app-dir", str(BASE),
            "--host", self.address.host, "--port", str(self.address.port),
            "--ws-max-size", "65536", "--timeout-graceful-shutdown", "15",
            "--no-access-log", "--log-level", "warning", "--no-server-header",
        ]  # fmt: skip
        if not Switches().bool("FORUM_BEHIND_PROXY", False):
            command.append("--no-proxy-headers")  # else anyone on this machine could be anyone
        return Child("web", command, WEB_GRACE)

    def worker(self) -> Child:
        """The worker with the engines that need no weights."""
        waits = Switches().float("FORUM_DRAIN_SECONDS", 600.0)
        return Child("worker", manage("worker"), waits + WORKER_GRACE)

    def each_turn(self) -> None:
        """Say once where the house is, then fill it if it is new."""
        if not self.answered and self.address.answers():
            self.answered = True
            self.say(f"Gegenbild is at {self.address.url}   (Ctrl-C ends it)")
            if self.wants_demo():
                self.demo = Child("demo", manage("demo"), 10)
                self.demo.start()
                self.supervisor.guests.append(self.demo)
        if self.demo is not None and self.demo.process is not None:
            self.see_demo_off(self.demo.process.poll())

    def wants_demo(self) -> bool:
        """A new forum gets one, unless FORUM_DEMO says no."""
        return Switches().bool("FORUM_DEMO", True) and (self.folder / "demo-wanted").exists()

    def see_demo_off(self, code: int | None) -> None:
        """The demo runs once; what failed is tried again at the next start."""
        if code is None:
            return
        self.demo = None
        if code == 0:
            (self.folder / "demo-wanted").unlink(missing_ok=True)
        else:
            self.say(f"The demo could not be made (exit code {code}); the next start tries again.")


def manage(*words: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(BASE / "manage.py"), *words]


class Tables:
    """Whether a database has the tables of this code, known without loading Django.

    `memory` holds which migrations there were after the last `migrate`, and for which code. With
    the same code and all of those in the database there is nothing to do.
    """

    def __init__(self, url: str, memory: Path) -> None:
        self.url, self.memory = url, memory

    def are_current(self) -> bool:
        """Same code as remembered, and everything remembered is applied."""
        try:
            remembered = json.loads(self.memory.read_text())
            wanted = {tuple(pair) for pair in remembered["applied"]}
        except (OSError, ValueError, KeyError, TypeError):
            wanted = set()
        applied = self.applied()  # asked in any case: who cannot be reached should be told now
        return bool(wanted) and remembered.get("code") == code() and wanted <= applied

    def remember(self) -> None:
        """After a successful `migrate`."""
        found = {"code": code(), "applied": sorted(self.applied())}
        places.write_private(self.memory, json.dumps(found))

    def applied(self) -> set[tuple[Any, ...]]:
        """(app, name) of each migration in the database."""
        return set(self._ask("SELECT app, name FROM django_migrations"))

    def have_owner(self) -> bool:
        """Whether somebody runs this instance already."""
        return bool(self._ask("SELECT 1 FROM forum_member WHERE role = 'owner' LIMIT 1"))

    def _ask(self, question: str) -> list[tuple[Any, ...]]:
        try:
            with psycopg.connect(self.url, connect_timeout=10, autocommit=True) as connection:
                return connection.execute(question.encode()).fetchall()
        except psycopg.errors.UndefinedTable:
            return []
        except psycopg.Error as error:
            raise Trouble(f"The database does not answer: {str(error).splitlines()[0]}") from None


def code() -> str:
    """A name for the migrations that this code brings: ours by file, others' by package version."""
    ours = [
        f"{app}/{path.name}"
        for app in ("forum", "generation")
        for path in (BASE / app / "migrations").glob("*.py")
    ]
    others = [path.name for path in Path(sysconfig.get_path("purelib")).glob("*.dist-info")]
    return hashlib.sha256("\n".join(sorted(ours + others)).encode()).hexdigest()
