"""Posting and seeing images."""

import hashlib
import io

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from forum.boards.models import Board
from forum.images.models import File, Image
from forum.threads.actions import take_in
from forum.threads.models import Thread
from tests.factories import a_picture, come_out
from tests.forum.api.conftest import is_problem

pytestmark = pytest.mark.django_db


def upload(data: bytes = b"", name: str = "hill.png") -> ContentFile:
    return ContentFile(data or a_picture((320, 200), "PNG"), name=name)


def files_in_storage() -> list[str]:
    found, folders = [], [""]
    while folders:
        here = folders.pop()
        try:
            inner, names = default_storage.listdir(here)
        except FileNotFoundError:
            continue
        folders += [f"{here}/{each}".lstrip("/") for each in inner]
        found += [f"{here}/{each}" for each in names]
    return found


def test_a_picture_opens_a_thread(calls, plaza, lin):
    data = a_picture((320, 200), "PNG")
    answer = calls(lin).send(
        "/images", {"file": upload(data), "board": "plaza", "title": "Hill", "alt": "A hill"}
    )
    assert answer.status_code == 201, answer.content
    said = answer.json()
    assert said["sha256"] == hashlib.sha256(data).hexdigest()
    assert (said["width"], said["height"]) == (320, 200)
    assert (said["kind"], said["state"], said["board"]) == ("original", "ready", "plaza")
    assert (said["title"], said["alt"], said["author"]) == ("Hill", "A hill", "lin")
    assert (said["licence"], said["allow_derivatives"]) == (plaza.licence, True)
    assert said["url"].endswith(f"/images/{said['id']}/")
    assert answer.headers["Location"] == said["url"]
    assert Thread.objects.get().pk == said["thread"]


def test_what_is_said_of_it_is_kept(calls, plaza, lin):
    words = {"file": upload(), "board": "plaza", "licence": "CC0-1.0", "allow_derivatives": "false"}
    said = calls(lin).send("/images", words).json()
    assert (said["licence"], said["allow_derivatives"]) == ("CC0-1.0", False)


def test_the_original_is_kept_byte_for_byte_and_only_for_its_author(calls, plaza, lin, wen):
    data = a_picture((320, 200), "PNG")
    said = calls(lin).send("/images", {"file": upload(data), "board": "plaza"}).json()
    path = f"/images/{said['id']}/files"
    assert calls(lin).get(f"{path}/original").content == data
    is_problem(calls(wen).get(f"{path}/original"), 404, "not_found")
    assert calls(wen).get(f"/images/{said['id']}").json()["files"]["original"] is None
    for role in ("display", "thumb"):
        assert calls().get(f"{path}/{role}").headers["Content-Type"].startswith("image/")


def test_files_are_found_at_the_addresses_that_are_given(calls, plaza, lin):
    program = calls(lin)
    said = program.send("/images", {"file": upload(), "board": "plaza"}).json()
    for url in said["files"].values():
        path = url.removeprefix("http://testserver/api/v1")
        assert program.get(path).status_code == 200


def test_the_same_key_makes_one_image(calls, plaza, lin):
    data = a_picture((320, 200), "PNG")
    program = calls(lin)
    first, again = (
        program.send("/images", {"file": upload(data), "board": "plaza"}, Idempotency_Key="once")
        for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert Image.objects.count() == 1
    assert len(files_in_storage()) == File.objects.count()


def test_the_same_key_for_another_picture_is_a_conflict(calls, plaza, lin):
    program = calls(lin)
    program.send("/images", {"file": upload(), "board": "plaza"}, Idempotency_Key="once")
    answer = program.send("/images", {"file": upload(), "board": "plaza"}, Idempotency_Key="once")
    is_problem(answer, 409, "key_reused")
    assert Image.objects.count() == 1
    assert len(files_in_storage()) == File.objects.count()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"\x89PNG\r\n\x1a\nbroken", "broken"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (b"words", "not_an_image"),
    ],
)
def test_what_is_no_picture_is_refused_and_leaves_nothing(calls, plaza, lin, data, code):
    answer = calls(lin).send("/images", {"file": upload(data), "board": "plaza"})
    assert answer.status_code == 422, answer.content
    assert answer.json()["code"] in {code, "not_an_image", "broken", "kind_not_accepted"}
    assert not Image.objects.exists()
    assert not files_in_storage()


