"""Writes into the operator's preset file what was fetched and measured; everything else in it stays."""

import os
import tempfile
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from generation import presets
from generation.weights import locking


class CannotWrite(Exception):
    """The operator's preset file cannot be written, or not be read before that."""


def pin(preset: str, role: str, revision: str) -> None:
    """Pin the commit of one of a preset's weights. Raises `CannotWrite`."""
    where = [preset] if role == "model" else [preset, "parts", role]
    write([([*where, "revision"], revision)])


def write(values: list[tuple[list[str], Any]]) -> None:
    """Set some values, each at its path of keys, and replace the file whole. Raises `CannotWrite`."""
    path = presets.operators_file()
    try:
        # What another run pins meanwhile must not be lost.
        with locking.folder(path.parent):
            words = tomlkit.parse(path.read_text("utf-8")) if path.exists() else tomlkit.document()
            for keys, value in values:
                put(words, keys, value)
            replace(path, tomlkit.dumps(words))
    except (OSError, TOMLKitError, UnicodeDecodeError) as error:
        raise CannotWrite(f"{path} cannot be written: {error}.") from None


def put(words: Any, keys: list[str], value: Any) -> None:
    """Set one value at its path of keys; tables that are missing are made."""
    table = words
    for key in keys[:-1]:
        if key not in table:
            table[key] = tomlkit.table()
        table = table[key]
    table[keys[-1]] = value


def replace(path: Path, text: str) -> None:
    """Write beside it and rename, so that no reader sees half a file; its mode stays."""
    descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as written:
            written.write(text)
        os.chmod(aside, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(aside, path)
    except BaseException:
        Path(aside).unlink(missing_ok=True)
        raise
