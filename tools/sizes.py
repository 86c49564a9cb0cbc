"""Sizes as a sign of care: functions and files of the product, printed by `make sizes`."""

import ast
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LONG_FILE, LONG_FRAGMENT = 400, 70


def python_files() -> list[Path]:
    """Files of both apps, without migrations."""
    found = [p for app in ("forum", "generation") for p in (ROOT / app).rglob("*.py")]
    return [p for p in found if "migrations" not in p.parts]


def function_lengths(path: Path) -> list[tuple[int, str]]:
    """(lines, name) of each function in a file."""
    tree = ast.parse(path.read_text())
    return [
        (
            (node.end_lineno or node.lineno) - node.lineno + 1,
            f"{path.relative_to(ROOT)}:{node.name}",
        )
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def measure() -> dict[str, float]:
    """Median and 90th percentile of functions, and the longest files."""
    lengths = sorted(n for path in python_files() for n, _ in function_lengths(path))
    files = [len(p.read_text().splitlines()) for p in python_files()]
    return {
        "functions": len(lengths),
        "median": statistics.median(lengths),
        "ninetieth": lengths[int(len(lengths) * 0.9)],
        "files": len(files),
        "longest_file": max(files),
    }


def main() -> None:
    """Print the figures, the ten longest functions and the files above their limit."""
    for name, value in measure().items():
        print(f"{name:>14}  {value:g}")
    print("\nlongest functions")
    every = [each for path in python_files() for each in function_lengths(path)]
    for lines, name in sorted(every, reverse=True)[:10]:
        print(f"{lines:>14}  {name}")
    print("\nfiles above their limit")
    for path in [*python_files(), *(ROOT / "templates").rglob("_*.html")]:
        lines = len(path.read_text().splitlines())
        if lines > (LONG_FRAGMENT if path.suffix == ".html" else LONG_FILE):
            print(f"{lines:>14}  {path.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
