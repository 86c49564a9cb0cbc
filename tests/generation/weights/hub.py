"""A small hub on a port of this machine: its API, its addresses, ranges, and its bad days."""

import hashlib
import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

MODEL, SHA, NEWER = "tiny/model", "ab" * 20, "cd" * 20


def safetensors(size: int) -> bytes:
    """A true safetensors file of one tensor of `size` bytes."""
    header = {"w": {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}}
    words = json.dumps(header).encode()
    body = hashlib.shake_256(str(size).encode()).digest(size)
    return struct.pack("<Q", len(words)) + words + body


def git_hash(content: bytes) -> str:
    """As git names content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def files() -> dict[str, bytes]:
    """What a repository of a pipeline looks like, spare copies, code and pickles included."""
    return {
        "model_index.json": b'{"_class_name": "Tiny"}',
        "transformer/diffusion_pytorch_model.safetensors": safetensors(3_000_000),
        "transformer/config.json": b"{}",
        "tokenizer/merges.txt": b"a b\n",
        "whole.safetensors": safetensors(500),
        "transformer/diffusion_pytorch_model.bin": b"a pickle",
        "pipeline.py": b"print('code')",
        "README.md": b"words",
    }


@dataclass
class Hub:
    """What it holds, what it was asked, and how it shall fail."""

    repositories: dict[str, dict[str, bytes]] = field(default_factory=lambda: {MODEL: files()})
    #: Bytes after which the connection is cut, one for each of the next downloads.
    cuts: list[int] = field(default_factory=list)
    #: A status and an X-Error-Code for everything.
    refuse: tuple[int, str] | None = None
    #: Whether it can give the rest of a file; otherwise it always sends the whole.
    ranged: bool = True
    #: Whether large files come with one wrong byte.
    damage: bool = False
    #: Range headers of downloads of the large file, "" for the whole.
    ranges: list[str] = field(default_factory=list)
    #: Paths of all downloads.
    fetched: list[str] = field(default_factory=list)
    endpoint: str = ""
    #: While it is not set, downloads of large files stop in the middle.
    goes_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.goes_on.set()

    def about(self, model: str, revision: str) -> dict[str, Any] | None:
        """The API's answer about a repository; None when there is none."""
        if model not in self.repositories or revision not in ("main", "", SHA, NEWER):
            return None
        sha = NEWER if revision in ("main", "", NEWER) else SHA
        return {
            "_id": "1", "id": model, "modelId": model, "sha": sha, "private": False,
            "tags": [], "downloads": 0, "likes": 0,
            "siblings": [sibling(*each) for each in self.repositories[model].items()],
        }  # fmt: skip


def sibling(name: str, content: bytes) -> dict[str, Any]:
    """One file in the API's answer; large ones are told by their SHA-256."""
    words: dict[str, Any] = {
        "rfilename": name,
        "size": len(content),
        "blobId": git_hash(content),
    }
    if name.endswith((".safetensors", ".bin")):
        digest = hashlib.sha256(content).hexdigest()
        words["lfs"] = {"sha256": digest, "size": len(content), "pointerSize": 130}
    return words


class Answers(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, *words: Any) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """The API, or a file."""
        path = unquote(urlsplit(self.path).path).strip("/")
        if self.hub.refuse is not None:
            status, code = self.hub.refuse
            self.say(status, b"{}", {"X-Error-Code": code} if code else {})
        elif path.startswith("api/models/"):
            model, _, revision = path.removeprefix("api/models/").partition("/revision/")
            found = self.hub.about(model, revision)
            if found is None:
                code = "RevisionNotFound" if model in self.hub.repositories else "RepoNotFound"
                self.say(404, b"{}", {"X-Error-Code": code})
            else:
                self.say(200, json.dumps(found).encode(), {"Content-Type": "application/json"})
        else:
            model, _, rest = path.partition("/resolve/")
            name = rest.partition("/")[2]
            if name in self.hub.repositories.get(model, ()):
                self.file(model, name)
            else:
                self.say(404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def file(self, model: str, name: str) -> None:
        """A file or the rest of it, perhaps cut."""
        content = self.hub.repositories[model][name]
        self.hub.fetched.append(name)
        asked = self.headers.get("Range", "") if self.hub.ranged else ""
        begin = int(asked.removeprefix("bytes=").rstrip("-") or 0) if asked else 0
        large = len(content) > 10_000
        if large:
            self.hub.ranges.append(asked)
            if self.hub.damage:
                content = content[:-1] + bytes([content[-1] ^ 1])
        headers = {"ETag": '"1"', "X-Repo-Commit": SHA, "Accept-Ranges": "bytes"}
        if asked:
            headers["Content-Range"] = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        cut = self.hub.cuts.pop(0) if large and self.hub.cuts else None
        self.say(206 if asked else 200, content[begin:], headers, cut)

    def say(
        self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None
    ) -> None:
        """Answer; with `cut`, hang up after as many bytes."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        whole = body if cut is None else body[:cut]
        half = len(whole) // 2 if len(whole) > 10_000 else 0
        if half:
            self.wfile.write(whole[:half])
            self.hub.goes_on.wait(60)
        self.wfile.write(whole[half:])
        if cut is not None:
            self.wfile.flush()
            self.close_connection = True


@contextmanager
def open_hub() -> Iterator[Hub]:
    """A hub that answers until the end of the block."""
    hub = Hub()
    handler = type("OfThisHub", (Answers,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield hub
    finally:
        hub.goes_on.set()
        server.shutdown()
        server.server_close()
