"""Keeps two runs from fetching or removing the same weights at once. Light."""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from generation.engines.sources import models_folder

#: Ends names of the files that are locked. They stay: to remove a lock is to race for it.
LOCK = ".lock"


class Taken(Exception):
    """Another run is at these weights, or no lock can be made; one sentence says which."""


@contextlib.contextmanager
def held(models: Iterable[str]) -> Iterator[None]:
    """Have these repositories, hub ids, for oneself while the block lasts. Raises `Taken`.

    The system frees a lock with the process that holds it, however that ends.
    """
    with contextlib.ExitStack() as stack:
        for model in sorted(set(models)):
            stack.enter_context(_one(model))
        yield


@contextlib.contextmanager
def _one(model: str) -> Iterator[None]:
    path = models_folder() / f".{model.replace('/', '--')}{LOCK}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise Taken(f"{path.parent} cannot be written: {error.strerror}.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Taken(said_of(model, path)) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def said_of(model: str, path: Path) -> str:
    """Who has the lock, as far as it is known."""
    pid = path.read_text("ascii", errors="replace").strip()
    who = f"process {pid}" if pid.isdecimal() else "another run"
    return f"{model} is being fetched or removed by {who}: wait for it to end."


@contextlib.contextmanager
def folder(path: Path) -> Iterator[None]:
    """Be the only one who rewrites a file of this folder; waits for its turn. Raises `OSError`."""
    path.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
