"""Writes docs/reference/settings.md from the #: lines of forum/settings.py."""

import ast
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "settings.md"
EXAMPLE = ROOT / ".env.example"

#: Switches of `make run` and `manage.py up`, read before Django's settings exist.
OF_THE_SUPERVISOR = [
    ("PORT", "8000", "Where the web process listens."),
    (
        "HOST",
        "127.0.0.1",
        "Address the web process listens on; 0.0.0.0 lets other machines reach it.",
    ),
    ("FORUM_OWNER", "owner", "User name of the owner who is made on first start."),
    ("FORUM_DEMO", "yes", "`no` starts without the demo boards."),
    (
        "FORUM_DATABASE_OS_USER",
        "nobody",
        "Unprivileged user that runs the embedded PostgreSQL when started as root.",
    ),
    (
        "FORUM_DATABASE_SETTINGS",
        "",
        "Settings of the embedded PostgreSQL, comma-separated, such as shared_buffers=1GB,max_connections=200.",
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
        reads = [node for node in ast.walk(ast.parse(code)) if is_read(node)]
        if reads:
            sentence = " ".join(line.removeprefix("#: ") for line in comment.splitlines())
            names = tuple(sorted(ast.literal_eval(read.args[0]) for read in reads))
            found.append(Switch(names, default_of(reads[0]), sentence))
    return found


def is_read(node: ast.AST) -> TypeGuard[ast.Call]:
    """Whether this is a call of `env.<kind>(...)`."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "env"
    )


def default_of(read: ast.Call) -> str:
    """What holds when the switch is not set, as one would write it in `.env`."""
    given = [*read.args[1:], *(word.value for word in read.keywords if word.arg == "default")]
    if not given:
        return ""
    if not isinstance(given[0], ast.Constant | ast.List):
        return "var"  # FORUM_DATA_DIR, beside the code
    value = ast.literal_eval(given[0])
    return ",".join(value) if isinstance(value, list) else str(value)


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
        shown = f"`{default}`" if default else "empty"
        lines.append(f"| `{name}` | {shown} | {sentence} |")
    for switch in switches():
        names = ", ".join(f"`{name}`" for name in switch.names)
        default = f"`{switch.default}`" if switch.default else "empty"
        lines.append(f"| {names} | {default} | {switch.sentence} |")
    return "\n".join([*lines, ""])


def example() -> str:
    """`.env.example`: every switch with its sentence, commented out at its default."""
    lines = [
        "# Copy this file to `.env` and take away the # of what you change. What stands in the",
        "# environment goes before what stands there.",
    ]
    for name, default, sentence in OF_THE_SUPERVISOR:
        lines += ["", f"# {sentence}", f"#{name}={default}"]
    for switch in switches():
        lines += [
            "",
            f"# {switch.sentence}",
            *(f"#{name}={switch.default}" for name in switch.names),
        ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page())
    EXAMPLE.write_text(example())
