"""Starts the embedded PostgreSQL for a test run, before Django reads its settings.

A plugin rather than a fixture, because pytest-django loads the settings first. With DATABASE_URL
set, that server is used instead.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from forum.running.postgres import EmbeddedPostgres

#: Durability is not what most tests are about; the fault tests start servers of their own.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def start() -> None:
    """Start a server in a folder of its own and point the settings at it."""
    folder = Path(tempfile.mkdtemp(prefix="gegenbild-test-"))
    os.chmod(folder, 0o755)
    server = EmbeddedPostgres(folder / "postgres", settings=FAST)
    server.start()
    os.environ["DATABASE_URL"] = server.url("postgres")
    os.environ["FORUM_DATA_DIR"] = str(folder / "data")

    def stop() -> None:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)


os.environ.setdefault("SECRET_KEY", "a key for tests alone, and long enough")
if "DATABASE_URL" not in os.environ:
    start()
