"""Writes docs/reference/settings.md from the #: lines of forum/settings.py."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "settings.md"

#: Switches of `make run` and `manage.py up`, read before Django's settings exist.
OF_THE_SUPERVISOR = [
    ("PORT", "8000", "Where the web process listens."),
    ("HOST", "127.0.0.1", "Address the web process listens on; 0.0.0.0 lets other machines reach it."),
    ("FORUM_OWNER", "owner", "User name of the owner who is made on first start."),
    ("FORUM_DEMO", "yes", "`no` starts without the demo boards."),
    (
        "FORUM_DATABASE_OS_USER",
        "nobody",
        "Unprivileged user that runs the embedded PostgreSQL when started as root.",
    ),
]


@dataclass(frozen=True)
class Switch:
    """One or more switches under one sentence."""

    names: tuple[str, ...]
    default: str
    sentence: str


def switches() -> list[Switch]:
    """Every documented switch of forum/settings.py, in order."""
    source = (ROOT / "forum" / "settings.py").read_text()
    found = []
    for comment, code in re.findall(r"((?:^#: .*\n)+)((?:^(?!#|\n).*\n)+)", source, re.M):
        names = tuple(re.findall(r'env\.\w+\(\s*"([A-Z_0-9]+)"', code))
        if names:
            default = re.search(r'env\.\w+\(\s*"[A-Z_0-9]+",\s*(?:default=)?(.+?)\)', code, re.S)
            sentence = " ".join(line.removeprefix("#: ") for line in comment.splitlines())
            found.append(Switch(names, default.group(1) if default else "", sentence))
    return found


def page() -> str:
    """The reference page."""
    lines = [
        "# Settings",
        "",
        "Every switch is read once at start, from the environment or from `.env` in the project's folder.",
        "",
        "| switch | default | meaning |",
        "|---|---|---|",
    ]
    for name, default, sentence in OF_THE_SUPERVISOR:
        lines.append(f"| `{name}` | `{default}` | {sentence} |")
    for switch in switches():
        names = ", ".join(f"`{name}`" for name in switch.names)
        default = switch.default.strip().replace("|", "\\|") or '""'
        lines.append(f"| {names} | `{default}` | {switch.sentence} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
