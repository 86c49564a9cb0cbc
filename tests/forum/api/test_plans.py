"""Reading prompts by program, sending what was read, and words of one's own."""

import pytest

from forum.boards.models import Word
from forum.threads.models import Reply
from generation import queue
from generation.requests import Operation
from tests.factories import a_thread
from tests.forum.api.conftest import is_problem

pytestmark = pytest.mark.django_db
KITCHEN = {"term": "grandma's kitchen", "means": "sepia, slightly old photograph"}


@pytest.fixture
def plan(calls, hill, ada):
    program = calls(ada)
    return lambda prompt, more="": program.get(
        f"/images/{hill.first_image_id}/plan?prompt={prompt}{more}"
    )


@pytest.fixture
def answer(calls, hill, ada):
    program = calls(ada)
    return lambda words: program.post(f"/images/{hill.first_image_id}/replies", words)


def test_a_prompt_is_read(plan):
    words = plan("slightly snowy, a dragon in the background at night").json()
    assert [each["name"] for each in words["operations"]] == ["night", "snow"]
    assert words["operations"][1]["settings"] == {"intensity": 0.5}
    assert words["operations"][1]["words"] == "snowy"
    assert "dragon" in words["unknown"] and words["seconds"] > 0 and words["refusal"] == ""


def test_where_nothing_is_read_something_is_offered(plan):
    words = plan("qwertz").json()
    assert words["operations"] == [] and words["offers"][0]["words"] and words["notes"]


def test_reading_for_an_engine_that_is_not_here(plan):
    is_problem(plan("snow", "&preset=magic"), 422, "no_engine")


def test_reading_needs_a_prompt(plan, calls, hill, ada):
    is_problem(calls(ada).get(f"/images/{hill.first_image_id}/plan"), 422, "invalid")
    is_problem(plan("x" * 2001), 422, "invalid")


def test_what_was_read_is_sent_back(plan, answer):
    read = plan("snow, the sky in watercolour").json()["operations"]
    wanted = [{"name": each["name"], "settings": each["settings"]} for each in read]
    assert answer({"prompt": "as agreed", "read_as": wanted}).status_code == 202
    request = queue.request(Reply.objects.get().job)
    assert request.read_as == (Operation("snow"), Operation("watercolour", {"region": "sky"}))


def test_a_prompt_is_read_before_it_is_sent(answer):
    assert answer({"prompt": "snow with a dragon"}).status_code == 202
    request = queue.request(Reply.objects.get().job)
    assert request.read_as == (Operation("snow"),) and request.unread == ("dragon",)


@pytest.mark.parametrize(
    ("asked", "at"),
    [
        ({"name": "magic"}, "read_as.1.name"),
        ({"name": "snow", "settings": {"depth": 1}}, "read_as.1.settings.depth"),
        ({"name": "snow", "settings": {"region": "moon"}}, "read_as.1.settings.region"),
        ({"name": "flip", "settings": {"region": "sky"}}, "read_as.1.settings.region"),
        ({"name": "tint", "settings": {"colour": "red"}}, "read_as.1.settings.colour"),
        ({"name": "snow", "settings": {"intensity": "much"}}, "read_as.1.settings.intensity"),
    ],
)
def test_what_cannot_be_done_is_named(answer, asked, at):
    response = answer({"prompt": "x", "read_as": [{"name": "rain"}, asked]})
    is_problem(response, 422, "invalid")
    problem = response.json()
    assert problem["errors"][0]["at"].endswith(at) and problem["errors"][0]["message"]
    assert not Reply.objects.exists()


@pytest.mark.parametrize(
    "read_as", [[], [{"name": "rain"}] * 9, [{}], "rain", [{"name": "rain", "x": 1}]]
)
def test_lists_that_cannot_be(answer, read_as):
    is_problem(answer({"prompt": "x", "read_as": read_as}), 422, "invalid")


def test_a_second_picture_is_needed(answer, hill, ada):
    words = {"prompt": "x", "read_as": [{"name": "colours"}]}
    is_problem(answer(words), 422, "no_second")
    other = a_thread(hill.board, ada).first_image_id
    assert answer(words | {"sources": [other]}).status_code == 202


# --- words --------------------------------------------------------------------------------------


@pytest.fixture
def owners(calls, owner):
    return calls(owner)


def test_a_word_is_taught_listed_and_forgotten(owners, calls, ada, hill, plan):
    path = f"/boards/{hill.board.slug}/words"
    said = owners.post(path, KITCHEN)
    assert said.status_code == 201, said.content
    word = said.json()
    assert word["taught_by"] == "olga" and word["before"] == ""
    assert word["read_as"][1] == {"name": "old_photograph", "settings": {"intensity": 0.5}}
    assert calls(ada).get(path).json() == [word]
    read = plan("grandma's kitchen").json()
    assert [each["name"] for each in read["operations"]] == ["sepia", "old_photograph"]
    assert owners.delete(f"{path}/{word['id']}").status_code == 204
    assert calls(ada).get(path).json() == []
    is_problem(owners.delete(f"{path}/{word['id']}"), 404, "not_found")


@pytest.mark.parametrize(
    ("change", "field"),
    [({"means": "a dragon"}, "means"), ({"term": "not"}, "term"), ({"term": " "}, "term")],
)
def test_what_cannot_be_taught_is_named(owners, hill, change, field):
    said = owners.post(f"/boards/{hill.board.slug}/words", {**KITCHEN, **change})
    is_problem(said, 422, "invalid")
    problem = said.json()
    assert problem["errors"][0]["at"].endswith(field)
    assert not Word.objects.exists()


def test_only_moderators_teach(calls, ada, hill):
    is_problem(calls(ada).post(f"/boards/{hill.board.slug}/words", KITCHEN), 403, "forbidden")


def test_a_word_that_meant_something(owners, hill):
    said = owners.post(f"/boards/{hill.board.slug}/words", {"term": "snow", "means": "rain"})
    assert said.json()["before"] == "Snow"
