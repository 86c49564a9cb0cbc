"""The address under which the house answers: is it free, and does it answer yet?"""

import errno
import http.client
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from forum.running.trouble import Trouble

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}


@dataclass(frozen=True)
class Address:
    """Host and port to listen on."""

    host: str
    port: int

    @classmethod
    def chosen(cls, environment: Mapping[str, str] = os.environ) -> "Address":
        """HOST (default 127.0.0.1) and PORT (default 8000). Raises Trouble for what is no port."""
        word = environment.get("PORT") or "8000"
        if not (word.isascii() and word.isdecimal() and 0 < int(word) < 65536):
            raise Trouble(f"PORT is {word!r}; it must be a number from 1 to 65535.")
        return cls(environment.get("HOST") or "127.0.0.1", int(word))

    @property
    def url(self) -> str:
        """What to type into a browser on this machine."""
        local = self.host in {*_ANYWHERE, "127.0.0.1", "::1"}
        host = "localhost" if local else self.host
        return f"http://[{host}]:{self.port}/" if ":" in host else f"http://{host}:{self.port}/"

    def require_free(self) -> None:
        """Raises Trouble, in one sentence, when we could not listen here."""
        try:
            family, kind, protocol, _, place = socket.getaddrinfo(
                self.host or None, self.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as trial:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                trial.bind(place)
        except socket.gaierror:
            raise Trouble(f"HOST is {self.host!r}, which names no address of a machine.") from None
        except PermissionError:
            raise Trouble(
                f"Port {self.port} needs root's rights; choose PORT above 1023."
            ) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise Trouble(f"Cannot listen on {self.host}: {error.strerror}.") from None
            raise Trouble(
                f"Port {self.port} on {self.host} is in use. End what uses it, or choose another: "
                f"PORT={self.port + 1} make run"
            ) from None

    def answers(self, path: str = "/healthz") -> bool:
        """Whether GET `path` gives 200 within a second."""
        connection = http.client.HTTPConnection(
            _ANYWHERE.get(self.host, self.host), self.port, timeout=1
        )
        try:
            connection.request("GET", path)
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
