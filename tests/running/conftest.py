import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from forum.running import places
from forum.running.postgres import FOR_TESTS, EmbeddedPostgres

ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not ROOT, reason="only root can change to another user")

# Killing processes loses nothing that the system has been given: no need of fsync.
KILLABLE = {**FOR_TESTS, "synchronous_commit": "on"}


@pytest.fixture
def room() -> Iterator[Path]:
    """An empty folder that other users may pass, as pytest's own may not be."""
    folder = Path(tempfile.mkdtemp(prefix="gb-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def system(room: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for /var/lib/gegenbild."""
    monkeypatch.setattr(places, "SYSTEM_PLACE", room / "system")
    return room / "system"


@pytest.fixture
def server(room: Path) -> Iterator[EmbeddedPostgres]:
    """A server, not started."""
    made = EmbeddedPostgres(room / "postgres", settings=KILLABLE)
    yield made
    made.stop()


@pytest.fixture
def bystander() -> Iterator[subprocess.Popen[bytes]]:
    """A process of the database's user that has nothing to do with it."""
    who = {"user": "nobody"} if ROOT else {}
    process = subprocess.Popen(["sleep", "300"], cwd="/", **who)  # type: ignore[call-overload]
    yield process
    process.kill()
    process.wait()
