"""Slots for decoding: as many as cores, shared by all processes of a machine. No Django.

One locked file per slot. The lock is the kernel's, so it falls when its holder dies, however it dies.
"""

import contextlib
import fcntl
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path


class NoSlot(Exception):
    """Every slot stayed taken for as long as one may wait."""


@contextlib.contextmanager
def slot(folder: Path, *, wait: float, count: int | None = None) -> Iterator[None]:
    """Hold one of `count` slots (default: one per core). Raises NoSlot after `wait` seconds."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [folder / f"{number}.lock" for number in range(count or os.cpu_count() or 1)]
    end = time.monotonic() + wait
    while (held := _first_free(names)) is None:
        if time.monotonic() > end:
            raise NoSlot
        time.sleep(random.uniform(0.01, 0.05))
    try:
        yield
    finally:
        os.close(held)


def _first_free(names: list[Path]) -> int | None:
    """The open descriptor of a slot that nobody else holds, or None."""
    for name in names:
        held = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(held)
        else:
            return held
    return None
