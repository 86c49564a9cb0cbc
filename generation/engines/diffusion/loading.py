"""Brings a preset's weights from the disk onto a device. Never from the network, never a pickle."""

import gc
import hashlib
import json
import os
import pkgutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from generation.engines.base import Preset
from generation.engines.diffusion import placing, processors
from generation.engines.diffusion.colours import Colours, fitted
from generation.engines.diffusion.estimating import Estimator, estimator
from generation.engines.diffusion.refusals import NotLoaded
from generation.engines.diffusion.settings import Part, Settings, settings
from generation.engines.sources import Source, sources

#: Files that hold weights as pickles: loading one runs whatever is in it.
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".msgpack")
SAFE = ".safetensors"
GIGABYTE = 1024**3
#: What libraries raise over files that are damaged, or made for something else.
UNFIT = (OSError, ValueError, TypeError, LookupError, AttributeError, RuntimeError)


@dataclass(slots=True)
class Loaded:
    """A preset on its device: one set of weights, a pipeline for each task."""

    preset: Preset
    settings: Settings
    device: torch.device
    pipelines: dict[str, Any]
    colours: Colours
    #: What draws the maps to follow, by role.
    estimators: dict[str, Estimator] = field(default_factory=dict)
    #: What the recipe says of the weights: model, revision, files, adapters.
    weights: dict[str, Any] = field(default_factory=dict)
    attention: str = "default"
    compiled: bool = False
    offload: str = "none"
    tiled: bool = False
    #: Shapes that were run once before the first job.
    warmed: int = 0
    seconds: float = 0.0

    @property
    def first(self) -> Any:
        """The pipeline that was loaded; the others share its parts."""
        return next(iter(self.pipelines.values()))

    @property
    def device_name(self) -> str:
        """The device as people know it."""
        if self.device.type == "cuda":
            return torch.cuda.get_device_name(self.device)
        return self.device.type

    def tile(self) -> None:
        """Decode and encode in tiles from now on: slower, with a fraction of the memory."""
        self.first.vae.enable_tiling()
        self.tiled = True

    def rest(self) -> None:
        """After a run: what is kept in the computer's memory goes back there."""
        self.first.maybe_free_model_hooks()

    def about(self) -> dict[str, Any]:
        """What an operator wants to know of it."""
        return {
            "preset": self.preset.name,
            "device": self.device_name,
            "dtype": self.settings.dtype,
            "offload": self.offload,
            "attention": self.attention,
            "compiled": self.compiled,
            "warmed": self.warmed,
            "preview_fit": self.colours.fit,
            "seconds": round(self.seconds, 1),
            "memory_gb": memory_gb(self.device),
        }


def load(preset: Preset) -> Loaded:
    """Load a preset. Raises `NotLoaded` with one sentence for an operator."""
    begun = time.perf_counter()
    hush()
    words, folders = read(preset)
    device = best_device()
    first = pipeline(words, folders)
    refuse_modes(first, words)
    add_adapters(first, words, folders)
    loaded = Loaded(
        preset=preset,
        settings=words,
        device=device,
        pipelines=sharing(first, words),
        colours=Colours(torch.zeros(1, 1), 1, 0.0),
        weights=facts(preset, words, folders),
    )
    try:
        placed = placing.placed(first, words, device, float(preset.settings.get("vram_gb", 0)))
        loaded.attention, loaded.compiled = placed.attention, placed.compiled
        loaded.offload = placed.offload
        loaded.estimators = estimators(words, folders, device, loaded.offload)
        loaded.colours = fitted(first, device)
    except torch.OutOfMemoryError as error:
        raise NotLoaded(f"The weights of {preset.name} do not fit this device.") from error
    loaded.rest()
    loaded.seconds = time.perf_counter() - begun
    return loaded


def read(preset: Preset) -> tuple[Settings, dict[str, Path]]:
    """A preset's settings and the folder of each of its weights. Raises `NotLoaded`."""
    try:
        words = settings(preset)
    except ValueError as error:
        raise NotLoaded(str(error)) from None
    folders = {source.role: folder_of(source) for source in sources(preset)}
    for folder in folders.values():
        refuse_pickles(folder)
    return on(best_device(), words), folders


