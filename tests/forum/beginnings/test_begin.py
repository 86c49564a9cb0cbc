"""Beginning from nothing: asked for, made, opened as a thread; stopped, failed, tried again."""

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from forum.beginnings import actions
from forum.beginnings.models import Beginning
from forum.images import audit
from forum.images.models import Image
from forum.tasks import receive_beginning, receive_failure
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.models import Thread
from generation import queue
from generation.models import Job, Worker
from tests.conftest import a_member
from tests.factories import come_out, go_wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def gpu():
    """A worker that has klein, which makes images from words alone, and one that needs a source."""
    words = {"queues": ["edit:klein", "edit:qwen-edit"], "seen_at": Now(), "started_at": Now()}
    return Worker.objects.create(name="gpu", **words)


@pytest.fixture
def begin(lin, plaza):
    def begin(prompt="a hill under stars", key="k", **more):
        words = {"member": lin, "board": plaza, "preset": "klein", "key": key, **more}
        return actions.begin(prompt=prompt, **words)

    return begin


def test_it_opens_a_thread_when_it_has_come_out(begin, lin, plaza) -> None:
    found = begin(title="Stars", seed=7)
    job = Job.objects.get(pk=found.job)
    assert (job.request["sources"], job.request["seed"]) == ([], 7)
    assert job.topic == found.topic and job.asker == lin.pk
    assert not Thread.objects.exists(), "nobody sees it before it is there"
    come_out(found.job)
    receive_beginning(found.job)
    receive_beginning(found.job)
    [image] = Image.objects.all()
    found.refresh_from_db()
    thread = found.image.thread
    assert (found.state, found.image, thread.first_image) == ("done", image, image)
    assert (thread.title, thread.board, thread.image_count) == ("Stars", plaza, 1)
    assert (image.kind, image.generation, image.licence) == ("derivative", 0, plaza.licence)
    assert not image.sources.exists()
    assert thread in Thread.objects.visible_to(None)
    assert not [said for said in audit._rows() if "source" in said]


def test_the_same_key_begins_once(begin) -> None:
    assert begin() == begin()
    with pytest.raises(KeyReused):
        begin("another hill")


@pytest.mark.parametrize("preset", ["darkroom", "qwen-edit", "nothing"])
def test_engines_that_need_an_image_are_refused(begin, preset) -> None:
    with pytest.raises(NotAllowed):
        begin(preset=preset)
    assert not Job.objects.exists()


def test_boards_that_are_closed_stay_closed(begin, rivers) -> None:
    with pytest.raises(NotAllowed):
        begin(board=rivers, member=a_member("wen"))


def test_only_so_many_form_at_once(begin, settings) -> None:
    settings.FORUM_EDITS_AT_ONCE = 2
    begin(key="1"), begin(key="2")
    with pytest.raises(TooMany) as refusal:
        begin(key="3")
    assert refusal.value.retry_after > 0


def test_a_failure_says_why_and_can_be_tried_again(begin, browse, lin) -> None:
    found = begin()
    go_wrong(found.job, "out_of_memory")
    receive_failure(found.job)
    page = browse(lin).get(found.get_absolute_url()).content.decode()
    assert "too large for the machine" in page
    browse(lin).post(reverse("beginning-again", args=[found.pk]))
    found.refresh_from_db()
    assert found.is_forming and queue.read([found.job])[found.job].state == "waiting"


def test_what_is_stopped_comes_to_nothing(begin, browse, lin) -> None:
    found = begin()
    client = browse(lin)
    said = client.post(
        reverse("beginning-stop", args=[found.pk]), headers={"HX-Request": "true"}
    ).content.decode()
    assert "stopped" in said and "<html" not in said
    assert Job.objects.get(pk=found.job).state == "cancelled"
    receive_beginning(found.job)
    assert not Image.objects.exists()


