"""Presets that share their pipelines: one takes the place of another without loading them again."""

from dataclasses import replace

from generation.engines.base import Preset
from generation.engines.diffusion import loading
from generation.engines.diffusion.loading import Loaded
from generation.engines.diffusion.settings import Settings, settings
from generation.engines.sources import Source, sources


def alike(one: Preset, other: Preset) -> bool:
    """Whether two presets that hold together differ in nothing but what they keep of a source.

    Their pipelines are the same then, and stay where they are.
    """
    return bare(one) == bare(other) and sources_of(one) == sources_of(other)


def bare(preset: Preset) -> Settings:
    """Its settings, less maps, what draws them, and pipelines that share the first one's weights."""
    words = settings(preset)
    return replace(
        words,
        controls=(),
        parts=tuple(part for part in words.parts if not part.estimator),
        pipelines=dict(list(words.pipelines.items())[:1]),
    )


def sources_of(preset: Preset) -> list[Source]:
    """The weights of its pipelines."""
    drawing = {part.role for part in settings(preset).parts if part.estimator}
    return [source for source in sources(preset) if source.role not in drawing]


def exchanged(loaded: Loaded, preset: Preset) -> Loaded:
    """Another preset over pipelines that are loaded, where the two are `alike`.

    What the former drew its maps with goes. Raises `NotLoaded`, and the former is as it was.
    """
    words, folders = loading.read(preset)
    loading.refuse_modes(loaded.first, words)
    drawing = loading.estimators(words, folders, loaded.device, loaded.offload)
    return replace(
        loaded,
        preset=preset,
        settings=words,
        pipelines=loading.sharing(loaded.first, words),
        estimators=drawing,
        weights=loading.facts(preset, words, folders),
    )
