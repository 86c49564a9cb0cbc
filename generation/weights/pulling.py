"""Fetches a repository of weights at one commit: whole, checked, and going on where it was cut off.

The hub's own client asks and streams. It throws half a file away when a run ends, which for files
of ten gigabytes is no resuming; so the halves are kept here, beside the names they will have.
"""

import errno
import fnmatch
import hashlib
import json
import os
import shutil
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import (  # type: ignore[attr-defined]
    build_hf_headers,
    disable_progress_bars,
    logging,
)

from generation.engines.sources import MANIFEST, REVISION, Source
from generation.weights.manifest import UNFINISHED, Weights, digest

#: Nothing else is ever fetched: no pickles, no code.
ALLOWED = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
#: A pipeline's own index; beside it, whole checkpoints at the top are spare copies.
INDEX = "model_index.json"
AT_ONCE = 4
#: Room that must be left on the disk, in bytes.
SPARE = 2**30
#: Longest header of a safetensors file that is believed, in bytes.
LONGEST_HEADER = 100 * 2**20


class CannotPull(Exception):
    """These weights could not be fetched; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file of a repository, as the hub describes it."""

    name: str
    bytes: int
    #: SHA-256 where the hub knows it (large files), else git's own hash of the content.
    sha256: str
    git: str


@dataclass(frozen=True, slots=True)
class Listing:
    """A repository at one commit, with the files that are wanted of it."""

    model: str
    revision: str
    files: list[Wanted]

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(each.bytes for each in self.files)


def listing(model: str, revision: str, patterns: tuple[str, ...] = ()) -> Listing:
    """What is to be fetched of a repository; without a revision, of its newest commit.

    `patterns` narrow it. Raises `CannotPull`.
    """
    with spoken(model):
        info = HfApi(endpoint()).model_info(model, revision=revision or None, files_metadata=True)
    names = {each.rfilename for each in info.siblings or ()}
    files = [
        described(each) for each in info.siblings or () if wanted(each.rfilename, names, patterns)
    ]
    if not any(each.name.endswith(".safetensors") for each in files):
        raise CannotPull(f"{model} has no safetensors files: nothing else is loaded here.")
    if not info.sha or not REVISION.fullmatch(info.sha):
        raise CannotPull(f"{model} has no commit that could be pinned.")
    return Listing(model, info.sha, files)


def endpoint() -> str | None:
    """HF_ENDPOINT: a mirror of the hub; None is the hub itself."""
    return os.environ.get("HF_ENDPOINT") or None


def wanted(name: str, names: set[str], patterns: tuple[str, ...]) -> bool:
    """Whether a file is weights or words about them, and no spare copy."""
    inside = Path(name)
    if inside.is_absolute() or ".." in inside.parts or name == MANIFEST:
        return False
    if not any(fnmatch.fnmatch(inside.name, pattern) for pattern in ALLOWED):
        return False
    if patterns:
        return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    return not (INDEX in names and "/" not in name and name.endswith(".safetensors"))


def described(sibling: Any) -> Wanted:
    """One file of the hub's answer."""
    lfs = sibling.lfs
    sha256 = lfs["sha256"] if lfs else ""
    return Wanted(sibling.rfilename, sibling.size or 0, sha256, sibling.blob_id or "")


def still_needed(found: Listing, folder: Path) -> int:
    """Bytes that are not there yet, of files whole or half."""
    aside = folder.with_name(folder.name + UNFINISHED)
    missing = 0
    for file in found.files:
        halves = (aside / file.name, aside / (file.name + UNFINISHED))
        missing += max(0, file.bytes - max(map(size, halves)))
    return missing


