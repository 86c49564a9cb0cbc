"""What was backed up comes back, whole."""

import os
from pathlib import Path

import psycopg
import pytest

from forum.running.backup import back_up, bring_back
from forum.running.embedded import answering, house_lock
from forum.running.postgres import EmbeddedPostgres, temporary
from forum.running.trouble import Trouble


@pytest.fixture
def media(tmp_path: Path) -> Path:
    folder = tmp_path / "media"
    (folder / "ab").mkdir(parents=True)
    (folder / "ab" / "one.jpg").write_bytes(b"one")
    return folder


def test_what_was_backed_up_comes_back(
    server: EmbeddedPostgres, media: Path, tmp_path: Path
) -> None:
    goal, back = tmp_path / "backup", tmp_path / "back"
    with server, psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (near halfvec(2))")
        connection.execute("INSERT INTO kept VALUES ('[1,2]')")
        assert back_up(server.url(), media, goal) == 1
        (media / "two.jpg").write_bytes(b"two")
        assert back_up(server.url(), media, goal) == 1  # only what is new
        with pytest.raises(Trouble, match="goes into an empty one"):
            bring_back(goal, server.url(), back)
    with temporary() as other:
        assert bring_back(goal, other.url(), back) == 2
        with psycopg.connect(other.url()) as connection:
            assert connection.execute("SELECT near::text FROM kept").fetchall() == [("[1,2]",)]
    assert (back / "ab" / "one.jpg").read_bytes() == b"one"
    assert goal.stat().st_mode & 0o077 == 0


def test_a_folder_without_a_backup_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="holds no database.dump"):
        bring_back(tmp_path, os.environ["DATABASE_URL"], None)


def test_a_backup_that_fails_leaves_the_earlier_one(tmp_path: Path) -> None:
    (tmp_path / "database.dump").write_bytes(b"earlier")
    with pytest.raises(Trouble, match="pg_dump failed"):
        back_up(f"postgres://x@/x?host={tmp_path}", None, tmp_path)
    assert (tmp_path / "database.dump").read_bytes() == b"earlier"


def test_the_running_house_is_backed_up_but_not_overwritten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/forum")
    lock = house_lock(tmp_path)
    lock.take()
    with answering(tmp_path) as url:
        assert url == "postgres://elsewhere/forum"
    with pytest.raises(Trouble, match="already runs"), answering(tmp_path, alone=True):
        pytest.fail("was let in")
    lock.free()


def test_the_embedded_database_is_started_for_the_time_being(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("FORUM_DATABASE_SETTINGS", "shared_buffers=64MB, fsync=off")
    with answering(room) as url, psycopg.connect(url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_a_switch_that_is_no_setting_is_told(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("FORUM_DATABASE_SETTINGS", "much memory")
    with pytest.raises(Trouble, match="not of the form name=value"), answering(room):
        pytest.fail("was started")
