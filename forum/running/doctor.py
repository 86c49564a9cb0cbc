"""What the doctor looks at: one finding for each part, with a hint where something is wrong."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.core import checks
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from forum.announce import CHANNEL
from forum.running import health
from forum.running.binaries import missing_flags
from forum.running.postgres import LEAST_VECTOR
from forum.running.secrets import KEY_FILE

LEAST_POSTGRES = 160000
NEED_DATABASE = {"migrations", "bus", "workers"}
LEAST_KEY = 40  # characters
SHOWN = ("django", "channels", "procrastinate", "psycopg", "pillow", "uvicorn")


@dataclass(frozen=True)
class Finding:
    """One line of the doctor."""

    part: str
    well: bool
    text: str
    hint: str = ""

    def __str__(self) -> str:
        line = f"{'OK  ' if self.well else 'FAIL'}  {self.part:<11} {self.text}"
        return f"{line}\n      {'':<11} → {self.hint}" if self.hint and not self.well else line

    def as_json(self) -> dict[str, Any]:
        """For monitoring."""
        return asdict(self)


def examine() -> list[Finding]:
    """Every part in turn. One that breaks is a finding, not a traceback."""
    found: dict[str, Finding] = {}
    for part, look in PARTS.items():
        if part in NEED_DATABASE and not found["database"].well:
            found[part] = Finding(part, False, "unknown without the database")
        else:
            found[part] = _asked(part, look)
    return list(found.values())


def _asked(part: str, look: Callable[[], tuple[bool, str, str]]) -> Finding:
    try:
        return Finding(part, *look())
    except psycopg.Error as error:
        return Finding(part, False, _first_line(error), "Is the database running? `make run`")
    except Exception as error:  # whatever it is, the other parts still want looking at
        return Finding(part, False, f"{type(error).__name__}: {_first_line(error)}")


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0]


@contextmanager
def _line(url: str) -> Iterator["psycopg.Connection[Any]"]:
    with psycopg.connect(url, connect_timeout=3, autocommit=True) as asked:
        yield asked


def database() -> tuple[bool, str, str]:
    """Server and extension, and whether both are new enough."""
    with _line(settings.DATABASE_URL) as asked:
        row = asked.execute("SELECT extversion FROM pg_extension WHERE extname='vector'").fetchone()
        number, server = asked.info.server_version, asked.info.parameter_status("server_version")
    vector = row[0] if row else "none"
    text = f"PostgreSQL {server}, pgvector {vector}"
    if number < LEAST_POSTGRES:
        return False, text, "PostgreSQL 16 or newer is needed."
    if row is None or tuple(int(n) for n in vector.split(".")) < LEAST_VECTOR:
        least = ".".join(map(str, LEAST_VECTOR))
        return False, text, (
            f"Install pgvector {least} or newer and `CREATE EXTENSION vector`: "
            "below it, vacuum can damage vector indexes."
        )  # fmt: skip
    return True, text, ""


def migrations() -> tuple[bool, str, str]:
    """Whether the tables are those of this version."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return False, f"{len(plan)} not applied, first {plan[0][0]}", "Run `manage.py migrate`."
    return True, f"all {len(executor.loader.applied_migrations)} applied", ""


def bus() -> tuple[bool, str, str]:
    """A word sent to ourselves by the way that changes take."""
    word = f"doctor {os.getpid()}"
    with _line(settings.DIRECT_DATABASE_URL) as ear, _line(settings.DATABASE_URL) as mouth:
        ear.execute(f"LISTEN {CHANNEL}")
        mouth.execute("SELECT pg_notify(%s, %s)", [CHANNEL, word])
        heard = any(n.payload == word for n in ear.notifies(timeout=3, stop_after=1))
    if heard:
        return True, "NOTIFY arrives", ""
    return False, "NOTIFY does not arrive", (
        "A pooler between us and PostgreSQL? Set DIRECT_DATABASE_URL to an address without it."
    )  # fmt: skip


