"""What can be said of a prompt before a diffusion model sees it. Light: the web imports this."""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from generation.engines.base import Preset
from generation.engines.diffusion import tokens
from generation.results import Plan

NOTES = Path(__file__).with_name("notes.toml")
#: Chinese, Japanese and Korean letters.
EAST_ASIAN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
#: Expected seconds of a preset that does not say.
USUAL_SECONDS = 8.0


def plan(prompt: str, preset: Preset, language: str = "en", strength: float | None = None) -> Plan:
    """Expected seconds and remarks, in `language` (en, zh-hans).

    Such a model is asked in whole sentences, so there are no chips; `strength` is what the member
    chose, None when they chose nothing.
    """
    tongue = "zh-hans" if language.lower().startswith("zh") else "en"
    return Plan(
        preset=preset.name,
        seconds=float(preset.settings.get("seconds", USUAL_SECONDS)),
        notes=tuple(remarks(prompt, preset, tongue, strength)),
    )


def remarks(prompt: str, preset: Preset, tongue: str, strength: float | None) -> Iterator[str]:
    """One sentence for each thing a member should know."""
    words = notes()
    if not prompt.strip():
        yield words["empty"][tongue]
        return
    if over := tokens.beyond(prompt, preset):
        whole = tokens.count(prompt, preset)
        yield words["beyond"][tongue].format(n=over, all=whole)
    if EAST_ASIAN.search(prompt) and preset.settings.get("languages") == ["en"]:
        yield words["english"][tongue]
    if strength is not None and "strength" not in preset.settings:
        yield words["strength"][tongue]


@cache
def notes() -> dict[str, dict[str, str]]:
    """Sentences by name, then by language."""
    return tomllib.loads(NOTES.read_text("utf-8"))
