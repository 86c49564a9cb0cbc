"""Answering by program."""

import pytest
from django.core.files.base import ContentFile

from forum.threads.actions import take_in, take_in_failure
from forum.threads.models import Reply
from generation.models import Job
from tests.factories import a_picture, a_thread, an_image, come_out, go_wrong
from tests.forum.api.conftest import is_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def answer(calls, hill, ada):
    """Ada's program answers the hill: `answer({"prompt": ...})`."""
    program = calls(ada)

    def post(words: object, **headers: str):
        return program.post(f"/images/{hill.first_image_id}/replies", words, **headers)

    return post


def test_a_prompt_waits_and_becomes_an_image(answer, calls, ada):
    said = answer({"prompt": "make it night", "seed": 7, "strength": 0.4})
    assert said.status_code == 202, said.content
    words = said.json()
    assert words["state"] == "waiting"
    assert said.headers["Location"] == words["url"]
    reply = Reply.objects.get(pk=words["id"])
    assert (reply.seed, reply.strength, reply.prompt) == (7, 0.4, "make it night")
    waiting = calls(ada).get(f"/replies/{reply.pk}").json()
    assert (waiting["state"], waiting["progress"], waiting["image"]) == ("waiting", 0, None)
    come_out(reply.job)
    image = take_in(reply.job)
    done = calls(ada).get(f"/replies/{reply.pk}").json()
    assert (done["state"], done["progress"], done["image"]) == ("done", 1, image.pk)
    assert (done["error"], done["seed"]) == (None, 7)
    assert done["recipe"]["engine"] == "darkroom"


def test_the_address_that_is_given_can_be_asked(answer, calls, ada):
    url = answer({"prompt": "make it night"}).json()["url"]
    assert calls(ada).get(url.removeprefix("http://testserver/api/v1")).status_code == 200


def test_what_did_not_come_out_says_why(answer, calls, ada):
    reply = Reply.objects.get(pk=answer({"prompt": "make it night"}).json()["id"])
    go_wrong(reply.job, "timeout")
    take_in_failure(reply.job)
    said = calls(ada).get(f"/replies/{reply.pk}").json()
    assert said["state"] == "failed"
    assert said["error"]["code"] == "timeout"
    assert said["error"]["detail"]


def test_the_same_key_makes_one_reply(answer):
    first, again = (answer({"prompt": "make it night"}, Idempotency_Key="a") for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert Job.objects.count() == 1


def test_the_same_key_for_another_prompt_is_a_conflict(answer):
    answer({"prompt": "make it night"}, Idempotency_Key="a")
    is_problem(answer({"prompt": "make it snow"}, Idempotency_Key="a"), 409, "key_reused")
    assert Reply.objects.count() == 1


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"prompt": ""},
        {"prompt": "   "},
        {"prompt": "x" * 100_000},
        {"prompt": "a\0b"},
        {"prompt": "\ud800"},
        {"prompt": 7},
        {"prompt": "night", "seed": -1},
        {"prompt": "night", "seed": 2**32},
        {"prompt": "night", "strength": 1.1},
        {"prompt": "night", "strength": "NaN"},
        {"prompt": "night", "sources": [0]},
        {"prompt": "night", "sources": [1] * 9},
        {"prompt": "night", "colour": "blue"},
        [],
        "night",
        None,
    ],
)
def test_words_that_cannot_be_are_refused(answer, words):
    is_problem(answer(words), 422, "invalid")
    assert not Reply.objects.exists()


def test_a_body_that_is_no_json(calls, ada, hill):
    program = calls(ada)
    for body in (b"{", b"\xff\xfe", b"NaN", b""):
        answer = program.client.post(
            f"/api/v1/images/{hill.first_image_id}/replies",
            body,
            content_type="application/json",
            headers=program.headers(),
        )
        assert answer.status_code in {400, 422}, body
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_engines_by_name(answer):
    assert answer({"prompt": "make it night", "engine": "darkroom"}).status_code == 202
    assert answer({"prompt": "make it night", "preset": "darkroom"}).status_code == 202
    is_problem(answer({"prompt": "make it night", "engine": "magic"}), 422, "no_engine")
    is_problem(answer({"prompt": "make it night", "preset": "magic"}), 422, "no_engine")


def test_a_prompt_of_which_nothing_is_understood_is_refused_with_offers(answer):
    said = answer({"prompt": "qwertz asdfgh"})
    is_problem(said, 422, "nothing_understood")
    assert said.json()["offers"]
    assert not Reply.objects.exists()


def test_chinese_is_understood(answer):
    assert answer({"prompt": "变成夜晚"}).status_code == 202


def test_further_sources(answer, hill, river, lin):
    other = an_image(hill, lin)
    said = answer({"prompt": "double exposure", "sources": [other.pk]})
    assert said.status_code == 202, said.content
    assert list(Reply.objects.get().further_sources.all()) == [other]


def test_sources_that_cannot_be_seen_are_refused(calls, hill, river, wen):
    words = {"prompt": "double exposure", "sources": [river.first_image_id]}
    answer = calls(wen).post(f"/images/{hill.first_image_id}/replies", words)
    is_problem(answer, 422, "no_such_image")


