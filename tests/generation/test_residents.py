"""Which engines stay loaded in a host, and who goes for another."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from generation.engines.base import EngineError, Preset
from generation.host.residents import Residents
from generation.prompts import planning
from generation.worker import warming
from tests.generation.together import Together


@pytest.fixture
def preset(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Preset]:
    """`preset("a", 10)`: one that needs 10 GB of a device."""
    monkeypatch.delenv("FORUM_STUDIO_MEMORY_GB", raising=False)
    darkroom = planning.preset("darkroom")

    def made(name: str, gigabytes: float | None = None, **more: Any) -> Preset:
        words = {"host": "device", **more} | ({"vram_gb": gigabytes} if gigabytes else {})
        engine = "tests.generation.together:Together"
        return replace(darkroom, name=name, engine=engine, settings=words)

    return made


def test_where_nobody_knows_the_memory_there_is_room_for_one(preset: Any):
    kept = Residents()
    first = kept.editor(preset("a", 1))
    assert kept.editor(preset("a", 1)) is first
    kept.editor(preset("b", 1))
    assert (kept.names, kept.evicted) == (["b"], 1)
    assert isinstance(first, Together) and first.preset is None, "its memory was given back"


def test_as_many_stay_as_fit_and_the_least_lately_used_goes(preset: Any, monkeypatch: Any):
    monkeypatch.setenv("FORUM_STUDIO_MEMORY_GB", "24")
    kept = Residents()
    for name in ("a", "b", "a"):
        kept.editor(preset(name, 10))
    assert (kept.names, kept.evicted) == (["a", "b"], 0)
    assert (
        not kept.fits(preset("c", 10)) and kept.fits(preset("c", 4)) and kept.fits(preset("b", 10))
    )
    kept.editor(preset("c", 10))
    assert (kept.names, kept.evicted) == (["a", "c"], 1), "b was used before a"
    kept.editor(preset("large", 30))
    assert kept.names == ["large"], "what fits nowhere is alone"
    assert [kept.editor(preset("a", 10)).loads for _ in range(2)] == [1, 1]


def test_who_does_not_say_what_it_needs_is_alone(preset: Any, monkeypatch: Any):
    monkeypatch.setenv("FORUM_STUDIO_MEMORY_GB", "80")
    kept = Residents()
    for each in (preset("a", 10), preset("silent")):
        kept.editor(each)
    assert kept.names == ["silent"]


def test_engines_without_weights_stay_whoever_comes(preset: Any):
    kept = Residents()
    darkroom = kept.editor(planning.preset("darkroom"))
    for name in ("a", "b"):
        kept.editor(preset(name, 10))
    assert kept.names == ["b", "darkroom"]
    assert kept.editor(planning.preset("darkroom")) is darkroom


def test_a_preset_that_changed_is_loaded_again_in_its_place(preset: Any):
    kept = Residents()
    first = kept.editor(preset("a", 1))
    assert kept.editor(preset("a", 1, seconds=2)) is first
    assert (first.loads, kept.names, kept.evicted) == (2, ["a"], 0)


def test_who_shares_its_weights_changes_without_anybody_going(preset: Any, monkeypatch: Any):
    monkeypatch.setattr(
        Together, "shares", lambda self, other: other.name.startswith("a"), raising=False
    )
    kept = Residents()
    first = kept.editor(preset("a", 1))
    assert kept.fits(preset("a-depth", 1))
    assert kept.editor(preset("a-depth", 1)) is first
    assert (kept.names, kept.evicted) == (["a-depth"], 0)


def test_where_memory_ends_after_all_the_others_go_and_it_is_tried_once_more(
    preset: Any, monkeypatch: Any
):
    monkeypatch.setenv("FORUM_STUDIO_MEMORY_GB", "24")
    kept = Residents()
    small = kept.editor(preset("a", 10))
    load = Together.load

    def crowded(self: Together, wanted: Preset) -> None:
        if small.preset is not None:
            raise EngineError("It does not fit.") from MemoryError("CUDA out of memory")
        load(self, wanted)

    monkeypatch.setattr(Together, "load", crowded)
    kept.editor(preset("b", 10))
    assert (kept.names, kept.evicted) == (["b"], 1)


def test_what_cannot_be_loaded_leaves_the_others_alone(preset: Any, monkeypatch: Any):
    monkeypatch.setenv("FORUM_STUDIO_MEMORY_GB", "24")
    kept = Residents()
    kept.editor(preset("a", 10))
    with pytest.raises(EngineError, match="damaged"):
        kept.editor(preset("b", 10, load_fails="damaged"))
    assert kept.names == ["a"]


# --- what is loaded before anybody asks -----------------------------------------------------------


def test_the_operators_order_goes_before_that_of_the_files(preset: Any):
    served = [preset(name, 1) for name in ("a", "b", "c")]

    def names(named: str, place: int = 0) -> list[str]:
        return [each.name for each in warming.order(named, served, place)]

    assert names("") == ["a", "b", "c"]
    assert names(" c, a ,c") == ["c", "a"]
    assert names("elsewhere") == ["a", "b", "c"]
    assert names("elsewhere,b") == ["b"]
    assert [names("", place)[0] for place in range(4)] == ["a", "b", "c", "a"]
