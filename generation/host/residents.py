"""Engines that are loaded in a device host: who may stay, and who goes to make room. No torch, no Django.

What fits together is a matter of memory: presets say what they need (`vram_gb`), the device says what
it has, and an operator may say less (FORUM_STUDIO_MEMORY_GB). Where nobody knows, there is room for one
preset of each host, as on a CPU. Who was used least lately goes first. Engines that need no memory of a
device, such as the darkroom, count nothing and always stay.
"""

import os
import sys
from dataclasses import dataclass
from typing import Any

from generation import engines
from generation.engines.base import Edits, Preset

#: What an engine says when memory ends while it loads; then everybody else goes, and it tries again.
OUT_OF_MEMORY = "out of memory"


@dataclass(slots=True)
class Resident:
    """An engine with the preset that it is loaded for."""

    preset: Preset
    editor: Edits


class Residents:
    """The engines of one host, in the order in which they were used last."""

    def __init__(self) -> None:
        self._all: list[Resident] = []
        #: How many were sent away for another.
        self.evicted = 0

    def __iter__(self) -> Any:
        return iter(list(self._all))

    @property
    def names(self) -> list[str]:
        """Presets that are loaded."""
        return sorted(each.preset.name for each in self._all)

    def holds(self, preset: Preset) -> bool:
        """Whether nothing has to be loaded for this preset."""
        return any(each.preset == preset for each in self._all)

    def fits(self, preset: Preset) -> bool:
        """Whether this preset can be loaded and nobody has to go."""
        return self.holds(preset) or self._akin(preset) is not None or not self._too_many(preset)

    def editor(self, preset: Preset) -> Edits:
        """The engine of this preset, loaded for it. Raises what its `load` does."""
        resident = self._find(preset)
        if resident is None:
            resident = self._taken_in(preset)
        elif resident.preset != preset:
            # An older form of it, or one that shares its weights: the engine knows what can stay.
            resident.editor.load(preset)
            resident.preset = preset
        self._all.remove(resident)
        self._all.append(resident)
        return resident.editor

    def put(self, preset: Preset, editor: Edits) -> None:
        """Take in an engine that somebody else has loaded for this preset."""
        self.make_room(preset)
        self._all.append(Resident(preset, editor))

    def make_room(self, preset: Preset) -> None:
        """Send away, least lately used first, until this preset fits; it may be alone then."""
        while others := self._too_many(preset):
            self._send_away(others[0])

    def _find(self, preset: Preset) -> Resident | None:
        """Who can be it: the same, one that shares its weights, an older form of the same name."""
        same = (each for each in self._all if each.preset == preset)
        named = (each for each in self._all if each.preset.name == preset.name)
        return next(same, None) or self._akin(preset) or next(named, None)

    def _akin(self, preset: Preset) -> Resident | None:
        """Whoever can become this preset without loading weights."""
        for each in self._all:
            shares = getattr(each.editor, "shares", None)
            if each.preset.engine == preset.engine and shares is not None and shares(preset):
                return each
        return None

    def _taken_in(self, preset: Preset) -> Resident:
        if not preset.on_device and (light := self._of_engine(preset)) is not None:
            light.editor.load(preset)
            light.preset = preset
            return light
        self.make_room(preset)
        editor = engines.editor(preset.engine)
        if not self._has_loaded(editor, preset):
            # What presets say of their memory was too little: once more, alone.
            for each in [each for each in self._all if each.preset.on_device]:
                self._send_away(each)
            editor.load(preset)
        self._all.append(resident := Resident(preset, editor))
        return resident

    def _has_loaded(self, editor: Edits, preset: Preset) -> bool:
        """Load; False where the memory ended and somebody could go. Raises what else goes wrong."""
        try:
            editor.load(preset)
        except Exception as error:
            editor.unload()
            if not ended_in_memory(error) or not any(each.preset.on_device for each in self._all):
                raise
            # The traceback holds what was loaded so far: it goes with this block.
            return False
        return True

    def _of_engine(self, preset: Preset) -> Resident | None:
        return next((each for each in self._all if each.preset.engine == preset.engine), None)

    def _too_many(self, preset: Preset) -> list[Resident]:
        """Those beside whom this preset does not fit, the least lately used first; empty: it fits."""
        others = [
            each for each in self._all if each.preset.on_device and each.preset.name != preset.name
        ]
        room = budget()
        if not preset.on_device or not others:
            return []
        if room is None:
            return others
        taken = sum(need(each.preset) for each in others) + need(preset)
        return others if taken > room else []

    def _send_away(self, resident: Resident) -> None:
        self._all.remove(resident)
        resident.editor.unload()
        self.evicted += 1


def need(preset: Preset) -> float:
    """Gigabytes that a preset says it needs; without a word, more than there can be beside others."""
    return float(preset.settings.get("vram_gb", float("inf")))


def budget() -> float | None:
    """Gigabytes that presets may take together on this device; None when nobody knows."""
    if said := float(os.environ.get("FORUM_STUDIO_MEMORY_GB") or 0):
        return said
    # Never imported here: where an engine did, its device can be asked.
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return None
    return float(torch.cuda.mem_get_info()[1]) / 2**30


def ended_in_memory(error: BaseException) -> bool:
    """Whether a load failed for want of memory."""
    cause: BaseException | None = error
    while cause is not None:
        said = f"{type(cause).__name__} {cause}".lower()
        if OUT_OF_MEMORY in said or "outofmemory" in said:
            return True
        cause = cause.__cause__
    return False