def size(path: Path) -> int:
    """Bytes of a file; 0 when it is not there, or was renamed a moment ago."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def refuse_full_disk(missing: int, folder: Path) -> None:
    """Raises `CannotPull` where the disk has no room, before anything is fetched."""
    free = shutil.disk_usage(folder).free
    if free < missing + SPARE:
        raise CannotPull(
            f"There is no room in {folder}: {gigabytes(missing)} are needed and 1 GB must stay"
            f" free, {gigabytes(free)} are."
        )


def pull(found: Listing, licence: str, progress: Callable[[int, int], None]) -> Path:
    """Fetch everything, check it and name it; the folder. `progress` hears (bytes there, of all).

    What was fetched before is kept, by this run or an earlier one. Raises `CannotPull`.
    """
    folder = Source("model", found.model, found.revision).folder
    assert folder is not None
    if (kept := Weights.read(folder)) and {each.name for each in found.files} <= set(kept.files):
        return folder
    aside = folder.with_name(folder.name + UNFINISHED)
    try:
        aside.mkdir(parents=True, exist_ok=True)
        refuse_full_disk(still_needed(found, folder), aside)
        with spoken(found.model), watched(found, folder, progress):
            fetch_all(found, aside)
        facts = {
            each.name: {"bytes": each.bytes, "sha256": checked(aside / each.name, each)}
            for each in found.files
        }
        Weights(found.model, found.revision, licence, facts).write(aside)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(aside, folder)
    except OSError as error:
        raise CannotPull(disk_trouble(error, folder)) from None
    return folder


def fetch_all(found: Listing, aside: Path) -> None:
    """Several files side by side; the first trouble ends it."""
    disable_progress_bars()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    # One bad word of the server's must not leave the others running unheard.
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="pull") as pool:
        running = [pool.submit(fetch, found, each, aside) for each in found.files]
        try:
            for each in running:
                each.result()
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def fetch(found: Listing, file: Wanted, aside: Path) -> None:
    """One file, from where it was cut off."""
    whole = aside / file.name
    if whole.is_file() and whole.stat().st_size == file.bytes:
        return
    whole.parent.mkdir(parents=True, exist_ok=True)
    half = whole.with_name(whole.name + UNFINISHED)
    url = hf_hub_url(found.model, file.name, revision=found.revision, endpoint=endpoint())
    with half.open("ab") as written:
        there = written.tell()
        if there > file.bytes:
            written.truncate(there := 0)
        http_get(
            url, written, resume_size=there, headers=build_hf_headers(), expected_size=file.bytes
        )
    os.replace(half, whole)


def checked(path: Path, file: Wanted) -> str:
    """The SHA-256 of a file that is what the hub described; a damaged one is removed.

    Raises `CannotPull`.
    """
    sha256 = digest(path)
    right = sha256 == file.sha256 if file.sha256 else git_hash(path) == file.git or not file.git
    if right and path.suffix == ".safetensors":
        right = has_header(path)
    if not right:
        path.unlink()
        raise CannotPull(f"{file.name} came damaged and was removed; pull again to fetch it anew.")
    return sha256


def git_hash(path: Path) -> str:
    """Git's hash of a file's content."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


def has_header(path: Path) -> bool:
    """Whether a file begins as safetensors do: a length, then JSON of that length."""
    with path.open("rb") as stored:
        length = struct.unpack("<Q", (stored.read(8) + bytes(8))[:8])[0]
        if not 2 <= length <= min(LONGEST_HEADER, path.stat().st_size - 8):
            return False
        try:
            return isinstance(json.loads(stored.read(length)), dict)
        except ValueError:
            return False


class watched:
    """Says how far it is, a few times a second, while something is fetched."""

    EVERY = 0.5

    def __init__(self, found: Listing, folder: Path, progress: Callable[[int, int], None]) -> None:
        self._found, self._folder, self._progress = found, folder, progress
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._over.wait(self.EVERY):
            self._say()

    def _say(self) -> None:
        all_of_it = self._found.bytes
        self._progress(all_of_it - still_needed(self._found, self._folder), all_of_it)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
        self._say()


class spoken:
    """Turns what can go wrong with the hub into one sentence."""

    def __init__(self, model: str) -> None:
        self._model = model

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None and (said := sentence(self._model, error)):
            raise CannotPull(said) from None


def sentence(model: str, error: BaseException) -> str:
    """What happened, for an operator; "" for what nobody expects."""
    where = endpoint() or "the hub"
    if isinstance(error, GatedRepoError):
        return (
            f"{model} is gated: accept its terms on its page, and set HF_TOKEN to a token of yours."
        )
    if isinstance(error, RevisionNotFoundError):
        return f"{model} has no such revision."
    if isinstance(error, RepositoryNotFoundError):
        return f"There is no {model} on {where}, or HF_TOKEN may not see it."
    if isinstance(error, OfflineModeIsEnabled):
        return "HF_HUB_OFFLINE is set: unset it to fetch weights."
    if isinstance(error, HFValidationError):
        return f"{model!r} is no hub id."
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        more = "; HF_TOKEN must be a token that may see it" if status in (401, 403) else ""
        return f"{where} answered {status} for {model}{more}."
    if isinstance(error, (HTTPError, LocalEntryNotFoundError, EntryNotFoundError)):
        return f"{where} cannot be reached, or the connection broke: {type(error).__name__}."
    if isinstance(error, OSError) and error.errno is None:
        return f"{model}: a file came incomplete; pull again to go on."
    return ""


def disk_trouble(error: OSError, folder: Path) -> str:
    """What the file system said."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk of {folder.parent} is full; what was fetched is kept."
    return f"{folder.parent} cannot be written: {error.strerror or error}."


def gigabytes(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
