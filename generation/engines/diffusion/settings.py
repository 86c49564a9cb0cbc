"""What a preset of the engine `diffusers` says beyond the common fields, read and checked.

Light: standard library only, for the web reads sizes and tasks from here too.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from generation.engines import buckets
from generation.engines.base import EngineError, Preset, SourceRefused
from generation.engines.diffusion import controls
from generation.engines.diffusion.controls import ESTIMATORS, PATH, Control
from generation.requests import EditRequest

#: What can be asked of a preset, and the pipeline that does it.
TASKS = ("edit", "create", "inpaint")
#: A file below a folder that holds weights as safetensors: a pickle by name would be run.
SAFE_FILE = re.compile(r"(?!.*\.\.)\w[\w./ -]*\.safetensors")
DTYPES = ("bfloat16", "float16", "float32")
#: Values of `optimise`, by key; a tuple lists all that may be said.
OPTIMISE: dict[str, tuple[object, ...]] = {
    "compile": ("none", "regional", "dynamic"),
    "offload": ("auto", "none", "model", "sequential"),
    "vae_channels_last": (True, False),
    "fp8": (True, False),
    "warm": ("none", "first", "all"),
    "remember": (True, False),
}
#: What the table of a part may say.
PART_KEYS = ("model", "revision", "licence", "class", "device", "scale", "file", "files")
Size = tuple[int, int]


class NotPossible(EngineError):
    """This preset cannot do what was asked."""

    permanent = True


@dataclass(frozen=True, slots=True)
class Strength:
    """How "how far may it go" (0 to 1) becomes an argument of the pipeline, along a line."""

    argument: str = "strength"
    weak: float = 0.0
    strong: float = 1.0

    def value(self, strength: float) -> float:
        """The argument's value."""
        return round(self.weak + (self.strong - self.weak) * min(max(strength, 0.0), 1.0), 4)


@dataclass(frozen=True, slots=True)
class Part:
    """Weights beside the main ones: a component of the pipeline, an estimator, a LoRA adapter."""

    role: str
    #: Dotted path of the class of a component or an estimator; empty for an adapter.
    kind: str = ""
    #: File inside its folder, where there are several.
    file: str = ""
    #: Weight of an adapter, usually 0 to 1.
    scale: float = 1.0
    #: Where an estimator works: "auto" is beside the pipeline.
    device: str = "auto"

    @property
    def adapter(self) -> bool:
        """Whether this is a LoRA adapter."""
        return not self.kind

    @property
    def estimator(self) -> bool:
        """Whether this draws maps to follow; the pipeline does not know it."""
        return bool(self.kind) and self.role in ESTIMATORS


@dataclass(frozen=True, slots=True)
class Settings:
    """One preset, as the engine needs it."""

    #: Task -> "package.module:Class". The first one is loaded, the others share its weights.
    pipelines: dict[str, str]
    sizes: tuple[Size, ...]
    dtype: str = "bfloat16"
    #: Arguments of every call, as they stand.
    call: dict[str, Any] = field(default_factory=dict)
    #: Arguments of the pipeline's constructor.
    init: dict[str, Any] = field(default_factory=dict)
    #: Components that are left out, such as a safety checker.
    without: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    strength: Strength | None = None
    #: Maps that a result must follow.
    controls: tuple[Control, ...] = ()
    #: What must not be seen unless a member says otherwise.
    negative: str = ""
    #: Name of the argument that `guidance` of a request sets; empty where there is none.
    guidance: str = "guidance_scale"
    optimise: dict[str, Any] = field(default_factory=dict)
    #: Frames a second of what moves; 0 for still pictures.
    fps: int = 0

    def task(self, request: EditRequest) -> str:
        """Which pipeline serves a request. Raises `NotPossible` or `SourceRefused`."""
        if not request.sources:
            if "create" not in self.pipelines:
                raise SourceRefused("This engine needs an image to begin from.")
            return "create"
        if request.mask is not None and "inpaint" in self.pipelines:
            return "inpaint"
        if "edit" not in self.pipelines:
            raise NotPossible("This engine makes new images only; it cannot edit one.")
        return "edit"

    @property
    def tasks(self) -> tuple[str, ...]:
        """What can be asked; a mask is always possible where editing is."""
        return tuple(name for name in TASKS if name in self.pipelines) or ("edit",)


