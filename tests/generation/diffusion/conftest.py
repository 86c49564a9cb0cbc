"""Tiny pipelines, written once for the whole run and loaded once per preset."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from generation import engines, presets
from generation.engines.base import Edits
from tests.generation.diffusion.tiny import KINDS, write_tiny

Load = Callable[[str], Edits]
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Libraries of models warn of their own futures; that is no failure of ours."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore"))


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The operator's presets file that lays tiny weights over every shipped preset."""
    import torch

    # Threads that wait for one another cost more than they give, on numbers as small as these.
    torch.set_num_threads(1)
    file = write_tiny(tmp_path_factory.mktemp("tiny"), tuple(KINDS))
    # Engines collect garbage wherever memory ends; each time all that was imported would be looked at.
    gc.freeze()
    yield file
    gc.unfreeze()


@pytest.fixture(scope="session")
def engines_by_preset() -> dict[str, Edits]:
    """Loaded engines, kept for the run."""
    return {}


@pytest.fixture
def load(
    tiny_file: Path, engines_by_preset: dict[str, Edits], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Load]:
    """`load("klein")`: the engine with this tiny preset, loaded by the real loader."""
    monkeypatch.setenv("FORUM_PRESETS", str(tiny_file))

    def engine(name: str) -> Edits:
        if name not in engines_by_preset:
            engines_by_preset[name] = engines.editor("diffusers")
            engines_by_preset[name].load(presets.presets()[name])
        return engines_by_preset[name]

    yield engine
