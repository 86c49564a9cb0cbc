"""A line between a web process and its database that can be cut, halted and mended."""

import contextlib
import socket
import threading
from urllib.parse import parse_qs, unquote, urlsplit

PIECE = 65536


class Line:
    """Forwards TCP on a port of its own to the PostgreSQL of `url`."""

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)
        self.open: set[socket.socket] = set()
        self.flows = threading.Event()
        self.flows.set()
        self.listener: socket.socket | None = None
        self.port = 0
        self.mend()

    @property
    def url(self) -> str:
        """The address of this end."""
        user = self.parts.netloc.rpartition("@")[0]
        return f"postgres://{user}@127.0.0.1:{self.port}{self.parts.path}"

    def mend(self) -> None:
        """Let calls through, under the same number as before."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port, self.listener = listener.getsockname()[1], listener
        threading.Thread(target=self.answer, args=[listener], daemon=True).start()

    def cut(self) -> None:
        """As a database that was stopped: calls break, and new ones are refused."""
        if self.listener is not None:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        for each in list(self.open):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def halt(self) -> None:
        """As a database that hangs: calls are taken, and nothing is said any more."""
        self.flows.clear()

    def go_on(self) -> None:
        """Say what was held back."""
        self.flows.set()

    def answer(self, listener: socket.socket) -> None:
        """Take calls until the listener is closed."""
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = self.call()
                self.open |= {near, far}
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def call(self) -> socket.socket:
        """The database itself, by its socket or by TCP."""
        place = parse_qs(self.parts.query).get("host", [unquote(self.parts.hostname or "")])[0]
        number = self.parts.port or int(parse_qs(self.parts.query).get("port", ["5432"])[0])
        if not place.startswith("/"):
            return socket.create_connection((place, number))
        far = socket.socket(socket.AF_UNIX)
        far.connect(f"{place}/.s.PGSQL.{number}")
        return far

    def pump(self, giver: socket.socket, taker: socket.socket) -> None:
        """Carry bytes one way until either end hangs up."""
        with contextlib.suppress(OSError):
            while piece := giver.recv(PIECE):
                self.flows.wait()
                taker.sendall(piece)
        for each in (giver, taker):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            self.open.discard(each)
