"""A table of engines by name. Importing it brings in no engine: the web may know what one is called."""

import pkgutil
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from generation.engines.base import Edits, Embeds

EDITORS = {
    "darkroom": "generation.engines.darkroom.engine:Darkroom",  # no GPU, no weights
    "diffusers": "generation.engines.diffusers_:Diffusers",  # torch, and weights fetched before
}
EMBEDDERS = {
    "wf1": "generation.engines.descriptors:Wf1",  # no GPU, no weights
}


def editor(name: str) -> "Edits":
    """Import and make the editing engine `name` on first use. Only the device host calls this.

    A preset of the operator's may name an engine that is not in the table by its dotted path,
    "package.module:Class". Raises `LookupError` for a name that is neither.
    """
    path = name if ":" in name else EDITORS[name]
    return cast("Edits", pkgutil.resolve_name(path)())


def embedder(name: str) -> "Embeds":
    """Import and make the embedding engine `name` on first use. Only the device host calls this."""
    return cast("Embeds", pkgutil.resolve_name(EMBEDDERS[name])())
