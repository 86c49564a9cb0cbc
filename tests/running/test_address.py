"""PORT and HOST: what cannot be is said in one sentence."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from forum.running.address import Address
from forum.running.trouble import Trouble


@pytest.mark.parametrize("word", ["0", "65536", "-1", "http", "８０", "80 "])
def test_what_is_no_port_is_refused(word: str) -> None:
    with pytest.raises(Trouble, match="PORT is"):
        Address.chosen({"PORT": word})


def test_empty_words_mean_the_defaults() -> None:
    assert Address.chosen({"PORT": "", "HOST": ""}) == Address("127.0.0.1", 8000)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://localhost:8000/"),
        ("0.0.0.0", "http://localhost:8000/"),
        ("10.0.0.7", "http://10.0.0.7:8000/"),
        ("fe80::1", "http://[fe80::1]:8000/"),
    ],
)
def test_the_address_is_one_that_a_browser_understands(host: str, url: str) -> None:
    assert Address(host, 8000).url == url


def test_a_port_in_use_is_said_with_a_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Trouble, match=f"Port {port} .* in use.*PORT={port + 1}"):
            Address("127.0.0.1", port).require_free()
    Address("127.0.0.1", port).require_free()


@pytest.mark.parametrize("host", ["no.such.host.invalid", "203.0.113.77"])
def test_a_host_that_is_not_ours_is_refused(host: str) -> None:
    with pytest.raises(Trouble, match=r"HOST is|Cannot listen on"):
        Address(host, 18000).require_free()


def test_it_answers_only_with_200() -> None:
    statuses = iter([503, 200])
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(next(statuses))
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Silence."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        address = Address("127.0.0.1", server.server_port)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert [address.answers(), address.answers()] == [False, True]
        server.shutdown()
    assert seen == ["/healthz"] * 2
    assert not address.answers()
