"""The embedded PostgreSQL: a supervised child of this process that never outlives it.

Knows nothing of Django: it starts before there are settings.
"""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

from forum.running import binaries, places
from forum.running.processes import Lock, bound_to_parent, runs, until
from forum.running.trouble import Trouble

LEAST_VECTOR = (0, 8, 4)  # below it, vacuum could corrupt HNSW indexes
DATABASE = "forum"
DEFAULT_SETTINGS: Mapping[str, str] = {
    "shared_buffers": "256MB",
    "maintenance_work_mem": "256MB",  # an HNSW graph that does not fit is built many times slower
    "max_connections": "100",
    "jit": "off",
    # Statements and refused rows hold what members typed: the server's log names neither.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
# Nothing is lost that a test would miss, and the disk is left alone.
FOR_TESTS: Mapping[str, str] = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "64MB",
}
_LOG_LIMIT = 10_000_000  # bytes
_CRASHED = (
    "The vector extension ended the database server: this processor lacks something it needs. "
    "Use a PostgreSQL server with pgvector >= 0.8.4 built for it, and set DATABASE_URL."
)


class EmbeddedPostgres:
    """One PostgreSQL server with its data in `folder`, reached by a private socket only.

    `os_user` names the unprivileged user when root starts it (default: the owner of existing
    data, else `nobody`). `settings` are PostgreSQL's own, added to DEFAULT_SETTINGS.
    """

    def __init__(
        self,
        folder: Path,
        *,
        os_user: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = Path(folder).absolute()
        self.os_user = os_user
        self.settings = {**DEFAULT_SETTINGS, **(settings or {})}
        self.vector_version = ""
        self.process: subprocess.Popen[bytes] | None = None
        self._place: places.Place | None = None
        self._lock = Lock(
            self.folder / "lock",
            f"Another process ({{pid}}) already runs the database in {self.folder}. End it first, "
            "or choose another FORUM_DATA_DIR.",
        )

    @property
    def place(self) -> places.Place:
        """Where everything lies. Only after start()."""
        if self._place is None:
            raise RuntimeError("the database has not been started")
        return self._place

    def start(self, timeout: float = 60) -> Self:
        """Start the server and wait until it answers, with the vector extension.

        Recovery after a crash belongs to the start: give large databases more than 60 s.
        Raises Trouble when it cannot run here, TimeoutError when it is not ready in time.
        """
        binaries.require_processor()
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock.take()
        try:
            self._place = places.settle(self.folder, self.os_user)
            self._initialise()
            self._end_left_over()
            self._launch(time.monotonic() + timeout)
            self._prepare()
        except BaseException:
            self.stop()
            raise
        return self

    @property
    def alive(self) -> bool:
        """Whether the server process runs. It may be recovering from a crash of a backend."""
        return self.process is not None and self.process.poll() is None

    def revive(self, timeout: float = 600) -> None:
        """Start the server again after it ended by itself; it recovers its data first.

        Raises Trouble or TimeoutError as start() does; the folder stays ours.
        """
        self._end_left_over()
        self._launch(time.monotonic() + timeout)

    def stop(self, grace: float = 30) -> None:
        """Fast shutdown: sessions are cut, data written. Harmless when nothing runs."""
        if (process := self.process) is not None:
            self.process = None
            for sign, seconds in (
                (signal.SIGINT, grace),
                (signal.SIGQUIT, 5.0),
                (signal.SIGKILL, 5.0),
            ):
                process.send_signal(sign)
                try:
                    process.wait(seconds)
                    break
                except subprocess.TimeoutExpired:
                    continue
        if self._place is not None and self._lock.held:
            places.drop_socket_folder(self._place.home)
        self._lock.free()

    def remove(self) -> None:
        """Stop the server and delete its folder with everything in it. For tests and trials."""
        self.stop()
        for folder in {self.folder, places.home_of(self.folder)}:
            shutil.rmtree(folder, ignore_errors=True)

    def dsn(self, database: str = DATABASE) -> str:
        """Connection words for psycopg."""
        return places.dsn(self.place.home, database)

    def url(self, database: str = DATABASE) -> str:
        """Address of `database`, usable as DATABASE_URL."""
        return places.database_url(self.folder, database)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _child_options(self) -> dict[str, Any]:
        """The server's user, no variables of ours that could steer it, a folder it can enter."""
        keep = {k: v for k, v in os.environ.items() if k in {"PATH", "TZ", "TMPDIR"}}
        options: dict[str, Any] = {
            "env": {**keep, "LC_ALL": "C"},
            "cwd": "/",
            "umask": 0o077,
            "stdin": subprocess.DEVNULL,
        }
        user = self.place.user
        return options if user is None else {**options, **user.popen_options()}

    def _initialise(self) -> None:
        """Make the cluster, aside first: a start that is killed leaves no half of one."""
        place = self.place
        if (place.data / "PG_VERSION").exists():
            return
        unfinished = place.home / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        places.give(unfinished, place.user)
        word = places.write_private(place.home / "password.once", places.password(place.home))
        places.give(word, place.user)
        try:
            self._run_initdb(unfinished, word)
        finally:
            word.unlink()
        unfinished.rename(place.data)

    def _run_initdb(self, data: Path, word: Path) -> None:
        command = [
            str(self.place.bin / "initdb"), "-D", str(data), "-U", "forum", f"--pwfile={word}",
            "--auth-local=scram-sha-256", "--auth-host=scram-sha-256", "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--no-instructions", "--no-sync",
        ]  # fmt: skip
        if self.settings.get("fsync") != "off":
            command.remove("--no-sync")
        made = subprocess.run(
            command, check=False, capture_output=True, text=True, **self._child_options()
        )
        if made.returncode != 0:
            raise Trouble(f"The database could not be made: {_last_line(made.stderr)}")

    def _end_left_over(self) -> None:
        """A server left by a killed supervisor is stopped; a pid file of the dead is removed.

        PostgreSQL itself refuses to start while the number in the file belongs to any process of
        its user: after a restart of a container that is often an innocent one, or a zombie.
        """
        pidfile = self.place.data / "postmaster.pid"
        pid, ours = _first_number(pidfile), ("postgres", str(self.place.data))
        if pid is not None and runs(pid, *ours):
            os.kill(pid, signal.SIGINT)
            if not until(lambda: not runs(pid, *ours), 60):
                raise Trouble(f"An earlier database server (process {pid}) does not end.")
        pidfile.unlink(missing_ok=True)

    def _launch(self, deadline: float) -> None:
        socket = places.make_socket_folder(self.place)
        command = [
            str(self.place.bin / "postgres"), "-D", str(self.place.data), "-k", str(socket),
            "-h", "", "-p", str(places.PORT), "-c", "unix_socket_permissions=0700",
        ]  # fmt: skip
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        self._turn_log()
        while not self._try_launch(command, deadline):
            time.sleep(0.2)

    def _try_launch(self, command: list[str], deadline: float) -> bool:
        """False when backends of a killed server still hold its memory: they end in a moment."""
        begin = self.place.log.stat().st_size if self.place.log.exists() else 0
        with open(self.place.log, "ab", opener=_private) as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT,
                process_group=0, preexec_fn=bound_to_parent(signal.SIGINT),
                **self._child_options(),
            )  # fmt: skip
        while not self._ready():
            late = time.monotonic() > deadline
            if self.process.poll() is not None:
                said = self.place.log.read_bytes()[begin:].decode(errors="replace")
                if "still in use" in said and not late:
                    return False
                raise Trouble(f"The database server ended: {_last_line(said)}")
            if late:
                raise TimeoutError(f"the database was not ready in time; see {self.place.log}")
            time.sleep(0.02)
        return True

    def _ready(self) -> bool:
        """PostgreSQL writes its state into line 8 of its pid file; asking costs no process."""
        try:
            lines = (self.place.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        mine = self.process is not None and lines[:1] == [str(self.process.pid)]
        return mine and len(lines) > 7 and lines[7].strip() == "ready"

    def _turn_log(self) -> None:
        log = self.place.log
        if log.exists() and log.stat().st_size > _LOG_LIMIT:
            log.replace(log.with_name("log.1"))

    def _prepare(self) -> None:
        """Make our database and the extension; try a distance where nothing can be lost."""
        try:
            with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
                self.vector_version = prepare_vector(connection)
                known = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
                ).fetchone()
                if known is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
            with psycopg.connect(self.dsn(), autocommit=True) as connection:
                prepare_vector(connection)
        except psycopg.OperationalError as error:
            said = self.place.log.read_text(errors="replace")[-4000:]
            if "signal 4" in said:
                raise Trouble(_CRASHED) from None
            raise Trouble(f"The database does not let us in: {_last_line(str(error))}") from error


