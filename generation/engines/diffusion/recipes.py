"""What a derivative's recipe holds: enough to get the same bits again on the same machine."""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from generation.engines.diffusion.calls import Row, avoided
from generation.engines.diffusion.loading import Loaded
from generation.engines.diffusion.outside import way
from generation.engines.diffusion.settings import Call

#: Where the noise comes from: one generator per picture, on the CPU.
GENERATOR = "torch-cpu"
#: What decides how a picture comes out, as recipes name it. torchvision prepares pictures for
#: Qwen's encoder where it is installed, a little differently than Pillow does.
PACKAGES = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "peft",
    "torchvision",
    "numpy",
    "pillow",
)


def recipe(
    row: Row, place: int, bucket: int, call: Call, loaded: Loaded, milliseconds: dict[str, int]
) -> dict[str, Any]:
    """The recipe of the picture that came out of row `place` of a batch; plain data."""
    request, settings = row.item.request, loaded.settings
    stages = ({"maps": row.kept.milliseconds} if row.kept.told else {}) | milliseconds
    return {
        "preset": request.preset,
        "preset_digest": digest(asdict(loaded.preset)),
        "task": call.task,
        "prompt": request.prompt,
        "prompt_read": row.prompt,
        "tokens_dropped": row.dropped,
        "negative": avoided(loaded.pipelines[call.task], row, settings.negative),
        "seed": request.seed,
        "generator": GENERATOR,
        "steps": call.steps,
        "guidance": guidance(call, loaded),
        "strength": request.strength,
        "strength_passed": call.strength,
        "size": list(call.size),
        "cut": None if row.cut is None else [round(side, 2) for side in row.cut.box],
        "bucket": bucket,
        "row": place,
        "sources": [source.sha256 for source in request.sources],
        "mask": None if request.mask is None else request.mask.sha256,
        "outside": way(loaded.pipelines[call.task], [row]),
        "control": list(row.kept.told) or None,
        "stages": stages,
        "milliseconds": sum(stages.values()),
    } | means(call.task, loaded)


def means(task: str, loaded: Loaded) -> dict[str, Any]:
    """With what a picture was made: weights, classes, device and versions."""
    scheduler = loaded.pipelines[task].scheduler
    return {
        "pipeline": loaded.settings.pipelines[task],
        "weights": told(loaded.weights),
        "parts": loaded.weights,
        "scheduler": type(scheduler).__name__,
        "scheduler_digest": digest(dict(scheduler.config)),
        "dtype": loaded.settings.dtype,
        "attention": loaded.attention,
        "compiled": loaded.compiled,
        "offload": loaded.offload,
        "tiled": loaded.tiled,
        "device": loaded.device_name,
        "versions": dict(versions()),
    }


def told(weights: dict[str, dict[str, Any]]) -> str:
    """The weights in a line for people: names, how much of an adapter, and what holds them.

    That is a commit, or for a folder of the operator's, which has none, a digest of its files.
    """
    found = []
    for part in weights.values():
        held = f" @ {part['revision'][:12]}" if part.get("revision") else ""
        held = held or (f" # {digest(part['files'])[:12]}" if part.get("files") else "")
        scale = f" × {part['scale']}" if "scale" in part else ""
        found.append(f"{part['model']}{held}{scale}")
    return ", ".join(found)


def guidance(call: Call, loaded: Loaded) -> float | None:
    """What was really passed on."""
    if call.guidance is not None:
        return call.guidance
    said = loaded.settings.call.get(loaded.settings.guidance or "guidance_scale")
    return None if said is None else float(said)


def digest(words: dict[str, Any]) -> str:
    """The first 16 hex digits of the SHA-256 of plain data."""
    text = json.dumps(words, sort_keys=True, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Versions of what is installed of `PACKAGES`."""
    found = []
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    return tuple(found)
