"""Runs a decoding child and reads its answer. No Django.

multiprocessing's fork server is a small process of its own with Pillow loaded: a child costs some
4 ms, and it never inherits the threads, sockets or database connections of the web process.
"""

import json
import multiprocessing
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, cast

from forum.images.decoding import ANSWER, Limits, Read, child, decode

_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["PIL.Image", "PIL.ImageCms", "forum.images.decoding"])


class ChildLost(Exception):
    """The child ended without an answer: killed by a signal, out of time, or out of its mind."""


def decode_apart(
    source: Path, folder: Path, kind: str, limits: Limits, read: Read = decode
) -> dict[str, Any]:
    """What `read` found, or {"refused": code, ...}. Raises ChildLost.

    The answer travels as JSON and never as a pickle: a child that a picture took over could send
    anything.
    """
    ours, theirs = _FORKS.Pipe(duplex=False)
    arguments = (theirs, str(source), str(folder), kind, limits, read)
    process = _FORKS.Process(target=child, args=arguments, daemon=True)
    try:
        process.start()
        theirs.close()
        return _answer(ours, limits.wall_seconds)
    except (EOFError, OSError, ValueError) as error:
        raise ChildLost(f"{type(error).__name__}, exit {_end(process)}") from error
    finally:
        _end(process)
        ours.close()
        theirs.close()


def _answer(ours: Connection, seconds: float) -> dict[str, Any]:
    if not ours.poll(seconds):
        raise EOFError("out of time")
    answer = json.loads(ours.recv_bytes(ANSWER))
    if not isinstance(answer, dict):
        raise ValueError("not an object")
    return cast(dict[str, Any], answer)


def _end(process: BaseProcess) -> int | None:
    """See the child off, by force if it lingers. Its exit code; negative for a signal."""
    if process.pid is None:
        return None
    process.join(0.5)
    if process.is_alive():
        process.kill()
        process.join(5)
    return process.exitcode
