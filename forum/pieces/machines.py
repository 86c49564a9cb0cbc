"""What operators see, and what sending costs, from plain data."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from forum.studio.views import Device, devices_of
from forum.threads.costs import Cost
from forum.threads.sentences import sentence
from generation.queue import Lane, Machine, Preset, PresetState, Standing, Trouble

OPEN = Preset(
    name="darkroom",
    engine="darkroom",
    titles={"en": "Darkroom", "zh-hans": "暗房"},
    licence="Apache-2.0",
    commercial=True,
    max_side=1280,
    source_type="",
)
CLOSED = Preset(
    name="turbo",
    engine="diffusers",
    titles={"en": "Turbo"},
    licence="Stability AI Community",
    commercial=False,
    max_side=1024,
    source_type="",
)


def at_work(**more: Any) -> Standing:
    """A place in the queue of an engine that somebody has."""
    return Standing("waiting", workers=1, **more)


def costs() -> dict[str, Cost]:
    """Costs by the name of their state."""
    return {
        "next": Cost(OPEN, at_work(seconds=3), left=9),
        "behind others": Cost(OPEN, at_work(before=2, seconds=40), left=1),
        "four pictures": Cost(OPEN, at_work(seconds=12), left=9, pictures=4, uses=4),
        "minutes, not for money": Cost(CLOSED, at_work(before=7, seconds=400), left=9),
        "more than is left": Cost(OPEN, at_work(seconds=12), left=3, pictures=4, uses=4),
        "nothing left": Cost(OPEN, at_work(seconds=3), left=0),
        "a visitor": Cost(OPEN, at_work(seconds=3)),
        "paused": Cost(OPEN, at_work(paused=True), left=9),
        "nobody at work": Cost(OPEN, Standing("waiting"), left=9),
        "impossible now": Cost(CLOSED, Standing("waiting"), is_impossible=True, left=9),
    }


def lanes() -> list[Lane]:
    """Presets in each of their states."""
    return [
        Lane(PresetState(OPEN, is_default=True), 3, 1, 14.0, 0.2, 10.6, 33, 2, 4.1, 2),
        Lane(PresetState(CLOSED, paused=True), 2, 0, 95.0, workers=1),
        Lane(PresetState(CLOSED, enabled=False), workers=1),
        Lane(PresetState(CLOSED), 1, 0, 310.0),
    ]


def machines() -> list[tuple[Machine, list[Device]]]:
    """A worker with GPUs, one that takes nothing more, and one that has made nothing yet."""
    gpu = {
        "device": "NVIDIA H100", "loaded": ["turbo"], "memory_gb": 80, "memory_used_gb": 20.4,
        "made": 1204, "per_minute": 38.5, "batches": {"1": 12, "4": 298}, "restarts": 1,
        "ms": {"engine": 812, "files": 31}, "failures": {"out_of_memory": 2},
    }  # fmt: skip
    pool = {"pool": {"made": 33, "per_minute": 2.4, "ms": {"engine": 4125, "files": 228}}}
    since = timezone.now() - timedelta(hours=5)
    found = [
        Machine("gpu-1", ("edit:turbo",), {"devices": [gpu, gpu]}, since, since),
        Machine("house", ("light", "edit:darkroom"), pool, since, since, draining=True),
        Machine("new", ("edit:darkroom",), {}, since, since),
    ]
    return [(each, devices_of(each)) for each in found]


def troubles() -> list[tuple[Trouble, Any]]:
    """What failed, with its sentence."""
    ago = timezone.now() - timedelta(minutes=12)
    found = [
        Trouble("turbo", "out_of_memory", 2, ago),
        Trouble("", "storage_full", 1, ago),
    ]
    return [(each, sentence(each.reason)) for each in found]


def studio() -> dict[str, dict[str, Any]]:
    """The operators' page by the name of its state."""
    full = {"lanes": lanes(), "machines": machines(), "troubles": troubles()}
    return {
        "the owner's": {**full, "messages_waiting": 2, "may_act": True},
        "a moderator's, and nobody at work": {
            "lanes": lanes()[3:], "machines": [], "troubles": [], "may_act": False,
        },
    }  # fmt: skip