@pytest.mark.parametrize(
    ("words", "at"),
    [
        ({}, "board"),
        ({"board": "plaza", "title": "x" * 121}, "title"),
        ({"board": "plaza", "title": "a\0b"}, "title"),
        ({"board": "plaza", "alt": "x" * 1001}, "alt"),
        ({"board": "plaza", "licence": "mine"}, "licence"),
        ({"board": "plaza", "allow_derivatives": "perhaps"}, "allow_derivatives"),
    ],
)
def test_words_that_cannot_be_are_named(calls, plaza, lin, words, at):
    answer = calls(lin).send("/images", {"file": upload(), **words})
    is_problem(answer, 422, "invalid")
    assert at in answer.json()["errors"][0]["at"]
    assert not files_in_storage()


def test_a_picture_is_needed(calls, plaza, lin):
    is_problem(calls(lin).send("/images", {"board": "plaza"}), 422, "invalid")
    is_problem(calls(lin).post("/images", {"board": "plaza"}), 415, "unsupported_media_type")


def test_an_unknown_board_and_one_that_is_not_seen_answer_alike(calls, rivers, wen):
    program = calls(wen)
    hidden = program.send("/images", {"file": upload(), "board": "rivers"})
    unknown = program.send("/images", {"file": upload(), "board": "nowhere"})
    is_problem(hidden, 404, "no_such_board")
    assert hidden.content == unknown.content


def test_an_archived_board_takes_nothing(calls, plaza, lin):
    Board.objects.update(archived_at="2026-01-01T00:00Z")
    answer = calls(lin).send("/images", {"file": upload(), "board": "plaza"})
    is_problem(answer, 403, "board_closed")
    assert not files_in_storage()


def test_uploads_are_counted(calls, plaza, lin, settings):
    settings.FORUM_UPLOADS_PER_HALF_HOUR = 1
    program = calls(lin)
    program.send("/images", {"file": upload(), "board": "plaza"})
    answer = program.send("/images", {"file": upload(), "board": "plaza"})
    is_problem(answer, 429, "slow_down")
    assert int(answer.headers["Retry-After"]) > 1000
    assert len(files_in_storage()) == File.objects.count()


def test_private_images_are_there_for_those_who_belong(calls, river, lin, wen):
    path = f"/images/{river.first_image_id}"
    for more in ("", "/lineage", "/resonances", "/replies", "/files/thumb"):
        assert calls(lin).get(path + more).status_code == 200, more
        is_problem(calls(wen).get(path + more), 404, "not_found")
        is_problem(calls().get(path + more), 404, "not_found")


@pytest.mark.parametrize("pk", [999, 2**63 - 1, 2**63, 10**30, 0])
def test_images_that_are_not_there(calls, lin, pk):
    for more in ("", "/lineage", "/resonances", "/replies", "/files/thumb"):
        answer = calls(lin).get(f"/images/{pk}{more}")
        assert answer.status_code in {404, 422}
        assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_derivative_tells_its_recipe_and_lineage(calls, hill, asked, lin):
    come_out(asked.job)
    image = take_in(asked.job)
    said = calls(lin).get(f"/images/{image.pk}").json()
    assert (said["kind"], said["generation"]) == ("derivative", 1)
    assert said["sources"] == [hill.first_image_id]
    assert said["recipe"]["prompt"] == "make it night"
    graph = calls(lin).get(f"/images/{image.pk}/lineage").json()
    assert {node["id"] for node in graph["nodes"]} == {image.pk, hill.first_image_id}
    assert graph["edges"] == [{"source": hill.first_image_id, "child": image.pk, "position": 0}]
    assert graph["here"] == image.pk


def test_no_path_of_a_file_is_ever_told(calls, hill, lin):
    name = hill.first_image.files.first().name
    assert name not in calls(lin).get(f"/images/{hill.first_image_id}").content.decode()


def test_a_body_that_is_no_multipart(calls, plaza, lin):
    program = calls(lin)
    answer = program.client.post(
        "/api/v1/images",
        io.BytesIO(b"--nonsense"),
        content_type="multipart/form-data; boundary=x",
        headers=program.headers(),
    )
    assert answer.status_code in {400, 422}
    assert answer.headers["Content-Type"] == "application/problem+json"
