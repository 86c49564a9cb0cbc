"""Whether `migrate` is needed, known without Django."""

import os
from pathlib import Path

import psycopg
import pytest

from forum.running import house
from forum.running.house import Tables
from forum.running.postgres import EmbeddedPostgres
from forum.running.trouble import Trouble


def applied(server: EmbeddedPostgres, *names: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS django_migrations")
        connection.execute("CREATE TABLE django_migrations (app text, name text)")
        for name in names:
            connection.execute("INSERT INTO django_migrations VALUES ('forum', %s)", [name])


def test_tables_are_current_only_for_the_same_code_and_database(
    server: EmbeddedPostgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.start()
    tables = Tables(server.url(), tmp_path / "tables.json")
    assert not tables.are_current()  # nothing there at all
    assert not tables.have_owner()
    applied(server, "0001", "0002")
    assert not tables.are_current()  # nothing remembered
    tables.remember()
    assert tables.are_current()
    applied(server, "0001", "0002", "0003_of_a_newer_version")
    assert tables.are_current()
    applied(server, "0001")  # another database
    assert not tables.are_current()
    applied(server, "0001", "0002")
    monkeypatch.setattr(house, "code", lambda: "newer")
    assert not tables.are_current()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"applied": 3}'])
def test_a_broken_memory_means_looking_again(tmp_path: Path, content: str) -> None:
    (tmp_path / "tables.json").write_text(content)
    assert not Tables(os.environ["DATABASE_URL"], tmp_path / "tables.json").are_current()


def test_a_database_that_does_not_answer_is_said_in_one_line(tmp_path: Path) -> None:
    tables = Tables(f"postgres://x@/x?host={tmp_path}", tmp_path / "tables.json")
    with pytest.raises(Trouble, match="does not answer") as caught:
        tables.are_current()
    assert "\n" not in str(caught.value)


def test_the_code_is_named_by_its_migrations(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "forum" / "migrations").mkdir(parents=True)
    monkeypatch.setattr(house, "BASE", tmp_path)
    before = house.code()
    assert house.code() == before
    (tmp_path / "forum" / "migrations" / "0009_more.py").touch()
    assert house.code() != before
