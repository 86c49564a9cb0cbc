"""Backups: the database first, then the files.

In this order every file that the dump speaks of is in the copy: files are never changed, and new
ones come with rows that the dump does not know. Spare files do no harm.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from forum.running.binaries import bin_folder
from forum.running.trouble import Trouble

DUMP, MEDIA = "database.dump", "media"


def _run(program: str, url: str, *words: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by environment, not by command line."""
    parts = conninfo_to_dict(url)
    word = str(parts.pop("password", "") or "")
    command = [str(bin_folder() / program), "--dbname", make_conninfo("", **parts), *words]
    environment = {**os.environ, "PGPASSWORD": word}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise Trouble(f"{program} failed: {said[0] if said else 'it said nothing'}")


def back_up(url: str, media: Path | None, goal: Path) -> int:
    """Write database and files into `goal`; an earlier backup there is brought up to date.

    `media` is None where files lie in a bucket. Gives the number of files copied.
    """
    goal.mkdir(parents=True, exist_ok=True)
    goal.chmod(0o700)  # what is private in the forum is private here
    unfinished = goal / f"{DUMP}.unfinished"
    _run("pg_dump", url, "--format=custom", "--no-owner", "--file", str(unfinished))
    unfinished.replace(goal / DUMP)
    return 0 if media is None else copy_new(media, goal / MEDIA)


def copy_new(source: Path, goal: Path) -> int:
    """Copy what is not there yet, each file whole or not at all. Gives their number."""
    copied = 0
    for path in sorted(source.rglob("*")) if source.is_dir() else []:
        there = goal / path.relative_to(source)
        if not path.is_file() or (there.exists() and there.stat().st_size == path.stat().st_size):
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        unfinished = there.with_name(there.name + ".unfinished")
        try:
            shutil.copy2(path, unfinished)
        except FileNotFoundError:  # removed while we copied, by somebody who may
            continue
        unfinished.replace(there)
        copied += 1
    return copied


def bring_back(source: Path, url: str, media: Path | None) -> int:
    """Fill an empty database and the media folder from a backup. Gives the number of files.

    Raises Trouble, with nothing changed, for a folder without a backup and for a database in which
    somebody lives already.
    """
    dump = source / DUMP
    if not dump.is_file():
        raise Trouble(f"{source} holds no {DUMP}.")
    if _inhabited(url):
        raise Trouble("There are tables in this database already; a backup goes into an empty one.")
    _run(
        "pg_restore", url, "--no-owner", "--no-privileges", "--single-transaction",
        "--exit-on-error", str(dump),
    )  # fmt: skip
    return 0 if media is None else copy_new(source / MEDIA, media)


def _inhabited(url: str) -> bool:
    with _connected(url) as connection:
        found = connection.execute(
            "SELECT 1 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relkind = 'r' AND n.nspname = 'public' LIMIT 1"
        ).fetchone()
    return found is not None


@contextmanager
def _connected(url: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise Trouble(f"The database does not answer: {str(error).strip()}") from None
