"""A storage that is no folder of this machine, and may be away."""

from typing import Any

from django.core.files.storage import InMemoryStorage


class NoAnswer(Exception):
    """What a storage elsewhere raises; every library has exceptions of its own."""


class Elsewhere(InMemoryStorage):
    """A storage without local paths, as an object storage is, that may be away."""

    away = False

    def path(self, name: str) -> str:
        """There is none."""
        raise NotImplementedError

    def _relative_path(self, name: str) -> str:
        return name

    def _open(self, *words: Any, **more: Any) -> Any:
        self._ask()
        return super()._open(*words, **more)

    def _save(self, *words: Any, **more: Any) -> Any:
        self._ask()
        return super()._save(*words, **more)

    def listdir(self, path: str) -> Any:
        """As the parent's."""
        self._ask()
        return super().listdir(path)

    def _ask(self) -> None:
        if self.away:
            raise NoAnswer
