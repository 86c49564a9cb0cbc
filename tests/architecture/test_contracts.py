"""Who may import whom: import-linter's contracts, run as a test so that nobody forgets them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = {"members", "boards", "images", "threads", "links", "live", "api"}


def test_the_contracts_hold():
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-3000:]


def test_every_room_is_on_a_floor():
    """A new folder in forum/ that no contract names could import anything."""
    named = (ROOT / "pyproject.toml").read_text()
    for folder in (ROOT / "forum").iterdir():
        if (folder / "__init__.py").exists() and folder.name != "migrations":
            assert (
                f'"{folder.name}"' in named
                or f"{folder.name} " in named
                or (f"| {folder.name}" in named)
            ), f"forum/{folder.name} stands on no floor: add it to the layers in pyproject.toml."


def test_the_rooms_are_found():
    found = {p.parent.name for p in (ROOT / "forum").glob("*/__init__.py")}
    assert found >= ROOMS
