"""Files of images in Django's storage: written aside, flushed, renamed to random names."""

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import structlog
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from forum.images.refusals import refused
from generation.results import StoredFile

log = structlog.get_logger("forum.images")

#: Folder of this room in the storage. The studio's results lie beside it.
FOLDER = "images"
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PIECE = 1024 * 1024


class Aside(File):  # type: ignore[type-arg]
    """A finished local file. Local storage renames it into place; an object storage uploads it."""

    def temporary_file_path(self) -> str:
        """Where it lies, which makes Django's local storage rename instead of copy."""
        return str(self.name)


def aside() -> Path:
    """Folder for what is not yet a file of an image: on the same disk as media, so renames suffice."""
    return Path(settings.MEDIA_ROOT).parent / "incoming"


@contextlib.contextmanager
def workspace() -> Iterator[Path]:
    """A folder of one's own for one picture, gone afterwards whatever happens."""
    aside().mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=aside()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear_aside(age: timedelta) -> int:
    """Remove workspaces that a killed process left behind longer ago than `age`. How many."""
    if not aside().is_dir():
        return 0
    limit = time.time() - age.total_seconds()
    old = [folder for folder in aside().iterdir() if folder.stat().st_mtime < limit]
    for folder in old:
        shutil.rmtree(folder, ignore_errors=True)
    return len(old)


def is_local() -> bool:
    """Whether the storage is a folder of this machine."""
    try:
        default_storage.path("")
    except NotImplementedError:
        return False
    return True


def require_room() -> None:
    """Raise Refused where less than FORUM_FREE_MB is left on the disk."""
    aside().mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(aside()).free < settings.FORUM_FREE_MB * 1024**2:
        log.error("storage full", free_mb=settings.FORUM_FREE_MB)
        raise refused("storage_full")


@contextlib.contextmanager
def writing() -> Iterator[list[str]]:
    """A list for the names of files as they are stored; all of them are removed if anything fails.

    Trouble of the storage becomes Refused: `storage_full` or `storage_away`.
    """
    names: list[str] = []
    try:
        yield names
    except BaseException as error:
        remove(names)
        if isinstance(error, OSError) and error.errno in _FULL:
            log.error("storage full", error=type(error).__name__)
            raise refused("storage_full") from error
        if isinstance(error, OSError) or type(error).__module__.startswith("boto"):
            log.exception("storage away")
            raise refused("storage_away") from error
        raise


def keep(path: Path, suffix: str, *, mime: str, size: tuple[int, int]) -> StoredFile:
    """Store the local file `path` under a random name. `size` is its width and height in pixels."""
    digest, length = hash_and_flush(path)
    token = secrets.token_hex(16)
    with path.open("rb") as source:
        wanted = f"{FOLDER}/{token[:2]}/{token}{suffix}"
        name = default_storage.save(wanted, Aside(source, name=str(path)))
    _flush_folder(name)
    return StoredFile(name, mime, length, digest, *size)


def keep_bytes(data: bytes, suffix: str, *, mime: str, size: tuple[int, int]) -> StoredFile:
    """Store bytes that are in memory, in the same way."""
    with workspace() as folder:
        path = folder / "file"
        path.write_bytes(data)
        return keep(path, suffix, mime=mime, size=size)


def hash_and_flush(path: Path) -> tuple[str, int]:
    """Hex SHA-256 and length of a regular file, which is on the disk when this returns."""
    digest, length = hashlib.sha256(), 0
    # Never through a link: the child that wrote it read a stranger's bytes.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            length += len(piece)
        os.fsync(file.fileno())
    return digest.hexdigest(), length


def remove(names: Iterable[str]) -> None:
    """Delete files; one that cannot be deleted now is swept later."""
    for name in names:
        try:
            default_storage.delete(name)
        except Exception:
            log.exception("file not removed", file=name)


def _flush_folder(name: str) -> None:
    """Make the renaming itself last, so that a row never outlives its file in a power cut."""
    if not is_local():
        return
    folder = os.open(Path(default_storage.path(name)).parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
