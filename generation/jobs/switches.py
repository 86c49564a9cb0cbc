"""The operator's switches over presets, in the database: offered or not, running or paused, default. Light."""

from dataclasses import dataclass
from typing import LiteralString

from django.conf import settings
from django.db import connection, transaction

from generation.engines.base import Preset
from generation.engines.sources import sources
from generation.jobs import posting, turns
from generation.models import Switch
from generation.prompts import planning


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


_OFFERED: LiteralString = """
SELECT 'off', preset FROM generation_switch WHERE NOT enabled
UNION ALL SELECT 'default', preset FROM generation_switch WHERE is_default
UNION ALL SELECT DISTINCT what, substr(queue, 6) FROM generation_worker worker,
    jsonb_array_elements_text(queues) queue, unnest(ARRAY['at work', 'on gpu']) what
WHERE seen_at > now() - interval '30 seconds' AND NOT draining AND queue LIKE 'edit:%%'
    AND (what = 'at work' OR EXISTS (SELECT 1 FROM jsonb_array_elements(about->'devices') device
        WHERE coalesce(device->>'device', device->>'name') <> 'cpu'))
"""


@dataclass(frozen=True, slots=True)
class Offer:
    """Presets that people may choose now, and those that somebody at work takes."""

    presets: dict[str, Preset]
    at_work: frozenset[str]
    #: The one that answers where nobody named another.
    usual: str

    def is_impossible(self, preset: str) -> bool:
        """Whether engines are at work and none of them is this one."""
        return bool(self.at_work) and preset not in self.at_work


def offered(also: str = "") -> dict[str, Preset]:
    """Presets that people may choose now, by name: those of `offer`."""
    return offer(also).presets


def offer(also: str = "") -> Offer:
    """What people may choose now, in one query.

    Enabled presets; of those whose weights must lie on a machine, only what some worker at work has.
    `also` names one that stays in the list, because it is chosen already.
    """
    with connection.cursor() as cursor:
        cursor.execute(_OFFERED, [])
        said = set(cursor.fetchall())
    at_work = frozenset(name for what, name in said if what == "at work")
    presets = {
        name: preset
        for name, preset in planning.presets().items()
        if name == also or (("off", name) not in said and (not sources(preset) or name in at_work))
    }
    return Offer(presets, at_work, usual_of(said, list(presets)))


def usual_of(said: set[tuple[str, str]], offered: list[str]) -> str:
    """The operator's default, else the one for GPUs while a GPU at work has it, else the house's.

    Where that is switched off, the first that is offered.
    """
    known = planning.presets()
    chosen = [name for what, name in said if what == "default" and name in known]
    if chosen:
        return chosen[0]
    on_gpu = settings.FORUM_DEFAULT_GPU_PRESET
    if on_gpu in known and ("on gpu", on_gpu) in said and ("off", on_gpu) not in said:
        return str(on_gpu)
    usual = str(settings.FORUM_DEFAULT_PRESET)
    return usual if ("off", usual) not in said else next(iter(offered), usual)


def usual() -> str:
    """The preset that answers where nobody named another: that of `offer`."""
    return offer().usual


def is_enabled(preset: str) -> bool:
    """Whether people may ask for this preset."""
    return not Switch.objects.filter(preset=preset, enabled=False).exists()


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
    posting.tell_waiting()


@transaction.atomic
def resume(preset: str) -> None:
    """Let this preset's jobs be taken again, at once. Raises `LookupError`."""
    change(preset, paused=False)
    turns.order(queue=f"edit:{preset}")
    posting.tell_waiting()


def change(preset: str, **switches: bool) -> None:
    """Set some switches of a preset. Raises `LookupError` for one that is not there."""
    planning.preset(preset)
    Switch.objects.update_or_create(preset=preset, defaults=switches)
