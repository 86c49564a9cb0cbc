"""What was measured, against what is wanted."""

import json
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from generation.engines.diffusion.recipes import versions

#: Wanted: (what, least or most, value).
GOALS = {
    "worker / bare loop": ("at least", 0.97),
    "dynamic / best static batch": ("at least", 0.95),
    "dynamic / one at a time, 0.3 load": ("at least", 0.99),
    "share of the ceiling, eager": ("at least", 0.55),
    "share of the ceiling, compiled": ("at least", 0.70),
    "with / without previews": ("at most", 1.01),
    "outside the denoiser": ("at most", 0.08),
    "same picture twice": ("at least", 1),
    "same picture beside other neighbours": ("at least", 1),
}
MISSING = [
    "**The figures of a GPU are missing.** No GPU was at hand. What follows is the same code on",
    "toy models and a busy CPU: it shows that every measurement runs, and its ratios say nothing",
    "of a real device. Only the last two rows mean what they say.",
    "",
]


def report(
    device: str, tiny: bool, ratios: dict[str, float], said: Sequence[dict[str, Any]]
) -> str:
    """Ratios, then every measurement; what was not measured, or failed, says so."""
    about = ", ".join(f"{name} {number}" for name, number in versions())
    lines = [f"# The studio's diffusers engine, {'toy sizes' if tiny else 'true sizes'}", ""]
    lines += [f"{datetime.now(UTC):%Y-%m-%d}; {device} ({platform.machine()}); {about}.", ""]
    lines += MISSING if tiny else []
    lines += ["| ratio | measured | wanted |", "|---|---|---|"]
    for name, (bound, goal) in GOALS.items():
        value = ratios.get(name)
        told = "not measured" if value is None else f"{value:.3f}"
        lines.append(f"| {name} | {told} | {bound} {goal} |")
    lines += ["", "```", *(json.dumps(rounded(each)) for each in said), "```", ""]
    return "\n".join(lines)


def rounded(words: dict[str, Any]) -> dict[str, Any]:
    """Numbers as people read them."""
    return {k: float(f"{v:.4g}") if isinstance(v, float) else v for k, v in words.items()}


def write(path: Path | None, text: str) -> None:
    """Put the report into its file, whole, as often as there is something new in it."""
    if path is None:
        return
    aside = path.with_suffix(".part")
    aside.write_text(text, "utf-8")
    aside.replace(path)