@dataclass(frozen=True, slots=True)
class Call:
    """What all items of one batch share: one pipeline call takes each of these once."""

    task: str
    size: Size
    steps: int
    guidance: float | None
    strength: float | None
    sources: int
    masked: bool
    negative: bool
    #: Wanted size of the batch; None is free.
    bucket: int | None


def call_for(request: EditRequest, preset: Preset) -> Call:
    """The shared part of a request. Raises `EngineError` for what the preset cannot do."""
    words = settings(preset)
    task = words.task(request)
    if len(request.sources) > max(preset.max_sources, 1):
        raise SourceRefused(f"This engine takes at most {preset.max_sources} images at once.")
    steps = request.steps or int(words.call.get("num_inference_steps", 1))
    guidance = request.guidance if words.guidance and request.guidance is not None else None
    return Call(
        task=task,
        size=size_for(request, preset),
        steps=steps,
        guidance=guidance,
        strength=strength_for(words, task, request.strength, steps),
        sources=len(request.sources),
        masked=request.mask is not None,
        negative=bool(request.negative),
        bucket=request.bucket,
    )


def strength_for(words: Settings, task: str, strength: float, steps: int) -> float | None:
    """The value passed on, or None where the pipeline has no such thing.

    Image-to-image pipelines run `steps` x strength steps, and refuse to run none.
    """
    if words.strength is None or task == "create":
        return None
    value = words.strength.value(strength)
    if words.strength.argument == "strength":
        return max(value, math.ceil(1000 / steps) / 1000)
    return value


def size_for(request: EditRequest, preset: Preset) -> Size:
    """The size a request runs at: always one of the preset's, for only those are warm."""
    sizes = settings(preset).sizes
    wanted = buckets.size_for(request, preset) or sizes[0]
    if wanted in sizes:
        return wanted
    return min(sizes, key=lambda size: (shape_distance(size, wanted), area_distance(size, wanted)))


def shape_distance(one: Size, other: Size) -> float:
    """How unlike two shapes are: the logarithm of the ratio of their ratios, in hundredths."""
    return round(abs(math.log(one[0] * other[1] / (one[1] * other[0]))), 2)


def area_distance(one: Size, other: Size) -> float:
    """How unlike two areas are, on the same scale."""
    return abs(math.log(one[0] * one[1] / (other[0] * other[1])))


def settings(preset: Preset) -> Settings:
    """A preset's settings. Raises `ValueError` with one sentence for each thing that is wrong."""
    wrong = list(problems(preset.settings))
    if wrong:
        raise ValueError(f"[{preset.name}] " + " ".join(wrong))
    return _settings(_Words(preset.settings))


class _Words(dict[str, Any]):
    """A table as a key of a cache: the same object is the same table."""

    def __init__(self, words: dict[str, Any]) -> None:
        super().__init__(words)
        self._text = repr(sorted(words.items(), key=lambda pair: pair[0]))

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(self._text)


@lru_cache(maxsize=64)
def _settings(words: _Words) -> Settings:
    strength = words.get("strength")
    return Settings(
        pipelines=dict(words["pipelines"]),
        sizes=tuple((width, height) for width, height in words["sizes"]),
        dtype=words.get("dtype", "bfloat16"),
        call=dict(words.get("call", {})),
        init=dict(words.get("init", {})),
        without=tuple(words.get("without", ())),
        parts=tuple(_parts(words.get("parts", {}))),
        strength=Strength(**strength) if strength is not None else None,
        controls=controls.controls(words.get("control")),
        negative=words.get("negative", ""),
        guidance=words.get("guidance", "guidance_scale"),
        optimise=dict(words.get("optimise", {})),
        fps=words.get("fps", 0),
    )


