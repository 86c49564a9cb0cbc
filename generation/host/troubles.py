"""What a device host says of an order that failed. Light."""

import errno
import os
import sys
import traceback
from typing import Any

from generation.engines.base import EngineError

#: A storage that is full, or gone for a while: another try later may find it well again.
STORAGE = {
    errno.ENOSPC, errno.EDQUOT, errno.ENOENT, errno.EIO, errno.EROFS, errno.ESTALE, errno.ENOTCONN,
}  # fmt: skip


def of_storage(error: BaseException) -> bool:
    """Whether an error says that the storage is full or away, rather than that a file is bad.

    A file that is not there counts too: the next try looks first whether only the file is gone.
    """
    return isinstance(error, OSError) and error.errno in STORAGE


def failure(order_id: str, error: Exception) -> dict[str, Any]:
    """The words for an error that is being handled. Only an engine's own sentence is for people."""
    words: dict[str, Any] = {"say": "failed", "id": order_id, "detail": "", "permanent": False}
    if isinstance(error, EngineError):
        return words | {
            "reason": error.reason,
            "detail": str(error),
            "permanent": error.permanent,
        }
    if isinstance(error, MemoryError):
        return words | {"reason": "out_of_memory"}
    reason = "storage_full" if of_storage(error) else "engine_error"
    return words | {"reason": reason, "at": place()}


def place() -> str:
    """Kind and place of the exception being handled, for the log. Its text may hold a prompt."""
    kind, _, trace = sys.exc_info()
    last = traceback.extract_tb(trace)[-1]
    return f"{kind.__name__ if kind else '?'} at {os.path.basename(last.filename)}:{last.lineno}"
