"""The two protocols every engine keeps. Light: no Django, no torch, no OpenCV (numpy and Pillow for types only)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from generation.requests import EditRequest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image


class EngineError(Exception):
    """The engine could not make this image."""

    #: Stable machine word, one of generation.models.Job.Reason.
    reason = "engine_error"
    #: True when another try cannot help.
    permanent = False

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else (self.__doc__ or "")


class SourceRefused(EngineError):
    """This file cannot be read as an image."""

    reason = "source_refused"
    permanent = True


class NothingUnderstood(EngineError):
    """The engine understood nothing of this prompt."""

    reason = "nothing_understood"
    permanent = True


class Cancelled(EngineError):
    """Nobody waits for this image any more."""

    reason = "cancelled"
    permanent = True


@dataclass(frozen=True, slots=True)
class Preset:
    """A named configuration of an engine, from presets.toml."""

    name: str
    engine: str
    #: Shown to people, by language code.
    titles: dict[str, str]
    licence: str
    commercial: bool
    #: Longest side, in pixels, of what is made.
    max_side: int
    #: IPTC digital source type that the engine states for its results.
    source_type: str
    buckets: tuple[int, ...] = (1,)
    max_sources: int = 1
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def on_device(self) -> bool:
        """Whether it runs on a device, in batches, rather than in a pool of hosts on the CPU."""
        usual = "device" if self.engine == "diffusers" else "pool"
        return bool(self.settings.get("host", usual) == "device")


@dataclass(slots=True)
class Item:
    """One request with its decoded sources, RGB, oriented, no larger than the preset allows."""

    id: str
    request: EditRequest
    sources: "list[Image]"
    #: L mode, the size of the first source; None is everywhere.
    mask: "Image | None" = None


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a running item. `frame` is RGB and at most 256 px on its longer side."""

    id: str
    step: int
    total: int
    #: What happens now, a machine word such as "snow"; pages translate it.
    stage: str = ""
    frame: "Image | None" = None
    #: When the step that the frame shows was done, by `time.monotonic`; None: just now.
    framed_at: float | None = None


@dataclass(slots=True)
class Made:
    """A finished picture, still in memory, RGB."""

    id: str
    picture: "Image"
    recipe: dict[str, Any]
    #: All frames of what moves, `picture` first; empty for a still picture.
    frames: "list[Image]" = field(default_factory=list)
    #: Frames a second of what moves.
    fps: int = 0


@dataclass(frozen=True, slots=True)
class Failed:
    """An item that did not come out."""

    id: str
    error: EngineError


class Edits(Protocol):
    """An engine that makes one picture from others."""

    name: str
    version: str

    def load(self, preset: Preset) -> None:
        """Make ready for this preset. Called once before `edit`, and again when the preset changes."""

    def edit(
        self,
        batch: Sequence[Item],
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[str], bool],
    ) -> Iterator[Made | Failed]:
        """Yield exactly one `Made` or `Failed` for each item, in any order."""

    def unload(self) -> None:
        """Give memory back."""


class Embeds(Protocol):
    """An engine that turns a picture into a vector of unit length."""

    name: str
    dimensions: int

    def embed(self, picture: "Image") -> "NDArray[np.float32]":
        """Float32 of shape (dimensions,), L2-normalised."""
