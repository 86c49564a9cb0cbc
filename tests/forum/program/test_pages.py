"""The open program: everything is explained in both languages, with its picture and its real code."""

import ast
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from forum.program import formulas, sources
from generation import queue
from generation.engines.darkroom.table import program
from generation.prompts import opening, planning
from tests.factories import a_thread, an_image

ROOT = Path(__file__).resolve().parents[3]
HAN = re.compile(r"[\u4e00-\u9fff]")


def test_every_operation_and_every_setting_is_explained():
    """Add what is missing to generation/engines/darkroom/explanations.toml."""
    written = opening.explanations()
    assert set(program()) <= set(written), sorted(set(program()) - set(written))
    assert set(written) - {"kinds", "settings"} <= set(program()), "explains what is not there"
    settings = {name for entry in program().values() for name in entry.settings}
    assert settings <= set(written["settings"]), sorted(settings - set(written["settings"]))


def test_explanations_say_something_in_both_languages():
    for key in ("en", "zh-hans"):
        for each in queue.operations(key):
            said = (each.title, each.sentence, each.does, each.limits, each.group)
            assert all(said), each.name
            assert len(each.does) > (40 if key == "en" else 8), each.name
            assert all(setting.says for setting in each.settings), each.name
            for text in said:
                assert bool(HAN.search(text)) == (key != "en"), (each.name, text)


def test_words_that_call_an_operation_really_call_it():
    """What the page shows and what it fills into the composer is read as this operation."""
    for key in ("en", "zh-hans"):
        for each in queue.operations(key):
            assert each.try_words, each.name
            read = planning.plan(each.try_words, "darkroom", key)
            assert each.name in {name for name, _ in read.operations}, (each.name, each.try_words)


@pytest.mark.parametrize("name", ["night", "woodcut", "duotone", "crop"])
def test_shown_words_are_the_lexicon_s(name):
    [each] = [each for each in queue.operations("en") if each.name == name]
    assert each.english and each.chinese
    for word in (*each.english, *each.chinese):
        read = planning.plan(word, "darkroom")
        assert name in {found for found, _ in read.operations}, word


def test_every_operation_has_its_picture():
    """Make those that are missing with `python -m tools.program_pictures NAME`."""
    missing = [name for name in program() if not finders.find(f"program/{name}.webp")]
    assert not missing


# --- code -------------------------------------------------------------------------------------


def test_every_operation_shows_its_own_function():
    for each in queue.operations("en"):
        first, *rest = sources.function(each.run)
        assert first.text.startswith(f"def {each.run.partition(':')[2]}(")
        lines = (ROOT / first.path).read_text().splitlines()
        for piece in (first, *rest):
            assert piece.text.splitlines()[0] == lines[piece.line - 1]
            ast.parse(piece.text)


def test_what_a_function_uses_of_its_file_is_shown_with_it():
    names = {piece.text.split("(")[0] for piece in sources.function("weather:night")}
    assert {"def night", "def lamplight", "def starlight"} <= names
    assert "def bolt" not in names


def test_code_is_escaped_and_coloured():
    markup = str(sources.coloured("if a < b:\n    return '<script>'"))
    assert "<script>" not in markup
    assert "&lt;" in markup
    assert '<span class="hl-k">if</span>' in markup
    assert "style=" not in markup


def test_formulas_have_code_in_both_languages():
    for key in ("en", "zh-hans"):
        found = formulas.sections(key)
        assert [each.name for each in found] == [
            "wf1", "neighbours", "linking", "people", "why", "pdq",
        ]  # fmt: skip
        for each in found:
            assert each.pieces and all(piece.text for piece in each.pieces)
            assert all(bool(HAN.search(text)) == (key != "en") for text in each.says)


# --- pages ------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_program_is_open_to_visitors(browse):
    answer = browse().get("/program/")
    assert answer.status_code == 200
    page = answer.content.decode()
    for name, entry in program().items():
        assert f'href="/program/{name}/"' in page
        assert entry.titles["en"] in page


@pytest.mark.django_db
def test_every_operation_has_a_page_in_both_languages(browse, django_assert_max_num_queries):
    client = browse()
    for language, key in (("en", "en"), ("zh-hans", "zh-hans")):
        client.cookies["django_language"] = language
        for each in queue.operations(key):
            with django_assert_max_num_queries(3):
                answer = client.get(f"/program/{each.name}/")
            assert answer.status_code == 200, each.name
            page = answer.content.decode()
            assert each.title in page
            assert "def " in re.sub(r"<[^>]+>", "", page)
            assert "hl-k" in page


@pytest.mark.django_db
def test_an_operation_is_found_by_title_and_by_the_words_that_call_it(browse):
    for word, name in (("水墨", "ink_wash"), ("Woodcut", "woodcut"), ("cyanotype", "cyanotype")):
        page = browse().get("/program/", {"q": word}).content.decode()
        assert f'href="/program/{name}/"' in page
        assert 'href="/program/flip/"' not in page
    assert "No operation is called so" in browse().get("/program/?q=dragon").content.decode()


@pytest.mark.django_db
def test_typing_brings_the_list_alone(browse):
    answer = browse().get("/program/?q=snow", headers={"HX-Request": "true"})
    assert answer.content.decode().lstrip().startswith('<div id="operations"')
    assert "HX-Request" in answer.headers["Vary"]


@pytest.mark.django_db
def test_what_is_not_there_is_404(browse):
    for path in ("/program/dragon/", "/program/files/settings/", "/program/files/../../x/"):
        assert browse().get(path).status_code == 404


@pytest.mark.django_db
def test_files_of_the_program_are_shown_whole(browse):
    page = browse().get("/program/files/engine/").content.decode()
    assert "generation/engines/darkroom/engine.py" in page
    assert "Darkroom" in page
    assert browse().get("/program/files/pdq/").status_code == 200


@pytest.mark.django_db
def test_a_member_may_try_it_on_an_image_of_theirs(browse, plaza, lin, ada):
    mine = a_thread(plaza, lin).first_image
    closed = an_image(mine.thread, lin, allow_derivatives=False)
    other = a_thread(plaza, ada).first_image
    page = browse(lin).get("/program/night/").content.decode()
    assert f'href="/images/{mine.pk}/?say=' in page
    assert f"/images/{closed.pk}/?say=" not in page
    assert f"/images/{other.pk}/?say=" not in page
    assert "?say=" not in browse().get("/program/night/").content.decode()


@pytest.mark.django_db
def test_how_resonances_are_found(browse):
    page = browse().get("/program/resonances/").content.decode()
    assert "wf1" in page and "def pdq" in re.sub(r"<[^>]+>", "", page)