def test_a_member_begins_on_the_page(browse, lin, plaza, gpu) -> None:
    client = browse(lin)
    page = client.get("/begin/").content.decode()
    assert "FLUX.2 klein" in page and "Qwen" not in page, "engines that need an image are left out"
    assert "It would be next" in page and "left this hour" in page
    assert client.post("/begin/", {"prompt": " "}).status_code == 422
    words = {"prompt": "a hill", "preset": "klein", "board": "plaza", "key": "x"}
    sent = client.post("/begin/", words)
    found = Beginning.objects.get()
    assert (sent.status_code, sent["Location"]) == (302, found.get_absolute_url())
    shown = client.get(sent["Location"]).content.decode()
    assert "a hill" in shown and "/ws/beginnings/" in shown
    assert "a hill" in client.get("/begin/").content.decode(), "it is found again"
    come_out(found.job)
    receive_beginning(found.job)
    found.refresh_from_db()
    there = client.get(found.get_absolute_url())
    assert there["Location"] == found.image.get_absolute_url()
    assert client.get(there["Location"]).status_code == 200


def test_how_it_is_read_is_said_before_it_is_sent(browse, lin, plaza, gpu) -> None:
    """An engine that was taught English alone says so to a Chinese prompt, also without scripts."""
    found = {name: each for name, each in queue.presets().items() if queue.begins(name)}
    spoken = {name: each.settings["languages"] for name, each in found.items()}
    taught = next(name for name, each in spoken.items() if each == ["en"])
    both = next(name for name, each in spoken.items() if "zh-hans" in each)
    Worker.objects.filter(pk=gpu.pk).update(queues=[f"edit:{taught}", f"edit:{both}"])
    client = browse(lin)
    words = {"prompt": "星空下的山丘", "preset": taught}
    warned = client.get("/begin/plan/", words).content.decode()
    assert "English" in warned and "left this hour" in warned and "<html" not in warned
    assert "English" not in client.get("/begin/plan/", {**words, "preset": both}).content.decode()
    assert (
        "English" not in client.get("/begin/plan/", {**words, "prompt": "hills"}).content.decode()
    )
    page = client.post("/begin/", {**words, "board": "none"})
    assert page.status_code == 422 and "English" in page.content.decode()
    nothing = client.get("/begin/plan/", {"prompt": "hills", "preset": "darkroom"})
    assert nothing.status_code == 200 and not nothing.content.strip()


def test_nobody_else_sees_it(begin, browse, ada, owner) -> None:
    found = begin()
    for who in (ada, owner):
        client = browse(who)
        assert client.get(found.get_absolute_url()).status_code == 404
        assert client.get(reverse("beginning-frame", args=[found.pk])).status_code == 404
        assert client.post(reverse("beginning-stop", args=[found.pk])).status_code == 404


def test_without_a_machine_it_is_said_to_be_impossible(browse, lin, plaza) -> None:
    page = browse(lin).get("/begin/").content.decode()
    assert "Impossible now" in page and "<textarea" not in page


def test_programs_begin_too(client, lin, plaza, gpu) -> None:
    from forum.members import tokens

    _row, word = tokens.make(member=lin, name="x")
    head = {"Authorization": f"Bearer {word}", "Idempotency-Key": "one"}

    def post(**words):
        return client.post(
            "/api/v1/beginnings", {"board": "plaza", "prompt": "a hill", **words},
            content_type="application/json", headers=head,
        )  # fmt: skip

    first, second = post(), post()
    assert first.status_code == 202 and first.json() == second.json()
    assert first.json()["preset"] == "klein"
    assert post(prompt="b").status_code == 409
    head.pop("Idempotency-Key")
    assert post(board="none").status_code == 422
    assert post(preset="darkroom").status_code in (403, 422)
    found = Beginning.objects.get()
    come_out(found.job)
    receive_beginning(found.job)
    said = client.get(first.headers["Location"], headers=head).json()
    assert (said["state"], said["image"]) == ("done", Image.objects.get().pk)
    assert client.post(f"/api/v1/beginnings/{found.pk}/cancel", headers=head).status_code == 409


def test_what_did_not_come_out_is_forgotten_after_a_week(begin) -> None:
    from datetime import timedelta

    found = begin()
    actions.stop(beginning=found, by=found.author)
    assert actions.sweep_beginnings() == 0
    Beginning.objects.update(ended_at=Now() - timedelta(days=8))
    assert actions.sweep_beginnings() == 1