def test_a_private_image_cannot_be_answered_by_others(calls, river, wen):
    answer = calls(wen).post(f"/images/{river.first_image_id}/replies", {"prompt": "night"})
    is_problem(answer, 404, "not_found")


def test_an_image_without_consent_takes_no_derivatives(calls, plaza, lin, ada):
    image = a_thread(plaza, lin, allow_derivatives=False).first_image
    answer = calls(ada).post(f"/images/{image.pk}/replies", {"prompt": "make it night"})
    is_problem(answer, 403, "not_consented")


def test_too_many_at_once(answer, settings):
    settings.FORUM_EDITS_AT_ONCE = 1
    answer({"prompt": "make it night"})
    refused = answer({"prompt": "make it night"})
    is_problem(refused, 429, "slow_down")
    assert int(refused.headers["Retry-After"]) >= 1


def test_one_stops_ones_own_and_only_that(answer, calls, ada, wen):
    pk = answer({"prompt": "make it night"}).json()["id"]
    is_problem(calls(wen).post(f"/replies/{pk}/cancel"), 403, "not_yours")
    for _ in range(2):
        assert calls(ada).post(f"/replies/{pk}/cancel").json()["state"] == "cancelled"


def test_what_has_ended_cannot_be_stopped(calls, asked, ada):
    come_out(asked.job)
    take_in(asked.job)
    is_problem(calls(ada).post(f"/replies/{asked.pk}/cancel"), 409, "ended")


def test_a_stopped_reply_is_tried_again(answer, calls, ada):
    pk = answer({"prompt": "make it night"}).json()["id"]
    calls(ada).post(f"/replies/{pk}/cancel")
    again = calls(ada).post(f"/replies/{pk}/retry")
    assert (again.status_code, again.json()["state"]) == (202, "waiting")


def test_replies_to_private_images_are_not_found(calls, river, lin, wen):
    pk = (
        calls(lin).post(f"/images/{river.first_image_id}/replies", {"prompt": "night"}).json()["id"]
    )
    for program in (calls(wen), calls()):
        is_problem(program.get(f"/replies/{pk}"), 404, "not_found")
    is_problem(calls(wen).post(f"/replies/{pk}/cancel"), 404, "not_found")


def test_answering_with_a_picture(calls, hill, ada):
    file = ContentFile(a_picture((64, 64), "PNG"), name="a.png")
    path = f"/images/{hill.first_image_id}/replies/upload"
    said = calls(ada).send(path, {"file": file, "title": "Mine"})
    assert said.status_code == 201, said.content
    assert (said.json()["kind"], said.json()["state"]) == ("upload", "done")
    assert said.json()["recipe"] is None


def test_answering_by_pointing(calls, hill, plaza, ada, wen, river):
    other = a_thread(plaza, wen).first_image
    path = f"/images/{hill.first_image_id}/replies/link"
    said = calls(ada).post(path, {"image": other.pk})
    assert (said.status_code, said.json()["image"]) == (201, other.pk)
    is_problem(calls(ada).post(path, {"image": other.pk}), 409, "answered_already")
    is_problem(calls(wen).post(path, {"image": river.first_image_id}), 422, "no_such_image")


def test_replies_come_in_pages(calls, hill, lin, ada):
    from tests.factories import an_upload_reply

    pks = [an_upload_reply(hill.first_image, lin).pk for _ in range(5)]
    program, seen, cursor = calls(ada), [], ""
    for size in (2, 2, 1):
        path = f"/images/{hill.first_image_id}/replies"
        said = program.get(path, {"limit": 2, "cursor": cursor}).json()
        assert len(said["items"]) == size
        seen += [each["id"] for each in said["items"]]
        cursor = said["next"]
    assert cursor is None
    assert seen == pks[::-1]


@pytest.mark.parametrize(
    "cursor", ["x", "é", "YWZ0ZXI6LTE", "YWZ0ZXI6OTk5OTk5OTk5OTk5OTk5OTk5OTk5"]
)
def test_foreign_cursors_are_refused(calls, hill, ada, cursor):
    answer = calls(ada).get(f"/images/{hill.first_image_id}/replies", {"cursor": cursor})
    is_problem(answer, 422, "invalid")


def test_a_page_of_replies_takes_few_queries(calls, hill, lin, ada, django_assert_max_num_queries):
    from tests.factories import an_upload_reply, ask

    for number in range(10):
        an_upload_reply(hill.first_image, lin)
        if number < 4:
            ask(ada, hill.first_image, key=str(number))
    program = calls(ada)
    with django_assert_max_num_queries(12):
        assert len(program.get(f"/images/{hill.first_image_id}/replies").json()["items"]) == 14


def test_a_thread_with_its_replies(calls, hill, asked, lin):
    said = calls(lin).get(f"/threads/{hill.pk}").json()
    assert (said["first_image"], said["title"]) == (hill.first_image_id, "A hill")
    assert [each["id"] for each in said["replies"]] == [asked.pk]
    assert calls(lin).get("/threads", {"board": "plaza"}).json()["items"][0]["id"] == hill.pk


def test_private_threads_are_not_found(calls, river, wen):
    is_problem(calls(wen).get(f"/threads/{river.pk}"), 404, "not_found")
    assert calls(wen).get("/threads").json()["items"] == []
