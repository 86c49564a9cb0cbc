"""The embedded database: how it starts, who may come in, and what it survives."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import environ
import psycopg
import pytest

from forum.running import places, postgres
from forum.running.postgres import FOR_TESTS, EmbeddedPostgres, prepare_vector, temporary
from forum.running.processes import runs, until
from forum.running.trouble import Trouble
from tests.running.conftest import ROOT

HOLDER = """
import sys, time
from pathlib import Path
import psycopg
from forum.running.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), settings={"shared_buffers": "64MB"}).start()
with psycopg.connect(server.url(), autocommit=True) as c:
    c.execute("CREATE TABLE kept (n int)")
    c.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    print(server.process.pid, flush=True)
    time.sleep(300)
"""


def rows(server: EmbeddedPostgres, question: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        return connection.execute(question.encode()).fetchall()


def fill(server: EmbeddedPostgres) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")


def kept(server: EmbeddedPostgres) -> bool:
    return rows(server, "SELECT count(*) FROM kept") == [(1000,)]


def test_it_starts_from_nothing_and_serves_vectors(server: EmbeddedPostgres) -> None:
    server.start()
    assert rows(server, "SELECT '[1,0]'::halfvec(2) <-> '[1,1]'::halfvec(2)") == [(1.0,)]
    assert rows(server, "SELECT upper('straße żółć'), lower('ÀÉ')") == [("STRAßE ŻÓŁĆ", "àé")]
    assert tuple(int(n) for n in server.vector_version.split(".")) >= (0, 8, 4)
    assert kept_private(server)


def kept_private(server: EmbeddedPostgres) -> bool:
    """Nothing listens on the network and nobody else can read a thing."""
    assert rows(server, "SHOW listen_addresses") == [("",)]
    modes = {
        name: stat.S_IMODE((server.place.home / name).stat().st_mode)
        for name in ("data", "socket", "password", "log", "lock")
    }
    assert modes == {"data": 0o700, "socket": 0o700, "password": 0o600, "log": 0o600, "lock": 0o600}
    return True


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    server.start()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn() + " password=guess")


def test_it_needs_neither_django_nor_numpy() -> None:
    code = "import sys, forum.running.postgres; print({'django', 'numpy'} & set(sys.modules))"
    environment = {k: v for k, v in os.environ.items() if k != "DJANGO_SETTINGS_MODULE"}
    said = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "set()"


def test_data_stay_through_stop_and_start(server: EmbeddedPostgres) -> None:
    server.start()
    fill(server)
    server.stop()
    assert not server.alive
    server.start()
    assert kept(server)


def test_it_runs_in_a_process_group_of_its_own(server: EmbeddedPostgres) -> None:
    """Ctrl-C must reach web and worker before the database."""
    server.start()
    assert server.process is not None
    assert os.getpgid(server.process.pid) == server.process.pid != os.getpgid(0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells children of a parent's death")
def test_killing_the_supervisor_ends_it_and_loses_nothing(server: EmbeddedPostgres) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(server.folder)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    pid = int(holder.stdout.readline())
    holder.kill()
    holder.wait()
    holder.stdout.close()
    assert until(lambda: not runs(pid, "postgres"), 20)
    server.start()
    assert kept(server)


def test_killing_the_postmaster_loses_nothing(server: EmbeddedPostgres) -> None:
    server.start()
    fill(server)
    assert server.process is not None
    server.process.kill()
    server.process.wait()
    assert not server.alive
    server.revive(timeout=60)
    assert kept(server)


def test_killing_a_backend_lets_others_in_again(server: EmbeddedPostgres) -> None:
    server.start()
    fill(server)
    victim = psycopg.connect(server.url(), autocommit=True)
    os.kill(victim.info.backend_pid, signal.SIGKILL)

    def back() -> bool:
        try:
            return kept(server)
        except psycopg.OperationalError:
            return False

    assert until(back, 20)
    assert server.alive
    victim.close()


def test_a_second_supervisor_is_refused(server: EmbeddedPostgres) -> None:
    server.start()
    second = EmbeddedPostgres(server.folder)
    with pytest.raises(Trouble, match=f"process .{os.getpid()}. already runs"):
        second.start()
    second.stop()
    assert server.alive
    assert rows(server, "SELECT 1") == [(1,)]


def test_a_pid_file_that_names_a_bystander_is_no_obstacle(
    server: EmbeddedPostgres, bystander: "subprocess.Popen[bytes]"
) -> None:
    """After a container restart the old number usually belongs to somebody else."""
    leave_pid_file(server, str(bystander.pid))
    server.start()
    assert bystander.poll() is None
    assert rows(server, "SELECT 1") == [(1,)]


def test_a_pid_file_that_names_a_zombie_is_no_obstacle(server: EmbeddedPostgres) -> None:
    zombie = subprocess.Popen(["true"])
    assert until(lambda: not runs(zombie.pid), 5)
    leave_pid_file(server, str(zombie.pid))
    server.start()
    zombie.wait()
    assert rows(server, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("content", ["", "no number\n", "999999999\n"])
def test_a_broken_pid_file_is_no_obstacle(server: EmbeddedPostgres, content: str) -> None:
    leave_pid_file(server, content)
    server.start()
    assert rows(server, "SELECT 1") == [(1,)]


def leave_pid_file(server: EmbeddedPostgres, content: str) -> None:
    """As after a crash: a cluster that was stopped, and a pid file that stayed."""
    server.start()
    data, owner = server.place.data, server.place.data.stat()
    server.stop()
    shmem = "\n".join([content.strip(), str(data), "1700000000", "5432", "", "", "1 1", "ready"])
    (data / "postmaster.pid").write_text(shmem if content.strip() else "")
    os.chown(data / "postmaster.pid", owner.st_uid, owner.st_gid)


def test_a_server_left_running_is_stopped_first(server: EmbeddedPostgres) -> None:
    """Where the system does not end children with their parent, the next start does."""
    server.start()
    fill(server)
    place = server.place
    server.stop()
    rights = place.user.popen_options() if place.user else {}
    left = subprocess.Popen(
        [place.bin / "postgres", "-D", place.data, "-k", place.home / "socket", "-h", ""],
        cwd="/", stderr=subprocess.DEVNULL, **rights,
    )  # fmt: skip
    pidfile = place.data / "postmaster.pid"
    assert until(lambda: pidfile.exists() and "ready" in pidfile.read_text(), 20)
    server.start()
    assert left.wait(5) == 0
    assert kept(server)


def test_a_start_that_was_killed_while_making_the_cluster(server: EmbeddedPostgres) -> None:
    (server.folder / "data.unfinished").mkdir(parents=True)
    (server.folder / "data.unfinished" / "PG_VERSION").write_text("18\n")
    server.start()
    assert rows(server, "SELECT 1") == [(1,)]
    assert not (server.folder / "data.unfinished").exists()


def test_a_setting_that_postgres_refuses_is_one_sentence(server: EmbeddedPostgres) -> None:
    server.settings["shared_buffers"] = "plenty"
    with pytest.raises(Trouble, match="ended: .*shared_buffers"):
        server.start()
    server.settings["shared_buffers"] = "64MB"
    server.start()  # the folder was let go
    assert rows(server, "SELECT 1") == [(1,)]


def test_long_paths_get_a_short_private_socket_folder(room: Path) -> None:
    folder = room / ("long-" * 30) / ("name-" * 20)
    with EmbeddedPostgres(folder, settings=FOR_TESTS) as server:
        note = server.place.home / "socket-folder"
        socket = Path(note.read_text().strip())
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        assert rows(server, "SELECT 1") == [(1,)]
    assert not socket.exists()


@pytest.mark.parametrize("name", ["my forum", "100% a+b", "it's 对影"])
def test_any_name_of_a_folder_will_do(room: Path, name: str) -> None:
    server = EmbeddedPostgres(room / name / "postgres", settings=FOR_TESTS)
    try:
        server.start()
        fill(server)
        assert kept(server)
        read_by_django = environ.Env().db_url_config(server.url())
        assert read_by_django["OPTIONS"]["host"] == str(places.socket_folder(server.place.home))
    finally:
        server.stop()


def test_a_socket_folder_that_others_can_enter_is_not_used(room: Path) -> None:
    folder = room / ("long-" * 30)
    trap = room / "trap"
    trap.mkdir()
    trap.chmod(0o777)
    folder.mkdir()
    (folder / "socket-folder").write_text(f"{trap}\n")
    with EmbeddedPostgres(folder, settings=FOR_TESTS) as server:
        assert rows(server, "SELECT 1") == [(1,)]
        assert not list(trap.iterdir())


def test_a_temporary_server_leaves_nothing() -> None:
    with temporary() as server:
        folder = server.folder
        assert rows(server, "SHOW fsync") == [("off",)]
    assert not folder.parent.exists()


def test_an_extension_below_our_limit_is_refused(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    monkeypatch.setattr(postgres, "LEAST_VECTOR", (99,))
    with (
        psycopg.connect(server.url(), autocommit=True) as connection,
        pytest.raises(Trouble, match="vector extension is 0.*newer is needed"),
    ):
        prepare_vector(connection)


def test_it_must_be_started_from_the_main_thread(server: EmbeddedPostgres) -> None:
    """The bond between parent and child is one between threads: elsewhere it would break early."""
    import threading

    caught: list[BaseException] = []

    def begin() -> None:
        try:
            server.start()
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=begin)
    thread.start()
    thread.join()
    assert "main thread" in str(caught[0])
    assert not server.alive


def test_the_settings_for_tests_are_real_ones(room: Path) -> None:
    with EmbeddedPostgres(room / "postgres", settings=FOR_TESTS) as server:
        for name, value in FOR_TESTS.items():
            assert rows(server, f"SHOW {name}") == [(value,)]


def test_root_never_runs_it_as_root(server: EmbeddedPostgres) -> None:
    server.start()
    assert server.process is not None
    status = Path(f"/proc/{server.process.pid}/status")
    if not ROOT or not status.exists():
        pytest.skip("needs root and /proc")
    lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
    assert set(lines["Uid"].split()) == {"65534"}
    assert "0" not in lines["Groups"].split()
