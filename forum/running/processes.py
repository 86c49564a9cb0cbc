"""Facts about processes, and the bond that ends a child with its parent."""

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from forum.running.trouble import Trouble

_PR_SET_PDEATHSIG = 1


def bound_to_parent(on_death: signal.Signals) -> Callable[[], None]:
    """A preexec_fn: the child gets `on_death` when we die, even by kill -9 (Linux only).

    subprocess drops rights before it calls this, as it must be: a change of user clears the bond.
    The kernel ties it to the *thread* that made the child, hence the main thread only.
    """
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("children that die with their parent are started from its main thread")
    parent = os.getpid()
    if sys.platform != "linux":
        return lambda: None  # the next start finds what was left and ends it
    prctl = ctypes.CDLL(None).prctl

    def bind() -> None:
        prctl(_PR_SET_PDEATHSIG, int(on_death))
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return bind


def describe(pid: int) -> tuple[str, str] | None:
    """State letter and command line of process `pid`, or None when there is none."""
    if not Path("/proc/self/stat").exists():
        return _described_by_ps(pid)
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    command = b" ".join(words).decode(errors="replace").strip()
    return stat.rpartition(")")[2].split()[0], command


def _described_by_ps(pid: int) -> tuple[str, str] | None:
    answer = subprocess.run(
        ["ps", "-ww", "-o", "state=,command=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, command = answer.stdout.strip().partition(" ")
    return (state[:1], command.strip()) if answer.returncode == 0 else None


def runs(pid: int, *words: str) -> bool:
    """Whether `pid` is alive (no zombie) and its command line holds every one of `words`."""
    found = describe(pid)
    return found is not None and found[0] not in "ZX" and all(w in found[1] for w in words)


def until(condition: Callable[[], bool], seconds: float, step: float = 0.02) -> bool:
    """Wait until `condition` holds, `seconds` at most; say whether it does."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(step)
    return True


class Lock:
    """Keeps a second supervisor out of a folder; freed by the system when its holder dies."""

    def __init__(self, path: Path, refusal: str) -> None:
        """`refusal` is the sentence for whoever comes second; `{pid}` in it is the holder's."""
        self.path, self.refusal = path, refusal
        self._file: int | None = None

    def take(self) -> None:
        """Raises Trouble when another living process holds it."""
        file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(file, 20).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise Trouble(self.refusal.format(pid=holder)) from None
        os.ftruncate(file, 0)
        os.pwrite(file, f"{os.getpid()}\n".encode(), 0)
        self._file = file

    @property
    def held(self) -> bool:
        """Whether we hold it."""
        return self._file is not None

    def free(self) -> None:
        """Let the next one in. Harmless when not held."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
