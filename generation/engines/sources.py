"""Where the weights of a preset come from, and whether they lie on this machine. Light: no Django."""

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from generation.engines.base import Preset

ROOT = Path(__file__).resolve().parents[2]
REVISION = re.compile(r"[0-9a-f]{40}")
HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
#: What engines import beyond what is always there.
PACKAGES = {"diffusers": ("torch", "diffusers", "transformers")}
#: Names and hashes of the files in a folder of weights; written last, so that it is whole.
MANIFEST = "weights.json"


@dataclass(frozen=True, slots=True)
class Source:
    """Weights of one kind that a preset needs: a folder of this machine, or a pinned repository."""

    #: "model", or the name of a part, such as "controlnet".
    role: str
    #: A hub id such as "owner/name", or a path.
    model: str
    #: A commit, 40 hex digits; empty until `manage.py engines pull` has pinned one.
    revision: str = ""
    #: Of a part, where its preset says so; else the preset's licence holds.
    licence: str = ""

    @property
    def local(self) -> bool:
        """Whether `model` names a folder of this machine."""
        return not HUB_ID.fullmatch(self.model)

    @property
    def folder(self) -> Path | None:
        """Where the files lie on this machine; None for a repository that is not pinned yet."""
        if self.local:
            return Path(self.model).expanduser()
        if not self.revision:
            return None
        return models_folder() / self.model.replace("/", "--") / self.revision

    @property
    def pin(self) -> str:
        """At what these weights are held: a commit, a folder, or nothing yet."""
        if self.local:
            return "a folder"
        return f"@ {self.revision[:12]}" if self.revision else "not pinned"

    @property
    def here(self) -> bool:
        """Whether its files lie on this machine: a repository's whole and checked, by its manifest."""
        folder = self.folder
        return folder is not None and (folder if self.local else folder / MANIFEST).exists()


def data_folder() -> Path:
    """FORUM_DATA_DIR, as the settings have it."""
    return Path(os.environ.get("FORUM_DATA_DIR") or ROOT / "var").absolute()


def models_folder() -> Path:
    """FORUM_MODELS_DIR: where weights lie. By default "models" in FORUM_DATA_DIR."""
    return Path(os.environ.get("FORUM_MODELS_DIR") or data_folder() / "models").absolute()


def sources(preset: Preset) -> list[Source]:
    """All weights a preset needs: its `model`, then its `parts`; none for engines without weights."""
    found = []
    if model := preset.settings.get("model"):
        found.append(Source("model", model, preset.settings.get("revision", "")))
    for role, part in preset.settings.get("parts", {}).items():
        found.append(Source(role, part["model"], part.get("revision", ""), part.get("licence", "")))
    return found


def absent(preset: Preset) -> list[Source]:
    """Weights of a preset that do not lie on this machine; a worker here cannot make it."""
    return [source for source in sources(preset) if not source.here]


def restricted(preset: Preset) -> bool:
    """Whether an operator must accept the licence before the weights are fetched."""
    return not preset.commercial or bool(preset.settings.get("gated"))


def uninstalled(preset: Preset) -> list[str]:
    """Packages that the engine of a preset needs and that are not installed here."""
    return [name for name in PACKAGES.get(preset.engine, ()) if find_spec(name) is None]


def lacking(preset: Preset) -> str:
    """Why this machine cannot make pictures with a preset; "" when it can, as far as is seen."""
    if missing := uninstalled(preset):
        return f"{preset.name} needs {', '.join(missing)}: install the extra {preset.engine!r}."
    for source in absent(preset):
        if source.local:
            return f"{preset.name} needs the folder {source.model}, which is not there."
        pull = f"manage.py engines pull {preset.name}"
        if not source.revision:
            return f"{preset.name} needs {source.model}, which is not pinned to a commit: {pull}."
        return f"{preset.name} needs {source.model}: {pull}."
    return ""


def unpinned(preset: Preset) -> list[str]:
    """Hub ids of a preset's weights that are held at no commit yet: nothing of them is ever loaded."""
    return [each.model for each in sources(preset) if not each.local and not each.revision]


def pins(preset: Preset) -> list[str]:
    """At what each of a preset's weights is held, in the order of `sources`."""
    return [each.pin for each in sources(preset)]
