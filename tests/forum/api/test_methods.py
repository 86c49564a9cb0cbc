"""Methods and media types: what an address takes, and what it says of that."""

import json

import pytest
from django.test import Client

from forum.threads.models import Reply
from tests.forum.api.conftest import is_problem

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/boards", "/me", "/images/{}", "/images/{}/replies", "/docs"])
def test_head_is_get_without_its_content(calls, hill, ada, path):
    program, address = calls(ada), "/api/v1" + path.format(hill.first_image_id)
    whole = program.client.get(address, headers=program.headers())
    head = program.client.head(address, headers=program.headers())
    assert (head.status_code, head.content) == (200, b"")
    assert whole.status_code == 200 and whole.content
    for name in ("Content-Type", "Content-Length", "Cache-Control"):
        assert head.headers.get(name) == whole.headers.get(name), name


def test_head_of_a_file_says_how_long_it_is(calls, hill):
    path = f"/api/v1/images/{hill.first_image_id}/files/thumb"
    head = Client().head(path)
    assert head.status_code == 200 and head.headers["Content-Type"] == "image/webp"
    assert int(head.headers["Content-Length"]) == len(Client().get(path).content)


def test_head_tells_no_more_than_get(calls, river, wen):
    program = calls(wen)
    answer = program.client.head(
        f"/api/v1/images/{river.first_image_id}", headers=program.headers()
    )
    assert answer.status_code == 404 and not answer.content


def test_head_of_what_only_takes_words_is_refused(calls, lin):
    answer = calls(lin).client.head("/api/v1/images")
    assert answer.status_code == 405 and answer.headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/boards", "GET, HEAD, OPTIONS, POST"),
        ("/images/1/draft", "DELETE, GET, HEAD, OPTIONS, POST"),
        ("/images/1/replies", "GET, HEAD, OPTIONS, POST"),
        ("/replies/1/cancel", "OPTIONS, POST"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
        ("/docs", "GET, HEAD, OPTIONS"),
    ],
)
def test_options_says_what_an_address_takes(path, allowed):
    answer = Client().options("/api/v1" + path)
    assert (answer.status_code, answer.headers["Allow"]) == (204, allowed)
    wrong = Client().put("/api/v1" + path)
    assert wrong.headers["Allow"] == allowed
    is_problem(wrong, 405, "method_not_allowed")


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "multipart/x"]
)
def test_a_type_that_is_not_read_is_415(calls, hill, ada, media):
    program = calls(ada)
    answer = program.client.post(
        f"/api/v1/images/{hill.first_image_id}/replies",
        json.dumps({"prompt": "make it night"}),
        content_type=media,
        headers=program.headers(),
    )
    is_problem(answer, 415, "unsupported_media_type")
    assert answer.headers["Accept"] == "application/json"
    assert not Reply.objects.exists()


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "application/vnd.x+json", ""])
def test_json_of_any_kind_is_read(calls, hill, ada, media):
    program = calls(ada)
    words = json.dumps({"prompt": "make it night"}).encode()
    path = f"/api/v1/images/{hill.first_image_id}/replies"
    answer = program.client.generic("POST", path, words, media, headers=program.headers())
    assert answer.status_code == 202, answer.content


def test_a_picture_comes_in_a_form(calls, plaza, ada):
    answer = calls(ada).post("/images", {"board": "plaza", "file": "x"})
    is_problem(answer, 415, "unsupported_media_type")
    assert answer.headers["Accept"] == "multipart/form-data"


def test_what_reads_no_body_does_not_mind_one(calls, asked, ada):
    program = calls(ada)
    path = f"/api/v1/replies/{asked.pk}/cancel"
    answer = program.client.generic("POST", path, b"x", "text/plain", headers=program.headers())
    assert answer.status_code == 200


def test_what_is_accepted_is_not_weighed(calls):
    assert calls().get("/boards", Accept="text/html").status_code == 200


def test_the_type_of_a_problem_leads_to_its_explanation(calls, hill, ada):
    program = calls(ada)
    answer = program.client.post(
        f"/api/v1/images/{hill.first_image_id}/replies",
        "x",
        "text/plain",
        headers=program.headers(),
    )
    place, _hash, anchor = answer.json()["type"].partition("#")
    assert f'id="{anchor}"' in Client().get(place).content.decode()
