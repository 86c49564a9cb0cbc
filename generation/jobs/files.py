"""Files of the studio in Django's storage: sources as local paths, results written aside and renamed.

Where the storage is a folder the device host writes beside the final place, and a rename publishes;
elsewhere it writes into a temporary folder, and the file is put into the storage whole.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, default_storage

from generation.models import Job, State
from generation.results import StoredFile

#: Ends the names of files that are still being written.
UNFINISHED = ".part"


class StorageGone(OSError):
    """The storage itself is not there; it may come back."""


def storage_is_there() -> bool:
    """Whether the storage's folder has anything in it; where a disk is not mounted there is nothing."""
    try:
        return any(Path(default_storage.path("")).iterdir())
    except OSError:
        return False


@contextmanager
def reached() -> Iterator[None]:
    """Storages elsewhere have exceptions of their own for being away: `StorageGone` for all of them."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise StorageGone(type(error).__name__) from error


def folder_name(job_id: int) -> str:
    """Where the files of a job's attempts lie in the storage."""
    return f"results/{job_id}"


def results_were_kept() -> bool:
    """Whether some job left files in the storage, so that it cannot be empty."""
    return Job.objects.filter(state=State.DONE, result__has_key="file").exists()


def local_path(name: str) -> Path | None:
    """The path of a stored file where the storage is a folder of this machine."""
    try:
        return Path(default_storage.path(name))
    except NotImplementedError:
        return None


@dataclass(slots=True)
class Bench(AbstractContextManager["Bench"]):
    """The working place of one attempt; on leaving, what was not kept is gone."""

    job_id: int
    token: UUID
    folder: Path = field(init=False)
    #: Whether `folder` is where results stay.
    in_place: bool = field(init=False)
    _borrowed: tempfile.TemporaryDirectory[str] | None = None

    def __post_init__(self) -> None:
        final = local_path(folder_name(self.job_id))
        self.in_place = final is not None
        if final is None:
            self._borrowed = tempfile.TemporaryDirectory(prefix="studio-")
            final = Path(self._borrowed.name)
        self.folder = final

    def lay(self) -> None:
        """Make the folder for what is written; not before the sources were found.

        Raises `StorageGone` where results were kept before and nothing at all is there now: what is
        written into the folder of a disk that is not mounted is hidden as soon as it comes back.
        """
        if self.in_place and not storage_is_there() and results_were_kept():
            raise StorageGone
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def stem(self) -> str:
        """Begins the names of all files of this attempt; no two attempts share it."""
        return self.token.hex

    def source(self, name: str) -> str:
        """A local path of a stored file. Raises `FileNotFoundError` when it is not there.

        Raises `StorageGone` when nothing at all is there, as where a disk is not mounted, and when a
        storage elsewhere does not answer.
        """
        here = local_path(name)
        if here is not None:
            if not here.is_file():
                if not storage_is_there():
                    raise StorageGone
                raise FileNotFoundError(name)
            return str(here)
        copy = self.folder / f"source-{len(list(self.folder.iterdir()))}"
        with reached(), default_storage.open(name) as stored, copy.open("wb") as written:
            shutil.copyfileobj(stored, written)
        return str(copy)

    def keep(self, made: dict[str, Any]) -> StoredFile:
        """Move a file that the host finished to its final name; from now on it is in the storage.

        Raises `OSError`, of which `StorageGone` is one, where it cannot be.
        """
        unfinished = Path(made["path"])
        name = f"{folder_name(self.job_id)}/{unfinished.name.removesuffix(UNFINISHED)}"
        if self.in_place:
            os.chmod(unfinished, settings.FILE_UPLOAD_PERMISSIONS or 0o644)
            os.replace(unfinished, unfinished.with_name(Path(name).name))
        else:
            with reached(), unfinished.open("rb") as written:
                name = default_storage.save(name, File(written))
            unfinished.unlink()
        facts = {key: made[key] for key in ("mime", "bytes", "sha256", "width", "height")}
        return StoredFile(name=name, **facts)

    def flush(self) -> None:
        """Make renames survive a power cut: a row must never name a file that is not there."""
        if self.in_place:
            descriptor = os.open(self.folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._borrowed is not None:
            self._borrowed.cleanup()
            return
        for unfinished in self.folder.glob(f"{self.stem}*{UNFINISHED}"):
            unfinished.unlink(missing_ok=True)
        remove_if_empty(self.folder)


def remove(names: Iterable[str]) -> None:
    """Delete stored files; those that are gone already do no harm."""
    for name in names:
        default_storage.delete(name)
        if (here := local_path(name)) is not None:
            remove_if_empty(here.parent)


def remove_if_empty(folder: Path) -> None:
    """A folder without files says nothing."""
    try:
        folder.rmdir()
    except OSError:
        return


def job_of(name: str) -> int | None:
    """The job that made a stored file; None for files of others."""
    parts = name.split("/")
    is_ours = len(parts) == 3 and folder_name(0).startswith(parts[0] + "/") and parts[1].isdecimal()
    return int(parts[1]) if is_ours else None


def left_behind(
    job_id: int, wanted: Iterable[str], storage: Storage = default_storage
) -> list[str]:
    """Stored names of attempts of this job that are not among the `wanted` ones."""
    folder = folder_name(job_id)
    try:
        _, found = storage.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [name for each in found if (name := f"{folder}/{each}") not in set(wanted)]
