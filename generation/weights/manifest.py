"""`weights.json`: what lies in a folder of weights, and whether it still does. Light."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from generation.engines.base import Preset
from generation.engines.sources import MANIFEST, Source, models_folder, sources

CHUNK = 4 * 2**20
#: Ends names of what is still being fetched.
UNFINISHED = ".part"


@dataclass(frozen=True, slots=True)
class Weights:
    """One repository at one commit, as it was fetched."""

    model: str
    revision: str
    licence: str
    #: By path inside the folder: {"bytes": int, "sha256": hex}.
    files: dict[str, dict[str, Any]]

    @property
    def bytes(self) -> int:
        """Size of all files together."""
        return sum(int(each["bytes"]) for each in self.files.values())

    def write(self, folder: Path) -> None:
        """Write the manifest; it is whole or not there."""
        aside = folder / (MANIFEST + UNFINISHED)
        aside.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")
        os.replace(aside, folder / MANIFEST)

    @classmethod
    def read(cls, folder: Path) -> Self | None:
        """The manifest of a folder; None when there is none that can be read."""
        try:
            return cls(**json.loads((folder / MANIFEST).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None


def digest(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as stored:
        return hashlib.file_digest(stored, "sha256").hexdigest()


def troubles(source: Source) -> Iterator[str]:
    """One sentence for each file of these weights that is missing, changed or strange.

    Of a local folder nothing is known but whether it is there.
    """
    folder = source.folder
    if folder is None or not folder.is_dir():
        yield f"{source.model}: is not on this machine."
        return
    if source.local:
        return
    kept = Weights.read(folder)
    if kept is None:
        yield f"{source.model}: {MANIFEST} is missing or cannot be read."
        return
    if (kept.model, kept.revision) != (source.model, source.revision):
        yield f"{source.model}: {MANIFEST} speaks of {kept.model} at {kept.revision[:12]}."
    for name, facts in kept.files.items():
        if trouble := file_trouble(folder / name, facts):
            yield f"{source.model}: {name} {trouble}."
    for name in strangers(folder, kept):
        yield f"{source.model}: {name} does not belong to it."


def file_trouble(path: Path, facts: dict[str, Any]) -> str:
    """What is wrong with one file; "" when nothing is."""
    if not path.is_file():
        return "is missing"
    size = path.stat().st_size
    if size != facts["bytes"]:
        return f"has {size} bytes instead of {facts['bytes']}"
    return "" if digest(path) == facts["sha256"] else "has other content than was fetched"


def strangers(folder: Path, kept: Weights) -> list[str]:
    """Files that the manifest does not name: an engine might load them."""
    there = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(set(there) - set(kept.files) - {MANIFEST})


def present(preset: Preset) -> bool:
    """Whether a preset needs weights and all are on this machine by name; `verify` looks inside."""
    found = sources(preset)
    return bool(found) and all(map(there, found))


def there(source: Source) -> bool:
    """Whether these weights are on this machine by name."""
    return source.here


def size_of(folder: Path) -> int:
    """Bytes of all files in a folder; 0 when it is not there."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file())


def removable(preset: Preset, others: list[Preset]) -> list[Path]:
    """Folders that only this preset needs, finished or not; local folders are not ours to remove.

    Commits that were pinned before lie there too, and nobody else would ever remove them.
    """
    kept = {source.folder for other in others for source in sources(other)}
    found: list[Path] = []
    for source in sources(preset):
        if source.local:
            continue
        home = models_folder() / source.model.replace("/", "--")
        found += [
            each
            for each in sorted(home.glob("*"))
            if each.is_dir() and each.with_name(each.name.removesuffix(UNFINISHED)) not in kept
        ]
    return found


def remove(folders: list[Path]) -> int:
    """Delete folders inside FORUM_MODELS_DIR; how many bytes that freed. Links are not followed."""
    freed, root = 0, models_folder().resolve()
    for folder in folders:
        if not folder.resolve().is_relative_to(root):
            raise ValueError(f"{folder} does not lie in {root}.")
        freed += size_of(folder)
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()
    return freed
