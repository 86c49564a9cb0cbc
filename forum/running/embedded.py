"""The embedded database of a data folder, with the operator's switches."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forum.running import secrets
from forum.running.postgres import EmbeddedPostgres
from forum.running.processes import Lock
from forum.running.trouble import Trouble


def embedded(folder: Path) -> EmbeddedPostgres:
    """The database of the data folder `folder`; not started. Raises Trouble for wrong switches."""
    chosen = os.environ.get("FORUM_DATABASE_SETTINGS", "")
    pairs = [pair.partition("=") for pair in chosen.split(",") if pair.strip()]
    if wrong := [name for name, equals, _ in pairs if not equals]:
        raise Trouble(f"FORUM_DATABASE_SETTINGS: {wrong[0]!r} is not of the form name=value.")
    return EmbeddedPostgres(
        folder / "postgres",
        os_user=os.environ.get("FORUM_DATABASE_OS_USER") or None,
        settings={name.strip(): value.strip() for name, _, value in pairs},
    )


def house_lock(folder: Path) -> Lock:
    """What keeps a second house out of the same data folder."""
    return Lock(
        folder / "lock",
        f"Gegenbild already runs with the data in {folder} (process {{pid}}). "
        "End it first, or choose another FORUM_DATA_DIR.",
    )


@contextmanager
def answering(folder: Path, *, alone: bool = False) -> Iterator[str]:
    """Address of a database that answers: the external one, the running one, or started for now.

    `alone` refuses, with Trouble, while the house runs on it.
    """
    lock = house_lock(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.take()
    except Trouble:
        if alone:
            raise
        yield os.environ.get("DATABASE_URL") or secrets.database_url(folder)
        return
    try:
        if external := os.environ.get("DATABASE_URL"):
            yield external
        else:
            with embedded(folder) as server:
                secrets.write_database_url(folder, server.url())
                yield server.url()
    finally:
        lock.free()
