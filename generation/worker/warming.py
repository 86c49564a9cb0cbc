"""Which presets a device loads before anybody asks for them. Light.

An operator names them in their order (FORUM_STUDIO_WARM); otherwise it is the order of the preset
files. The first that can be loaded makes the device available; the others follow one by one while it
has nothing to do, as long as they fit beside those that are there. Of several devices each begins with
another, so that together they have more of them at hand.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

import structlog

from generation.engines.base import Preset
from generation.worker.devices import Device
from generation.worker.hosts import HostLost, HostSilent

#: Seconds after which a device that could not be made ready is tried again.
AGAIN = 60.0
#: How often it is looked whether a device has nothing to do.
LOOK_EVERY = 0.5
#: What may go wrong while a host loads.
TROUBLES = (HostLost, HostSilent, OSError, RuntimeError)
log = structlog.get_logger("generation")


def order(named: str, served: Sequence[Preset], place: int = 0) -> list[Preset]:
    """Presets to be loaded on the device with this place among all, the first one first.

    What is named and not served here is left out; if nothing is left, it is as if nothing were named.
    """
    by_name = {preset.name: preset for preset in served}
    wished = dict.fromkeys(each.strip() for each in named.split(",") if each.strip())
    if strange := [name for name in wished if name not in by_name]:
        log.warning("FORUM_STUDIO_WARM names what is not served here", presets=strange)
    chosen = [by_name[name] for name in wished if name in by_name] or list(served)
    begin = place % max(1, len(chosen))
    return chosen[begin:] + chosen[:begin]


async def until_ready(device: Device, presets: Sequence[Preset]) -> None:
    """Load the first preset that can be loaded; try again later while none can."""
    while True:
        for preset in presets:
            if await _warmed(device, preset):
                log.info("device ready", device=device.name, preset=preset.name)
                return
        await asyncio.sleep(AGAIN)


async def the_rest(device: Device, presets: Sequence[Preset]) -> None:
    """Load what else fits, while nobody waits for the device."""
    for preset in presets:
        while not device.idle:
            await asyncio.sleep(LOOK_EVERY)
        if preset.name not in device.resident:
            await _warmed(device, preset, if_it_fits=True)


async def _warmed(device: Device, preset: Preset, *, if_it_fits: bool = False) -> bool:
    """Load one preset. What it says when it cannot be is for the operator."""
    try:
        await device.warm(asdict(preset), if_it_fits=if_it_fits)
    except TROUBLES as error:
        log.error("preset not loaded", device=device.name, preset=preset.name, trouble=str(error))
        if not isinstance(error, RuntimeError):
            await device.host.kill()
        return False
    return True
