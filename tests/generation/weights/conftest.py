"""A hub of our own, and a preset whose weights lie in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.generation.weights.asking import WORDS
from tests.generation.weights.hub import Hub, open_hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub, an operator's file with the preset "tiny", and a folder for weights."""
    (tmp_path / "own.toml").write_text(WORDS)
    monkeypatch.setenv("FORUM_PRESETS", str(tmp_path / "own.toml"))
    monkeypatch.setenv("FORUM_MODELS_DIR", str(tmp_path / "models"))
    pulling = pytest.importorskip("generation.weights.pulling", reason="needs the extra diffusers")
    monkeypatch.setattr(pulling, "SPARE", 0)
    with open_hub() as opened:
        monkeypatch.setenv("HF_ENDPOINT", opened.endpoint)
        yield opened
