"""A telephone line between browser and house that can be cut and mended."""

import contextlib
import socket
import threading


class Line:
    """Forwards bytes between a port of its own and another one, until it is cut."""

    def __init__(self, to: int) -> None:
        self.to = to
        self.pairs: set[socket.socket] = set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self.listener.getsockname()[1])
        self._answer()

    @property
    def url(self) -> str:
        """The house, seen through this line."""
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        """Every connection breaks, and new ones are refused."""
        # Wakes the thread in accept(), which would hold the port open otherwise.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for end in list(self.pairs):
            hang_up(end)

    def mend(self) -> None:
        """The same port answers again."""
        self.listener = socket.create_server(("127.0.0.1", self.port))
        self._answer()

    def _answer(self) -> None:
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(("127.0.0.1", self.to))
                self.pairs |= {near, far}
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one: socket.socket, other: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            hang_up(end)
            self.pairs.discard(end)


def hang_up(end: socket.socket) -> None:
    """Close at once, also for a thread that waits for it."""
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
