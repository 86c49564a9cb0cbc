"""The program's own source code as text: whole files, and functions cut out of them.

Files are read, never imported: the web process stays without OpenCV.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.utils.safestring import SafeString, mark_safe

ROOT = Path(__file__).resolve().parents[2]
#: Files that the open program shows, by the name in their address.
DARKROOM = "generation/engines/darkroom"
FORMULAS = {
    "wf1": "generation/engines/descriptors.py",
    "pdq": "generation/engines/pdq.py",
    "nearest": "forum/links/nearest.py",
    "lists": "forum/links/lists.py",
    "linking": "forum/links/actions.py",
    "links": "forum/links/models.py",
    "traits": "forum/links/traits.py",
    "resonances": "forum/links/resonances.py",
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a file."""

    #: Path from the root of the source, and the line where it begins.
    path: str
    line: int
    text: str

    @property
    def coloured(self) -> SafeString:
        """The text as HTML with classes for its words, escaped."""
        return coloured(self.text)


@cache
def files() -> dict[str, str]:
    """Every file that may be shown: its path by its name."""
    found = {
        path.stem: f"{DARKROOM}/{path.name}"
        for path in sorted((ROOT / DARKROOM).glob("*.py"))
        if path.stem != "__init__"
    }
    return found | FORMULAS


@cache
def whole(name: str) -> Piece:
    """A file from its first line to its last. Raises KeyError for a name that is not shown."""
    path = files()[name]
    return Piece(path, 1, (ROOT / path).read_text("utf-8").rstrip("\n"))


@cache
def function(run: str) -> tuple[Piece, ...]:
    """A function of the darkroom such as "weather:night", and what it uses of its own file.

    The function comes first; the rest follows in the order of the file. Raises KeyError where it is
    not there.
    """
    module, _, name = run.partition(":")
    return cut(files()[module], [name])


def cut(path: str, names: Iterable[str]) -> tuple[Piece, ...]:
    """Named functions, classes and constants of a file with all that they use of it."""
    text = (ROOT / path).read_text("utf-8")
    lines = text.splitlines()
    there = definitions(ast.parse(text))
    wanted = list(names)
    nodes = {name: there[name] for name in wanted}
    for name in used(wanted, there):
        nodes.setdefault(name, there[name])
    later = [name for name in there if name in nodes and name not in wanted]
    return tuple(piece(path, lines, nodes[name]) for name in [*wanted, *later])


def definitions(tree: ast.Module) -> dict[str, ast.stmt]:
    """What a file defines at its outermost level, by name, in order."""
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                if isinstance(target, ast.Name):
                    found[target.id] = node
    return found


def used(names: Iterable[str], there: dict[str, ast.stmt]) -> Iterator[str]:
    """Names of the file that these lead to, directly or through one another."""
    todo, seen = list(names), set(names)
    while todo:
        for node in ast.walk(there[todo.pop()]):
            if isinstance(node, ast.Name) and node.id in there and node.id not in seen:
                seen.add(node.id)
                todo.append(node.id)
                yield node.id


def piece(path: str, lines: list[str], node: ast.stmt) -> Piece:
    """The lines of a definition, with its decorators and the comment above it."""
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)])
    while first > 1 and lines[first - 2].startswith("#"):
        first -= 1
    return Piece(path, first, "\n".join(lines[first - 1 : node.end_lineno]))


@cache
def coloured(text: str) -> SafeString:
    """Python as HTML: words in spans with short classes, for static/css/program.css."""
    # Only these pages need it, so other processes never load it.
    from pygments import highlight
    from pygments.formatters import HtmlFormatter
    from pygments.lexers import PythonLexer

    markup = highlight(text, PythonLexer(), HtmlFormatter(nowrap=True, classprefix="hl-"))
    return mark_safe(str(markup))
