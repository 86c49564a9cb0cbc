"""A preset that no machine at work has: said plainly, unless one wishes to wait."""

import pytest
from django.db.models.functions import Now

from forum.beginnings.models import Beginning
from forum.drafts.models import Draft, Take
from forum.members.models import Allowance
from forum.threads.models import Reply
from generation.models import Job, Worker
from tests.factories import a_thread, come_out
from tests.forum.api.conftest import is_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def darkroom(db):
    """The only machine at work has the darkroom."""
    return at_work("one", "darkroom")


def at_work(name: str, *presets: str) -> Worker:
    queues = [f"edit:{preset}" for preset in presets]
    return Worker.objects.create(name=name, queues=queues, seen_at=Now(), started_at=Now())


def calls_for(place: str, image: int) -> tuple[str, dict[str, object]]:
    if place == "beginnings":
        words = {"board": "plaza", "prompt": "a hill", "preset": "klein"}
        return "/beginnings", words
    return f"/images/{image}/{place}", {"prompt": "make it night", "preset": "klein"}


PLACES = ["replies", "draft", "beginnings"]


@pytest.mark.parametrize("place", PLACES)
def test_it_is_impossible_now_and_costs_nothing(calls, hill, ada, darkroom, place):
    path, words = calls_for(place, hill.first_image_id)
    answer = calls(ada).post(path, words)
    is_problem(answer, 409, "no_worker")
    assert answer.json()["type"].endswith("#problem-no_worker")
    assert "Impossible now" in answer.json()["detail"]
    for rows in (Job, Reply, Draft, Beginning):
        assert not rows.objects.exists()
    assert not Allowance.objects.filter(what="envision").exists()


@pytest.mark.parametrize("place", PLACES)
def test_whoever_wishes_to_wait_may(calls, hill, ada, darkroom, place):
    path, words = calls_for(place, hill.first_image_id)
    answer = calls(ada).post(path, {**words, "wait": True})
    assert answer.status_code == 202, answer.content
    assert Job.objects.get().preset == "klein"


@pytest.mark.parametrize("place", PLACES)
def test_a_machine_that_has_it_takes_it(calls, hill, ada, darkroom, place):
    at_work("gpu", "klein")
    path, words = calls_for(place, hill.first_image_id)
    assert calls(ada).post(path, words).status_code == 202


def test_while_no_machine_is_at_work_everything_waits_as_on_the_pages(calls, hill, ada):
    path, words = calls_for("replies", hill.first_image_id)
    assert calls(ada).post(path, words).status_code == 202


def test_a_repetition_is_answered_the_same_after_its_machine_has_gone(calls, hill, ada, darkroom):
    gpu = at_work("gpu", "klein")
    path, words = calls_for("replies", hill.first_image_id)
    first = calls(ada).post(path, words, Idempotency_Key="a")
    gpu.delete()
    again = calls(ada).post(path, words, Idempotency_Key="a")
    assert (first.status_code, again.status_code) == (202, 202) and first.json() == again.json()


def test_a_plan_says_so_beforehand(calls, hill, ada, darkroom):
    def plan(preset):
        words = {"prompt": "snow", "preset": preset}
        return calls(ada).get(f"/images/{hill.first_image_id}/plan", words).json()

    assert (plan("klein")["impossible"], plan("darkroom")["impossible"]) == (True, False)


# --- turns of a draft say as much as answers do ---------------------------------------------------


def test_a_turn_does_what_is_read_as(calls, hill, ada):
    read = [{"name": "snow", "settings": {"intensity": 0.3}}]
    words = {"prompt": "as I mean it", "read_as": read}
    answer = calls(ada).post(f"/images/{hill.first_image_id}/draft", words)
    assert answer.status_code == 202, answer.content
    [said] = Job.objects.get().request["read_as"]
    assert said["name"] == "snow" and said["settings"]["intensity"] == 0.3


def test_a_turn_with_an_operation_that_cannot_be_names_its_place(calls, hill, ada):
    words = {"prompt": "x", "read_as": [{"name": "dragon"}]}
    answer = calls(ada).post(f"/images/{hill.first_image_id}/draft", words)
    is_problem(answer, 422, "invalid")
    assert answer.json()["errors"][0]["at"] == "body.words.read_as.0.name"


def test_a_turn_looks_at_a_second_picture(calls, hill, ada, lin, plaza):
    other = a_thread(plaza, lin, title="Other").first_image
    path = f"/images/{hill.first_image_id}/draft"
    is_problem(
        calls(ada).post(path, {"prompt": "with the colours of the other picture"}), 422, "no_second"
    )
    words = {"prompt": "with the colours of the other picture", "sources": [other.pk]}
    answer = calls(ada).post(path, words)
    assert answer.status_code == 202, answer.content
    [take] = answer.json()["takes"]
    assert take["sources"] == [other.pk]
    assert len(Job.objects.get().request["sources"]) == 2
    come_out(Take.objects.get().job)


def test_a_second_picture_that_may_not_be_seen_is_refused(calls, hill, river, wen):
    words = {"prompt": "with the colours of the other picture", "sources": [river.first_image_id]}
    answer = calls(wen).post(f"/images/{hill.first_image_id}/draft", words)
    is_problem(answer, 422, "no_such_image")
    assert not Job.objects.exists()


def test_a_turn_changes_a_rectangle(calls, hill, ada):
    mask = {"x": 0, "y": 0, "w": 0.5, "h": 1}
    words = {"prompt": "make it night", "mask": mask}
    answer = calls(ada).post(f"/images/{hill.first_image_id}/draft", words)
    assert answer.status_code == 202, answer.content
    assert Take.objects.get().mask is not None
    assert Job.objects.get().request["mask"]