def workers() -> tuple[bool, str, str]:
    """Who makes images at the moment."""
    from generation import queue

    names = [worker.name for worker in queue.workers(within=health.SILENT_AFTER)]
    if names:
        return True, f"{len(names)}: {', '.join(names)}", ""
    return False, "none heard of lately", "Start one: `manage.py worker` (`make run` does)."


def storage() -> tuple[bool, str, str]:
    """Write, read and remove a small file; space that is left."""
    name = default_storage.save("doctor/trial", ContentFile(b"trial"))
    try:
        with default_storage.open(name) as file:
            same = file.read() == b"trial"
    finally:
        default_storage.delete(name)
    if settings.FORUM_S3_BUCKET:
        return same, f"bucket {settings.FORUM_S3_BUCKET} takes files", ""
    folder = Path(default_storage.path(name)).parent
    free = shutil.disk_usage(folder).free // 2**20
    folder.rmdir()
    text = f"{settings.MEDIA_ROOT} takes files, {free} MB free"
    return same and free >= settings.FORUM_FREE_MB, text, (
        f"Uploads stop below {settings.FORUM_FREE_MB} MB (FORUM_FREE_MB). Make room."
    )  # fmt: skip


def secret_key() -> tuple[bool, str, str]:
    """Long enough, and readable by its owner alone."""
    path = Path(settings.FORUM_DATA_DIR) / KEY_FILE
    if len(settings.SECRET_KEY) < LEAST_KEY:
        return (
            False,
            "is short",
            f"Give SECRET_KEY {LEAST_KEY} random characters, or leave it empty.",
        )
    if os.environ.get("SECRET_KEY") or not path.exists():
        return True, "from the environment", ""
    mode = stat.S_IMODE(path.stat().st_mode)
    return mode & 0o077 == 0, f"in {path}, mode {mode:o}", f"Run `chmod 600 {path}`."


def processor() -> tuple[bool, str, str]:
    """Only the bundled database minds: an external one was built for its own machine."""
    missing = missing_flags()
    if not missing or os.environ.get("DATABASE_URL"):
        return (
            True,
            "can run the bundled vector extension" if not missing else "not needed here",
            "",
        )
    return (
        False,
        f"lacks {', '.join(missing)}",
        "Set DATABASE_URL to a server with pgvector >= 0.8.4.",
    )


def mail() -> tuple[bool, str, str]:
    """Nobody needs an address here, so no mail is no fault."""
    if settings.EMAIL_BACKEND.endswith("smtp.EmailBackend") and settings.EMAIL_HOST == "localhost":
        return True, "not set up; nothing needs it", ""
    from django.core.mail import get_connection

    sender = get_connection(fail_silently=False, timeout=5)
    sender.open()
    sender.close()
    return True, f"{settings.EMAIL_HOST} answers", ""


def engines() -> tuple[bool, str, str]:
    """The presets that members can choose, and the one used where none is named."""
    from generation import queue

    names = list(queue.presets())
    known = settings.FORUM_DEFAULT_PRESET in names
    return known, ", ".join(names), (
        f"FORUM_DEFAULT_PRESET is {settings.FORUM_DEFAULT_PRESET!r}, which is none of these."
    )  # fmt: skip


def switches() -> tuple[bool, str, str]:
    """Django's and our own system checks."""
    serious = [found for found in checks.run_checks() if found.is_serious()]
    if serious:
        return False, f"{len(serious)} wrong, first: {serious[0].msg}", serious[0].hint or ""
    return True, "every system check passes", ""


def versions() -> tuple[bool, str, str]:
    """What to write into a report of a fault."""
    named = ", ".join(f"{name} {version(name)}" for name in SHOWN)
    return True, f"Python {sys.version.split()[0]}, {named}", ""


PARTS: dict[str, Callable[[], tuple[bool, str, str]]] = {
    "versions": versions,
    "settings": switches,
    "secret key": secret_key,
    "processor": processor,
    "database": database,
    "migrations": migrations,
    "bus": bus,
    "workers": workers,
    "engines": engines,
    "storage": storage,
    "mail": mail,
}
