"""Puts weights that were read onto a device, and makes them fast, as a preset and the memory allow."""

import os
import shutil
from dataclasses import dataclass
from typing import Any

import torch

from generation.engines.diffusion.refusals import NotLoaded
from generation.engines.diffusion.settings import Settings

GIGABYTE = 1024**3
#: Compilers of C++, as torch looks for them where CXX names none, and of C, which a GPU's needs.
COMPILERS = {"cpu": ("CXX", "g++", "clang++"), "cuda": ("CC", "gcc", "clang", "cc")}
#: Shapes that a block may be compiled for: every size with every batch, and with every number of sources.
MOST_SHAPES = 1024
#: What makes machine code of a traced block.
BACKEND = "inductor"


@dataclass(frozen=True, slots=True)
class Placed:
    """What came of a preset's wishes."""

    offload: str = "none"
    attention: str = "default"
    compiled: bool = False


def placed(pipe: Any, words: Settings, device: torch.device, vram_gb: float) -> Placed:
    """Move a pipeline to its device and make it fast. `vram_gb` is what it wants. Raises `NotLoaded`."""
    wishes, dtype = words.optimise, getattr(torch, words.dtype)
    denoiser = getattr(pipe, "transformer", None) or pipe.unet
    on_gpu = device.type == "cuda"
    if on_gpu:
        # Convolutions by rules that give the same bits each time.
        torch.backends.cudnn.deterministic = True
    if wishes.get("fp8") and on_gpu:
        denoiser.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
    waits = offload(wishes, device, vram_gb) if on_gpu else "none"
    if waits == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif waits == "sequential":
        pipe.enable_sequential_cpu_offload(device=device)
    else:
        pipe.to(device)
    if wishes.get("vae_channels_last") and flat(pipe.vae):
        pipe.vae.to(memory_format=torch.channels_last)
    attention = wishes.get("attention")
    if attention:
        set_attention(denoiser, attention)
    way = str(wishes.get("compile", "none"))
    if way != "none":
        compile_blocks(denoiser, device, way)
    return Placed(waits, attention or "default", way != "none")


def offload(wishes: dict[str, Any], device: torch.device, vram_gb: float) -> str:
    """Where weights wait between their turns: "auto" keeps them on a GPU that has the room."""
    wish = str(wishes.get("offload", "auto"))
    if wish != "auto":
        return wish
    memory = torch.cuda.get_device_properties(device).total_memory / GIGABYTE
    return "none" if memory >= vram_gb else "model"


def flat(vae: torch.nn.Module) -> bool:
    """Whether a VAE has layers of pictures only: films have a fifth dimension."""
    return not any(isinstance(layer, torch.nn.Conv3d) for layer in vae.modules())


def set_attention(denoiser: Any, name: str) -> None:
    """Use a named attention kernel. Raises `NotLoaded` where it does not run here."""
    try:
        denoiser.set_attention_backend(name)
    except (ValueError, RuntimeError, AttributeError) as error:
        raise NotLoaded(f"The attention backend {name} does not run here: {error}") from error


def compile_blocks(denoiser: Any, device: torch.device, way: str) -> None:
    """Compile the blocks that repeat, each time a new shape comes. Raises `NotLoaded`.

    "regional" compiles for every shape by itself; "dynamic" once for all, which is slower to run, and
    right for models that see as many tokens of a prompt as it has. Left to itself torch does the first
    at first, and goes over to the second: then a picture's bits would depend on what was asked before.
    """
    if (wanted := lacks_compiler(device)) is not None:
        raise NotLoaded(
            f"optimise.compile needs a compiler here, such as {wanted}: or leave it out."
        )
    dynamo: Any = torch._dynamo.config
    dynamo.recompile_limit = max(dynamo.recompile_limit, MOST_SHAPES)
    dynamo.accumulated_recompile_limit = max(dynamo.accumulated_recompile_limit, 8 * MOST_SHAPES)
    try:
        denoiser.compile_repeated_blocks(fullgraph=True, dynamic=way == "dynamic", backend=BACKEND)
    except (ValueError, AttributeError) as error:
        raise NotLoaded(
            f"{type(denoiser).__name__} cannot be compiled by blocks: {error}"
        ) from error


def lacks_compiler(device: torch.device) -> str | None:
    """The compiler that compiling needs where there is none; None where there is one."""
    variable, *names = COMPILERS.get(device.type, COMPILERS["cpu"])
    named = os.environ.get(variable)
    there = shutil.which(named) if named else any(map(shutil.which, names))
    return None if there else names[0]
