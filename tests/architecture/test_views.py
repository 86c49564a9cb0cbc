"""Fetch and authorise is one call: views never take rows by id alone.

A view that writes `Image.objects.get(...)` shows other people's private things the day somebody
forgets the check below it. Start every query from `visible_to(member)` or a sibling.
"""

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GATES = {
    "visible_to",
    "editable_by",
    "answerable_by",
    "stoppable_by",
    "open_to",
    "in_visible_boards",
}
GUARDED = {"Image", "Thread", "Reply", "Reading", "Board", "File", "SimilarityLink"}
TAKES = {"get", "filter", "all", "first", "last", "get_or_create", "exclude", "order_by"}
MIN_VIEWS = 20  # a collapse means the test stopped finding views: fix the discovery


def view_files() -> list[Path]:
    rooms = ROOT / "forum"
    return [*rooms.glob("*/views.py"), *rooms.glob("*/views/*.py")]


def ungated(tree: ast.AST) -> list[int]:
    """Lines where `Model.objects.<take>` is called on a guarded model without a gate."""
    lines = []
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Attribute) and node.attr in TAKES):
            continue
        manager = node.value
        if (
            isinstance(manager, ast.Attribute)
            and manager.attr == "objects"
            and isinstance(manager.value, ast.Name)
            and manager.value.id in GUARDED
        ):
            lines.append(node.lineno)
    return lines


def test_views_start_every_query_from_who_is_asking():
    for path in view_files():
        found = ungated(ast.parse(path.read_text()))
        assert not found, (
            f"{path.relative_to(ROOT)}, lines {found}: begin with one of {sorted(GATES)}."
        )


def test_views_are_found():
    functions = [
        node
        for path in view_files()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    assert len(functions) >= MIN_VIEWS


def test_a_bad_sample_is_caught():
    assert ungated(ast.parse("Image.objects.get(pk=pk)")) == [1]


def test_a_good_sample_passes():
    assert ungated(ast.parse("Image.objects.visible_to(member).get(pk=pk)")) == []
