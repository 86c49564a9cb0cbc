"""The line between supervisor and device host: JSON words with a few bytes behind them. Light.

JSON rather than pickles: the host opens pictures, and what it says must never run here.
"""

import asyncio
import json
import socket
import struct
from typing import Any

_SIZES = struct.Struct(">II")
#: Longest words and longest bytes of one message; more is a broken line.
MOST_WORDS, MOST_BYTES = 4_000_000, 1_000_000

Message = tuple[dict[str, Any], bytes]


class LineBroken(Exception):
    """The other side is gone, or speaks nonsense."""


def packed(words: dict[str, Any], blob: bytes = b"") -> bytes:
    """One message as bytes."""
    text = json.dumps(words).encode()
    return _SIZES.pack(len(text), len(blob)) + text + blob


def sizes(head: bytes) -> tuple[int, int]:
    """Lengths of words and bytes. Raises `LineBroken` when they cannot be true."""
    words, blob = _SIZES.unpack(head)
    if words > MOST_WORDS or blob > MOST_BYTES:
        raise LineBroken("a message is too long")
    return words, blob


async def receive(reader: asyncio.StreamReader) -> Message:
    """The next message. Raises `LineBroken` at the end."""
    try:
        words, blob = sizes(await reader.readexactly(_SIZES.size))
        text = await reader.readexactly(words)
        return json.loads(text), await reader.readexactly(blob)
    except (asyncio.IncompleteReadError, OSError, ValueError) as error:
        raise LineBroken("the line ended") from error


def receive_blocking(line: socket.socket) -> Message:
    """The next message, waited for. Raises `LineBroken` at the end."""
    words, blob = sizes(_exactly(line, _SIZES.size))
    text = _exactly(line, words)
    return json.loads(text), _exactly(line, blob)


def _exactly(line: socket.socket, count: int) -> bytes:
    got = bytearray()
    while len(got) < count:
        try:
            more = line.recv(count - len(got))
        except OSError as error:
            raise LineBroken("the line ended") from error
        if not more:
            raise LineBroken("the line ended")
        got += more
    return bytes(got)
