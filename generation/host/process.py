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
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from generation.host.wire import LineBroken, packed, receive_blocking

#: Seconds after which a thread that finishes pictures lets the engine's go on: a tenth of what Python
#: gives it, for a device waits meanwhile.
SWITCH = 0.0005
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
    #: Hears of each order when it comes, before its turn.
    foresee: Callable[[dict[str, Any]], None] = lambda order: None

    def read(self, line: socket.socket) -> None:
        """Take messages until the supervisor is gone, then end, whatever is being made."""
        with contextlib.suppress(LineBroken):
            while True:
                words, _ = receive_blocking(line)
                if words["do"] == "cancel":
                    self.cancelled.add(words["id"])
                    continue
                with contextlib.suppress(Exception):  # its turn will say what is wrong
                    self.foresee(words)
                self.waiting.put(words)
        os._exit(0)

    def end(self, order: dict[str, Any]) -> None:
        """Nobody can take this order back any more."""
        self.cancelled.difference_update(each["id"] for each in order.get("orders", ()))
        self.cancelled.discard(order["id"])


def main() -> None:
    """Serve orders for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICE)
    sys.setswitchinterval(SWITCH)
    line = Line(socket.socket(fileno=int(sys.argv[1])))
    orders = Orders()
    threading.Thread(target=orders.read, args=(line.socket,), daemon=True).start()
    # Heavy libraries come in only now, so that cancellations are heard from the first moment.
    from generation.host.making import Workshop

    workshop = Workshop()
    orders.foresee = lambda order: workshop.foresee(order, line.say)
    while True:
        order = orders.waiting.get()
        answer(workshop, order, line.say, orders.cancelled)
        orders.end(order)


def answer(workshop: Any, order: dict[str, Any], say: Say, cancelled: set[str]) -> None:
    """Carry one order out and say how it ended, always exactly once."""
    from generation.host.troubles import failure
    from generation.host.verbs import carry_out

    def stopped(order_id: str = order["id"]) -> bool:
        return order_id in cancelled

    try:
        words = carry_out(workshop, order, say, stopped)
    except Exception as error:
        say(**failure(order["id"], error))
    else:
        say(id=order["id"], **words)
