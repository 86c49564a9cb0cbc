"""What the data folder knows: the secret key, and where the embedded database listens. No Django."""

import os
import secrets
from pathlib import Path

from forum.running.places import write_private

KEY_FILE = "secret-key"
URL_FILE = "database-url"


def secret_key(folder: Path) -> str:
    """The instance's secret key; made on first use, readable by its owner alone."""
    path = folder / KEY_FILE
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f"{KEY_FILE}.{os.getpid()}"
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))
    try:
        os.link(aside, path)  # the first of two processes wins; the other reads its key
    except FileExistsError:
        pass
    finally:
        aside.unlink()
    return path.read_text().strip()


def database_url(folder: Path) -> str:
    """Where the embedded database of this folder listens, as its supervisor wrote it down."""
    try:
        return (folder / URL_FILE).read_text().strip()
    except OSError:
        return "postgres:///forum"


def write_database_url(folder: Path, url: str) -> None:
    """Leave the address, password included, for commands run beside the supervisor."""
    folder.mkdir(parents=True, exist_ok=True)
    write_private(folder / URL_FILE, f"{url}\n")
