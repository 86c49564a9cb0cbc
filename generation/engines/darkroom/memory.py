"""Gives memory back between pictures, so that a worker stays small however many it makes.

Arrays of some ten megabytes come and go by the hundred; the C library keeps what they leave behind in
pieces that the next ones do not fit. On Linux with glibc it can be asked to return them.
"""

import ctypes
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

#: Megabytes in use beyond which free memory goes back to the system; below, reuse is quicker.
PLENTY = 240
STATM = Path("/proc/self/statm")


@cache
def trimmer() -> Callable[[int], int] | None:
    """`malloc_trim` of the C library, or None where there is none."""
    try:
        found: Callable[[int], int] = ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None
    return found


def in_use() -> int:
    """Megabytes of memory that this process holds now; 0 where the system does not say."""
    try:
        pages = int(STATM.read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def give_back() -> None:
    """Return free memory to the system when much is held."""
    trim = trimmer()
    if trim is not None and in_use() > PLENTY:
        trim(0)
