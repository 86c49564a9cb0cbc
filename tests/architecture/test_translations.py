"""Everything people read has a Chinese sentence, and the compiled file says the same as the source."""

import ast
import gettext
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = Path("forum/locale/zh_Hans/LC_MESSAGES")
SOURCE, COMPILED = ROOT / FOLDER / "django.po", ROOT / FOLDER / "django.mo"
#: What takes part in collecting; copied, so that the working tree stays as it is.
PARTS = ("forum", "generation", "templates")
LINE = re.compile(r'(?:(msgctxt|msgid_plural|msgid|msgstr)(?:\[\d+\])? )?(".*")')
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w*\}")
HTML = re.compile(r"<[^>]+>")
CONTEXT = "\x04"  # gettext's own joint of context and text

Entry = dict[str, str]


def entry(block: str) -> Entry:
    """The fields of one block of a .po file; "flags" holds its flags."""
    found: Entry = {"flags": "".join(re.findall(r"^#, (.*)$", block, re.M))}
    field = ""
    for name, quoted in (
        match.groups() for match in map(LINE.fullmatch, block.split("\n")) if match
    ):
        field = name or field
        found[field] = found.get(field, "") + ast.literal_eval(quoted)
    return found


def entries(path: Path) -> dict[str, Entry]:
    """Everything a .po file says, by context and text, without its header."""
    blocks = [entry(block) for block in path.read_text().split("\n\n")]
    told = [each for each in blocks if each.get("msgid")]
    return {key(each): each for each in told}


def key(each: Entry) -> str:
    return f"{each['msgctxt']}{CONTEXT}{each['msgid']}" if "msgctxt" in each else each["msgid"]


@pytest.fixture(scope="module")
def chinese() -> dict[str, Entry]:
    found = entries(SOURCE)
    assert len(found) > 400  # else the reader of this test lost its way
    return found


def test_nothing_is_left_in_english(chinese):
    empty = [text for text, each in chinese.items() if not each["msgstr"].strip()]
    assert not empty


def test_nothing_is_guessed(chinese):
    assert not [text for text, each in chinese.items() if "fuzzy" in each["flags"]]


def test_placeholders_and_tags_are_kept(chinese):
    """A singular may say "one" in words; the Chinese sentence serves all numbers."""
    for text, each in chinese.items():
        english = each.get("msgid_plural", each["msgid"])
        for pattern in (PLACEHOLDER, HTML):
            assert sorted(pattern.findall(each["msgstr"])) == sorted(pattern.findall(english)), text


def test_chinese_is_punctuated_as_chinese(chinese):
    """Full-width marks, no space before or after a quotation mark."""
    halfwidth = re.compile(
        r"[\u4e00-\u9fff][,;:!?]|[\u4e00-\u9fff]\.(?!\w)|\s[“”]|[“”]\s(?!·)|\.\.\."
    )
    wrong = [each["msgstr"] for each in chinese.values() if halfwidth.search(each["msgstr"])]
    assert not wrong


def test_the_compiled_file_says_what_the_source_says(chinese):
    with COMPILED.open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    found = {
        text[0] if isinstance(text, tuple) else text: said
        for text, said in compiled._catalog.items()  # type: ignore[attr-defined]
        if text
    }
    assert found == {text: each["msgstr"] for text, each in chinese.items()}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Entry]:
    """What the tree asks to be translated now."""
    if shutil.which("xgettext") is None:
        pytest.skip("xgettext is not here; install gettext to compare with the tree")
    copy = tmp_path_factory.mktemp("tree")
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", copy)
    (copy / FOLDER / "django.po").unlink()
    there = {"SECRET_KEY": "x", "DATABASE_URL": "postgres://x@localhost/x", "PYTHONPATH": str(copy)}
    collect = ["manage.py", "makemessages", "--locale", "zh_Hans", "--no-wrap"]
    subprocess.run(
        [sys.executable, *collect], cwd=copy, env={**os.environ, **there}, check=True,
        capture_output=True, timeout=120,
    )  # fmt: skip
    return entries(copy / FOLDER / "django.po")


def test_no_string_of_the_tree_is_missing(chinese, collected):
    assert len(collected) > 400
    missing = sorted(collected.keys() - chinese.keys())
    assert not missing, f"Run `make messages` and translate: {missing}"


def test_no_string_hides_from_xgettext():
    """It looks neither into f-strings nor for gettext under other names."""
    calls = {
        "_",
        "gettext",
        "gettext_lazy",
        "ngettext",
        "ngettext_lazy",
        "pgettext",
        "pgettext_lazy",
    }
    for path in (ROOT / "forum").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr):
                inside = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                assert not inside & calls, f"{path.name}:{node.lineno}"
            elif isinstance(node, ast.alias) and node.name in calls:
                assert node.asname in {None, "_"}, f"{path.name}: {node.name} as {node.asname}"


def test_plurals_are_those_of_the_tree(chinese, collected):
    for text, each in collected.items():
        if text in chinese:
            assert chinese[text].get("msgid_plural") == each.get("msgid_plural"), text
