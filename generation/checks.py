"""System checks of the studio: preset files that hold together, each trouble with its place."""

from collections.abc import Sequence

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from generation import presets
from generation.engines.sources import sources


@register()
def preset_files_hold_together(
    app_configs: Sequence[AppConfig] | None, **kwargs: object
) -> list[CheckMessage]:
    """Both files can be read, and everything in them is understood."""
    try:
        known = presets.presets()
    except presets.PresetsBroken as broken:
        hint = "See docs/reference/presets.md for what a preset's table holds."
        return [Error(trouble, hint=hint, id="generation.E001") for trouble in broken.troubles]
    if settings.FORUM_DEFAULT_PRESET in known:
        return []
    return [
        Error(
            f"FORUM_DEFAULT_PRESET is {settings.FORUM_DEFAULT_PRESET!r}, which is no preset.",
            hint=f"Use one of: {', '.join(known)}.",
            id="generation.E002",
        )
    ]


@register()
def weights_are_pinned(
    app_configs: Sequence[AppConfig] | None, **kwargs: object
) -> list[CheckMessage]:
    """A local folder has no commit: what lies in it may change under a recipe."""
    try:
        known = presets.presets()
    except presets.PresetsBroken:
        return []
    return [
        Warning(
            f"Preset {preset.name} takes {source.role} from {source.model}, which has no commit.",
            hint="Recipes made with it name the folder only. Pin a repository where you can.",
            id="generation.W001",
        )
        for preset in known.values()
        for source in sources(preset)
        if source.local
    ]