def on(device: torch.device, words: Settings) -> Settings:
    """The settings on this device: a CPU works slower in 16 bits of a float than in 32, if at all."""
    wide = device.type == "cpu" and words.dtype == "float16"
    return replace(words, dtype="float32") if wide else words


def hush() -> None:
    """Nothing that libraries have to say of a prompt reaches a log, nor a bar the terminal."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    diffusers.utils.logging.set_verbosity(diffusers.utils.logging.CRITICAL)
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity(transformers.utils.logging.CRITICAL)
    transformers.utils.logging.disable_progress_bar()


def best_device() -> torch.device:
    """The first GPU this process may see, else Apple's, else the CPU, which can be asked for.

    Which GPU that is, the worker decides by CUDA_VISIBLE_DEVICES before it starts a host.
    """
    if os.environ.get("FORUM_STUDIO_DEVICES") == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        return torch.device("cuda", 0)
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def folder_of(source: Source) -> Path:
    """Where its files lie. Raises `NotLoaded` when they do not."""
    folder = source.folder
    if folder is None:
        raise NotLoaded(f"{source.model} is not pinned to a revision: pull it first.")
    if not folder.is_dir():
        raise NotLoaded(f"The weights of {source.model} are not on this machine: pull them first.")
    return folder


def refuse_pickles(folder: Path) -> None:
    """Raises `NotLoaded` unless every part of the model has its weights as safetensors.

    A repository may hold pickles beside them; those are never opened.
    """
    safe = {path.parent for path in folder.rglob(f"*{SAFE}")}
    for path in folder.rglob("*"):
        if path.suffix in PICKLES and path.parent not in safe:
            raise NotLoaded(
                f"{path.relative_to(folder)} is a pickle, which is never loaded; "
                "convert these weights to safetensors."
            )
    if not safe:
        raise NotLoaded(f"There are no safetensors files in {folder.name}.")


def pipeline(words: Settings, folders: dict[str, Path]) -> Any:
    """The first pipeline of the preset, in the computer's memory."""
    dtype = getattr(torch, words.dtype)
    folder = folders["model"]
    given: dict[str, Any] = dict.fromkeys(words.without)
    given |= {role: component(part, folders[role], dtype) for part, role in components(words)}
    given |= dict(helped(folder))
    kind = pkgutil.resolve_name(next(iter(words.pipelines.values())))
    try:
        made = kind.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True,
            **words.init, **given,
        )  # fmt: skip
    except UNFIT as error:
        raise NotLoaded(f"{folder.name} could not be loaded as {kind.__name__}: {error}") from error
    made.set_progress_bar_config(disable=True)
    return made


def components(words: Settings) -> Iterator[tuple[Part, str]]:
    """The parts that stand in the place of a component."""
    yield from (
        (part, part.role) for part in words.parts if not part.adapter and not part.estimator
    )


def component(part: Part, folder: Path, dtype: torch.dtype) -> Any:
    """One component from weights of its own."""
    kind = pkgutil.resolve_name(part.kind)
    return kind.from_pretrained(
        folder, torch_dtype=dtype, use_safetensors=True, local_files_only=True
    )


def estimators(
    words: Settings, folders: dict[str, Path], device: torch.device, offloaded: str
) -> dict[str, Estimator]:
    """What draws the maps to follow. Raises `NotLoaded`.

    Where the pipeline waits in the computer's memory between its turns, they do so too.
    """
    made = {}
    for part in words.parts:
        if not part.estimator:
            continue
        folder = folders[part.role]
        try:
            made[part.role] = estimator(part, folder, device, waits=offloaded != "none")
        except torch.OutOfMemoryError as error:
            raise NotLoaded(f"The weights of {folder.name} do not fit this device.") from error
        except UNFIT as error:
            raise NotLoaded(f"{folder.name} could not be loaded as {part.kind}: {error}") from error
    return made