@contextmanager
def temporary(settings: Mapping[str, str] | None = None) -> Iterator[EmbeddedPostgres]:
    """A server for the length of a with-block, without a trace afterwards.

    Its folder may be entered by others, as temporary folders usually may not: when root starts
    it, the server runs as another user, who must get there.
    """
    folder = Path(tempfile.mkdtemp(prefix="gegenbild-"))
    folder.chmod(0o711)
    server = EmbeddedPostgres(folder / "postgres", settings={**FOR_TESTS, **(settings or {})})
    try:
        yield server.start()
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


def prepare_vector(connection: "psycopg.Connection[Any]") -> str:
    """Have pgvector >= 0.8.4 in this database and compute a distance; give its version.

    Raises Trouble below that version. A processor that lacks an instruction ends the backend
    here (signal 4): psycopg.OperationalError.
    """
    connection.execute("CREATE EXTENSION IF NOT EXISTS vector")
    connection.execute("ALTER EXTENSION vector UPDATE")
    row = connection.execute(
        "SELECT extversion, array_fill(0.5, ARRAY[64])::vector <=> array_fill(1, ARRAY[64])::vector,"
        " array_fill(0.5, ARRAY[64])::vector::halfvec <=> array_fill(1, ARRAY[64])::vector::halfvec"
        " FROM pg_extension WHERE extname = 'vector'"
    ).fetchone()
    version = str(row[0]) if row else ""
    if tuple(int(n) for n in re.findall(r"\d+", version)) < LEAST_VECTOR:
        raise Trouble(f"The vector extension is {version or 'missing'}; 0.8.4 or newer is needed.")
    return version


def _private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)


def _first_number(path: Path) -> int | None:
    try:
        return int(path.read_text().split()[0])
    except (FileNotFoundError, ValueError, IndexError):
        return None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = [line for line in lines if "FATAL" in line or "error:" in line]
    return (fatal or lines or ["it said nothing"])[-1]
