"""The operator's switches over presets, in the database: offered or not, running or paused, default. Light."""

from dataclasses import dataclass

from django.db import transaction

from generation import planning, turns
from generation.engines.base import Preset
from generation.models import Switch


@dataclass(frozen=True, slots=True)
class PresetState:
    """A preset and what the operator decided about it."""

    preset: Preset
    enabled: bool = True
    paused: bool = False
    is_default: bool = False


def preset_states() -> dict[str, PresetState]:
    """Every preset with its switches, by name, in one query. At most one is the default."""
    kept = {switch.preset: switch for switch in Switch.objects.all()}
    return {
        name: PresetState(preset, switch.enabled, switch.paused, switch.is_default)
        if (switch := kept.get(name))
        else PresetState(preset)
        for name, preset in planning.presets().items()
    }


@transaction.atomic
def enable(preset: str) -> None:
    """Let people ask for this preset. Raises `LookupError` for one that is not there."""
    change(preset, enabled=True)


@transaction.atomic
def disable(preset: str) -> None:
    """Offer this preset to nobody; what waits is still made. Raises `LookupError`."""
    change(preset, enabled=False, is_default=False)


@transaction.atomic
def make_default(preset: str) -> None:
    """New boards are answered by this preset; it is enabled by that. Raises `LookupError`."""
    Switch.objects.select_for_update().filter(is_default=True).exclude(preset=preset).update(
        is_default=False
    )
    change(preset, enabled=True, is_default=True)


@transaction.atomic
def pause(preset: str) -> None:
    """Let this preset's jobs wait until `resume`; what runs goes on. Raises `LookupError`."""
    change(preset, paused=True)
    turns.order(queue=f"edit:{preset}")


@transaction.atomic
def resume(preset: str) -> None:
    """Let this preset's jobs be taken again, at once. Raises `LookupError`."""
    change(preset, paused=False)
    turns.order(queue=f"edit:{preset}")


def change(preset: str, **switches: bool) -> None:
    """Set some switches of a preset. Raises `LookupError` for one that is not there."""
    planning.preset(preset)
    Switch.objects.update_or_create(preset=preset, defaults=switches)
