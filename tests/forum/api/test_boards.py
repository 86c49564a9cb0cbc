"""Boards by program, and what all answers have in common."""

from datetime import timedelta

import pytest
from django.utils import timezone

from forum.boards.models import Board, Word
from forum.members import repetitions
from tests.forum.api.conftest import is_problem

pytestmark = pytest.mark.django_db
TEACH = {"term": "dusk", "means": "night"}


def test_a_board_is_made(calls, lin):
    said = calls(lin).post("/boards", {"slug": "rain", "title": "Rain", "visibility": "private"})
    assert said.status_code == 201
    assert (said.json()["slug"], said.json()["visibility"]) == ("rain", "private")
    assert Board.objects.editable_by(lin).get().slug == "rain"


def test_a_taken_address_is_a_conflict(calls, rivers, wen):
    answer = calls(wen).post("/boards", {"slug": "rivers", "title": "Mine"})
    is_problem(answer, 409, "slug_taken")


def test_the_same_request_with_a_key_is_done_once(calls, lin):
    words = {"slug": "rain", "title": "Rain"}
    program = calls(lin)
    first, again = (program.post("/boards", words, Idempotency_Key="a") for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert first.headers["Location"] == again.headers["Location"]
    is_problem(program.post("/boards", words), 409, "slug_taken")


def test_a_key_that_comes_with_something_else_is_a_conflict(calls, lin, ada):
    calls(lin).post("/boards", {"slug": "rain", "title": "Rain"}, Idempotency_Key="a")
    other = calls(lin).post("/boards", {"slug": "sun", "title": "Sun"}, Idempotency_Key="a")
    is_problem(other, 409, "key_reused")
    elsewhere = calls(lin).post("/boards/rain/words", TEACH, Idempotency_Key="a")
    is_problem(elsewhere, 409, "key_reused")
    assert Board.objects.count() == 1 and not Word.objects.exists()
    theirs = calls(ada).post("/boards", {"slug": "sun", "title": "Sun"}, Idempotency_Key="a")
    assert theirs.status_code == 201


def test_what_was_refused_may_be_sent_again_with_its_key(calls, lin, wen):
    calls(wen).post("/boards", {"slug": "rain", "title": "Rain"})
    refused = calls(lin).post("/boards", {"slug": "rain", "title": "Rain"}, Idempotency_Key="a")
    is_problem(refused, 409, "slug_taken")
    assert not lin.idempotency_keys.exists()
    again = calls(lin).post("/boards", {"slug": "snow", "title": "Snow"}, Idempotency_Key="a")
    assert again.status_code == 201


def test_a_word_is_taught_once(calls, lin):
    calls(lin).post("/boards", {"slug": "rain", "title": "Rain"})
    teach = [calls(lin).post("/boards/rain/words", TEACH, Idempotency_Key="w") for _ in range(2)]
    assert [each.status_code for each in teach] == [201, 201]
    assert teach[0].json() == teach[1].json()
    assert Word.objects.count() == 1


def test_keys_are_forgotten_after_a_day(calls, lin):
    calls(lin).post("/boards", {"slug": "rain", "title": "Rain"}, Idempotency_Key="a")
    assert repetitions.forget_old() == 0
    lin.idempotency_keys.update(created_at=timezone.now() - timedelta(days=2))
    assert repetitions.forget_old() == 1


@pytest.mark.parametrize(
    "words",
    [
        {"slug": "A b", "title": "x"},
        {"slug": "a\n", "title": "x"},
        {"slug": "a"},
        {"slug": "a", "title": " "},
        {"slug": "a", "title": "x", "visibility": "secret"},
        {"slug": "a", "title": "x", "made_by": 1},
    ],
)
def test_words_that_cannot_be_are_refused(calls, lin, words):
    is_problem(calls(lin).post("/boards", words), 422, "invalid")
    assert not Board.objects.exists()


def test_boards_are_listed_for_those_who_see_them(calls, plaza, salon, rivers, lin, wen):
    def slugs(member):
        return {each["slug"] for each in calls(member).get("/boards").json()["items"]}

    assert slugs(None) == {"plaza"}
    assert slugs(wen) == {"plaza", "salon"}
    assert slugs(lin) == {"plaza", "salon", "rivers"}


def test_unknown_addresses_and_verbs_are_problems_too(calls, lin):
    is_problem(calls(lin).get("/nothing"), 404, "not_found")
    is_problem(calls(lin).get("/images"), 405, "method_not_allowed")
    is_problem(calls(lin).get("/"), 404, "not_found")
    is_problem(calls(lin).client.get("/api/"), 404, "not_found")


def test_a_forged_host_is_a_problem(calls):
    answer = calls().client.get("/api/v1/boards", headers={"Host": "evil.example"})
    is_problem(answer, 400, "bad_request")


def test_a_long_key_is_refused(calls, plaza, hill, ada):
    path = f"/images/{hill.first_image_id}/replies"
    answer = calls(ada).post(path, {"prompt": "night"}, Idempotency_Key="x" * 256)
    is_problem(answer, 422, "invalid")


def test_the_description_and_its_page(calls):
    client = calls().client
    document = client.get("/api/v1/openapi.json").json()
    assert {"/api/v1/images", "/api/v1/replies/{reply}", "/api/v1/boards"} <= set(document["paths"])
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    text = page.content.decode()
    assert "POST /images" in text
    assert "//cdn" not in text and "unpkg" not in text and "style=" not in text