def refuse_modes(pipe: Any, words: Settings) -> None:
    """Raises `NotLoaded` where the ControlNet does not know a kind of map by its number."""
    net = getattr(pipe, "controlnet", None)
    known = getattr(getattr(net, "config", None), "num_control_type", None)
    for control in words.controls:
        for each in (control, control.otherwise):
            if known is not None and each is not None and each.mode >= known:
                raise NotLoaded(f"The ControlNet has no mode {each.mode}: they end at {known - 1}.")


def helped(folder: Path) -> Iterator[tuple[str, Any]]:
    """Components that could not be made as they stand without torchvision."""
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    for role, value in index.items():
        if isinstance(value, list) and value[0] and processors.needs_help(*value[:2]):
            yield role, processors.of_stills(value[1], folder / role)


def sharing(first: Any, words: Settings) -> dict[str, Any]:
    """A pipeline for each task, all with the components of the first."""
    made: dict[str, Any] = {}
    by_path: dict[str, Any] = {}
    for task, path in words.pipelines.items():
        if path not in by_path:
            by_path[path] = first if not by_path else shared(first, path, words)
        made[task] = by_path[path]
    return made


def shared(first: Any, path: str, words: Settings) -> Any:
    """Another pipeline over the same weights; what it has no use for is left out."""
    kind = pkgutil.resolve_name(path)
    known, optional = kind._get_signature_keys(kind)
    own = {name: each for name, each in first.components.items() if name in known}
    kept = {key: value for key, value in first.config.items() if key in optional}
    kept |= {key: value for key, value in words.init.items() if key in optional}
    made = kind(**{**{key: value for key, value in kept.items() if key not in own}, **own})
    made.set_progress_bar_config(disable=True)
    return made


def add_adapters(pipe: Any, words: Settings, folders: dict[str, Path]) -> None:
    """LoRA adapters with their scales; only operators name them. Raises `NotLoaded`."""
    adapters = [part for part in words.parts if part.adapter]
    for part in adapters:
        try:
            pipe.load_lora_weights(
                folders[part.role],
                weight_name=part.file or adapter_file(folders[part.role]),
                adapter_name=part.role,
                local_files_only=True,
                use_safetensors=True,
            )
        except UNFIT as error:
            raise NotLoaded(f"The adapter {part.role} does not fit this model: {error}") from error
    if adapters:
        pipe.set_adapters([part.role for part in adapters], [part.scale for part in adapters])


def adapter_file(folder: Path) -> str:
    """The one file of an adapter. Raises `NotLoaded` when a preset must say which."""
    files = sorted(path.name for path in folder.glob(f"*{SAFE}"))
    if len(files) != 1:
        raise NotLoaded(f"{folder.name} holds {len(files)} adapters: name one with `file`.")
    return files[0]


def memory_gb(device: torch.device) -> float | None:
    """The most memory taken on a GPU so far; None elsewhere."""
    if device.type != "cuda":
        return None
    return round(torch.cuda.max_memory_allocated(device) / GIGABYTE, 2)


def free(device: torch.device) -> None:
    """Give back what nothing refers to any more."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def facts(preset: Preset, words: Settings, folders: dict[str, Path]) -> dict[str, Any]:
    """What a recipe says of the weights: a revision where there is one, else digests of files."""
    found: dict[str, Any] = {}
    scales = {part.role: part.scale for part in words.parts if part.adapter}
    for source in sources(preset):
        said: dict[str, Any] = {"model": folders[source.role].name}
        if source.local:
            said["files"] = digests(folders[source.role])
        else:
            said |= {"model": source.model, "revision": source.revision}
        if source.role in scales:
            said["scale"] = scales[source.role]
        if source.licence:
            said["licence"] = source.licence
        found[source.role] = said
    return found


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each weights file of a folder, by its path inside, first 16 digits."""
    found = {}
    for path in sorted(folder.rglob(f"*{SAFE}")):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        found[path.relative_to(folder).as_posix()] = digest[:16]
    return found
