"""Run the whole house: `manage.py up`, which `make run` calls."""

import os
import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db.migrations.loader import MigrationLoader

from forum.running import secrets
from forum.running.address import Address, host_header
from forum.running.embedded import embedded, house_lock
from forum.running.supervisor import Child, Interrupted, Supervisor, run_once
from forum.running.trouble import Trouble

WEB_GRACE, WORKER_GRACE = 20.0, 35.0  # seconds; uvicorn's own is 15, the longest batch takes 30


class Command(BaseCommand):
    help = "Start database, web and worker, and keep them running until Ctrl-C."
    requires_system_checks: list[str] = []  # the children check themselves

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="do not fill an empty forum")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = Path(settings.FORUM_DATA_DIR)
        lock = house_lock(folder)
        try:
            address = Address.chosen()
            folder.mkdir(parents=True, exist_ok=True)
            lock.take()
            House(folder, address, self.say, demo=not options["no_demo"]).live()
        except Trouble as trouble:
            self.stderr.write(str(trouble))
            sys.exit(2)
        except Interrupted:
            sys.exit(130)
        except OSError as error:
            self.stderr.write(f"Gegenbild cannot start: {error}")
            sys.exit(2)
        finally:
            lock.free()

    def say(self, text: str) -> None:
        """One line for the operator, at once."""
        self.stdout.write(text)
        self.stdout.flush()


class House:
    """One run of the house, from the database to the last child."""

    def __init__(self, folder: Path, address: Address, say: Any, *, demo: bool) -> None:
        self.folder, self.address, self.say = folder, address, say
        self.external = os.environ.get("DATABASE_URL", "")
        database = None if self.external else embedded(folder)
        self.supervisor = Supervisor(folder, say, database)
        self.wants_demo = demo and os.environ.get("FORUM_DEMO", "yes").lower() not in NO
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
        """Have a database with all tables and an owner; passes its address to the children."""
        if (server := self.supervisor.database) is not None:
            server.start(timeout=600)
            if server.place.notice:
                self.say(server.place.notice)
            os.environ["DATABASE_URL"] = server.url()
            secrets.write_database_url(self.folder, server.url())
        self.supervisor.check()
        if missing := missing_migrations(os.environ["DATABASE_URL"]):
            self.say(f"Preparing {missing} tables and changes to tables.")
            self.manage("migrate", "--noinput", "--verbosity=0")
        self.supervisor.check()
        if not has_owner(os.environ["DATABASE_URL"]):
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
            sys.executable, "-m", "uvicorn", "forum.asgi:application",
            "--app-dir", str(settings.BASE_DIR),
            "--host", self.address.host, "--port", str(self.address.port),
            "--ws-max-size", "65536", "--timeout-graceful-shutdown", "15",
            "--no-access-log", "--log-level", "warning", "--no-server-header",
        ]  # fmt: skip
        if not settings.FORUM_BEHIND_PROXY:  # else anyone on this machine could pretend to be any
            command.append("--no-proxy-headers")
        return Child("web", command, WEB_GRACE)

    def worker(self) -> Child:
        """The light worker with the engines that need no weights."""
        return Child("worker", manage("worker"), WORKER_GRACE)

    def each_turn(self) -> None:
        """Say once where the house is, then fill it if it is new."""
        if not self.answered and self.address.answers(host_header(settings.ALLOWED_HOSTS)):
            self.answered = True
            self.say(f"Gegenbild is at {self.address.url}   (Ctrl-C ends it)")
            if self.wants_demo and (self.folder / "demo-wanted").exists():
                self.demo = Child("demo", manage("demo"), 10)
                self.demo.start()
                self.supervisor.guests.append(self.demo)
        if self.demo is not None and self.demo.process is not None:
            self.see_demo_off(self.demo.process.poll())

    def see_demo_off(self, code: int | None) -> None:
        """The demo runs once; what failed is tried again at the next start."""
        if code is None:
            return
        self.demo = None
        if code == 0:
            (self.folder / "demo-wanted").unlink(missing_ok=True)
        else:
            self.say(f"The demo could not be made (exit code {code}); the next start tries again.")


NO = {"no", "0", "false", "off"}


def manage(*words: str) -> list[str]:
    """The command line of a management command."""
    return [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]


def missing_migrations(url: str) -> int:
    """How many migrations the database lacks. Asks it directly: our settings may predate it."""
    loader = MigrationLoader(None, load=False)
    loader.load_disk()
    rows = ask(url, "SELECT app, name FROM django_migrations")
    return len(set(loader.disk_migrations) - {(str(app), str(name)) for app, name in rows})


def has_owner(url: str) -> bool:
    """Whether somebody runs this instance already."""
    from forum.members.models import Member, Role

    table = Member._meta.db_table
    return bool(ask(url, f"SELECT 1 FROM {table} WHERE role = '{Role.OWNER.value}' LIMIT 1"))


def ask(url: str, question: str) -> list[tuple[Any, ...]]:
    """Rows of one query; none where the table does not exist yet."""
    try:
        with psycopg.connect(url, connect_timeout=10, autocommit=True) as connection:
            return connection.execute(question.encode()).fetchall()
    except psycopg.errors.UndefinedTable:
        return []
    except psycopg.OperationalError as error:
        raise Trouble(f"The database does not answer: {str(error).strip()}") from None
