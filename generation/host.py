"""The device host: a child process that owns the engines. No Django, no database, plain data.

A process of its own, so that a crash, a hang or a full memory cannot stop the supervisor's
heartbeats, and memory really comes back. It ends when the line to its supervisor ends.

Threads: the main one runs engines, a reader takes orders and cancellations, an encoder makes
previews, so that the engine waits for neither.
"""

import contextlib
import os
import queue
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from generation.wire import LineBroken, packed, receive_blocking

#: Politeness towards the web on the same machine.
NICE = 5

Say = Callable[..., None]


@dataclass(slots=True)
class Line:
    """The host's end of the line; any thread may speak."""

    socket: socket.socket
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def say(self, blob: bytes = b"", **words: Any) -> None:
        """Send one message. A supervisor that is gone ends us."""
        message = packed(words, blob)
        with self._turn:
            try:
                self.socket.sendall(message)
            except OSError:
                os._exit(0)


@dataclass(slots=True)
class Orders:
    """What the supervisor wants, filled by the reader thread."""

    waiting: "queue.SimpleQueue[dict[str, Any]]" = field(default_factory=queue.SimpleQueue)
    cancelled: set[str] = field(default_factory=set)

    def read(self, line: socket.socket) -> None:
        """Take messages until the supervisor is gone, then end, whatever is being made."""
        with contextlib.suppress(LineBroken):
            while True:
                words, _ = receive_blocking(line)
                if words["do"] == "cancel":
                    self.cancelled.add(words["id"])
                else:
                    self.waiting.put(words)
        os._exit(0)


def main() -> None:
    """Serve orders for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICE)
    line = Line(socket.socket(fileno=int(sys.argv[1])))
    orders = Orders()
    threading.Thread(target=orders.read, args=(line.socket,), daemon=True).start()
    # Heavy libraries come in only now, so that cancellations are heard from the first moment.
    from generation.making import Workshop

    workshop = Workshop()
    while True:
        order = orders.waiting.get()
        answer(workshop, order, line.say, orders.cancelled)
        orders.cancelled.discard(order["id"])


def answer(workshop: Any, order: dict[str, Any], say: Say, cancelled: set[str]) -> None:
    """Carry one order out and say how it ended, always exactly once."""
    from generation.engines.base import EngineError

    try:
        words = workshop.carry_out(order, say, lambda: order["id"] in cancelled)
    except EngineError as error:
        say(
            say="failed", id=order["id"], reason=error.reason, detail=str(error),
            permanent=error.permanent,
        )  # fmt: skip
    except MemoryError:
        say(say="failed", id=order["id"], reason="out_of_memory", detail="", permanent=False)
    except OSError as error:
        full = error.errno in FULL
        reason = "storage_full" if full else "engine_error"
        say(say="failed", id=order["id"], reason=reason, detail="", permanent=False, at=place())
    except Exception:
        say(say="failed", id=order["id"], reason="engine_error", detail="", permanent=False,
            at=place())  # fmt: skip
    else:
        say(id=order["id"], **words)


def place() -> str:
    """Kind and place of the exception being handled, for the log. Its text may hold a prompt."""
    kind, _, trace = sys.exc_info()
    last = traceback.extract_tb(trace)[-1]
    return f"{kind.__name__ if kind else '?'} at {os.path.basename(last.filename)}:{last.lineno}"


FULL = {28, 122}  # ENOSPC, EDQUOT

if __name__ == "__main__":
    main()