def _parts(words: dict[str, dict[str, Any]]) -> Iterator[Part]:
    for role, part in words.items():
        yield Part(
            role,
            kind=part.get("class", ""),
            file=part.get("file", ""),
            scale=part.get("scale", 1.0),
            device=part.get("device", "auto"),
        )


# --- what must hold ---------------------------------------------------------------------------


def problems(words: dict[str, Any]) -> Iterator[str]:
    """One sentence for each thing in a preset's table that this engine cannot work with."""
    if not isinstance(words.get("model"), str):
        yield "model is missing: a hub id such as owner/name, or a folder."
    yield from pipeline_problems(words.get("pipelines"))
    if not words.get("sizes"):
        yield "sizes is missing: pairs of width and height, such as [[1024, 1024]]."
    if words.get("dtype", "bfloat16") not in DTYPES:
        yield f"dtype must be one of {', '.join(DTYPES)}."
    yield from strength_problems(words.get("strength"))
    yield from controls.problems(words.get("control"), words.get("parts"))
    yield from optimise_problems(words.get("optimise", {}))
    yield from part_problems(words.get("parts", {}))
    steps = words.get("call", {}).get("num_inference_steps", 1)
    if type(steps) is not int or steps < 1:
        yield "call.num_inference_steps must be a number above 0."


def pipeline_problems(pipelines: object) -> Iterator[str]:
    """Of `pipelines`: at least one, each task known, each class a dotted path."""
    if not isinstance(pipelines, dict) or not pipelines:
        yield 'pipelines is missing: classes by task, such as { edit = "diffusers:Name" }.'
        return
    for task, path in pipelines.items():
        if task not in TASKS:
            yield f"pipelines.{task} is none of: {', '.join(TASKS)}."
        if not isinstance(path, str) or not PATH.fullmatch(path):
            yield f"pipelines.{task} must be a class such as diffusers:Flux2KleinPipeline."


def strength_problems(words: object) -> Iterator[str]:
    """Of `strength`: nothing in it that is not known."""
    known = Strength.__dataclass_fields__
    if words is not None and (not isinstance(words, dict) or set(words) - set(known)):
        yield f"strength must be a table of: {', '.join(known)}."


def optimise_problems(words: object) -> Iterator[str]:
    """Of `optimise`: known keys, known values."""
    if not isinstance(words, dict):
        yield "optimise must be a table."
        return
    for key, value in words.items():
        if key == "attention":
            if not isinstance(value, str) or "hub" in value:
                yield "optimise.attention must name a backend that fetches nothing."
        elif key not in OPTIMISE:
            yield f"optimise.{key} is none of: attention, {', '.join(OPTIMISE)}."
        elif value not in OPTIMISE[key]:
            yield f"optimise.{key} must be one of {', '.join(map(str, OPTIMISE[key]))}."


def part_problems(words: object) -> Iterator[str]:
    """Of `parts`: known keys, a class is a dotted path, a scale is a number, a device is known."""
    if not isinstance(words, dict):
        return
    for role, part in words.items():
        if not isinstance(part, dict):
            continue
        kind, scale = part.get("class", ""), part.get("scale", 1.0)
        if unknown := set(part) - set(PART_KEYS):
            yield f"parts.{role}.{min(unknown)} is none of: {', '.join(PART_KEYS)}."
        if kind and not PATH.fullmatch(str(kind)):
            yield f"parts.{role}.class must be a class such as diffusers:ControlNetUnionModel."
        if type(scale) not in (int, float):
            yield f"parts.{role}.scale must be a number."
        file = part.get("file", "x.safetensors")
        if not isinstance(file, str) or not SAFE_FILE.fullmatch(file):
            yield f"parts.{role}.file must name a safetensors file inside its folder."
        files = part.get("files", [])
        if not isinstance(files, list) or not all(isinstance(each, str) for each in files):
            yield f"parts.{role}.files must be a list of names or patterns of files."
        if part.get("device", "auto") not in ("auto", "cpu"):
            yield f"parts.{role}.device must be one of auto, cpu."
        licence = part.get("licence", "?")
        if not isinstance(licence, str) or not licence.strip():
            yield f"parts.{role}.licence must be the name of a licence."
