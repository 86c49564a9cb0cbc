"""The page of a draft: for its member alone, with and without scripts."""

from dataclasses import replace

import pytest
from django.db.models.functions import Now
from django.urls import reverse

from forum.drafts import actions
from forum.drafts.models import Draft, Take
from forum.threads.chips import understand
from forum.threads.models import Reply
from generation import queue
from generation.models import Worker
from tests.factories import a_thread

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(client, lin, hill):
    client.force_login(lin)
    return reverse("draft", args=[hill.pk])


def a_worker(*queues: str) -> None:
    """A worker at work, as its heartbeat says."""
    told = list(queues or ["edit:darkroom"])
    Worker.objects.create(name="one", queues=told, about={}, started_at=Now(), seen_at=Now())


def test_an_empty_draft_invites(client, here) -> None:
    page = client.get(here + "?prompt=in%20the%20rain").content.decode()
    assert "Nothing yet." in page
    assert "in the rain</textarea>" in page
    assert not Draft.objects.exists()


def test_a_turn_is_sent_and_shown(client, here, studio) -> None:
    sent = client.post(here, {"prompt": "make it night", "candidates": "2", "key": "k"})
    assert (sent.status_code, sent["Location"]) == (302, here)
    page = client.get(here).content.decode()
    assert page.count('class="take forming"') == 2
    studio.work()
    page = client.get(here).content.decode()
    assert page.count('class="take"') == 2
    take = Take.objects.first()
    picture = client.get(reverse("take-picture", args=[take.pk]))
    assert picture.status_code == 200
    assert picture["Content-Type"].startswith("image/")
    assert "no-store" in picture["Cache-Control"]


def test_an_engine_of_one_language_says_so(client, here, hill) -> None:
    """While one types, and without scripts when one has it read."""
    a_worker("edit:klein", "edit:qwen-edit")
    plan = reverse("plan", args=[hill.pk])
    for preset, warned in (("klein", True), ("qwen-edit", False)):
        words = {"prompt": "下雪的夜晚", "preset": preset}
        assert ("taught in English" in client.get(plan, words).content.decode()) is warned
        read = client.post(here, {**words, "chip_do": "read"})
        assert read.status_code == 200
        assert ("taught in English" in read.content.decode()) is warned


@pytest.mark.parametrize(
    "words", [{"prompt": ""}, {"prompt": "night", "candidates": "9"}, {"prompt": "x" * 2001}]
)
def test_what_is_amiss_is_said(client, here, words) -> None:
    page = client.post(here, words)
    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()
    assert not Take.objects.exists()


def test_htmx_gets_a_fresh_composer_and_the_parts_that_moved(client, here) -> None:
    """The page stays: who talks by keyboard goes on typing."""
    headers = {"HX-Request": "true"}
    refused = client.post(here, {"prompt": ""}, headers=headers)
    assert refused.status_code == 422
    assert refused.content.decode().lstrip().startswith("<form")
    words = {"prompt": "make it night", "candidates": "3", "vary": "strength", "strength": "0.9"}
    sent = client.post(here, words, headers=headers)
    text = sent.content.decode()
    assert sent.status_code == 200
    assert all(f'id="draft-{part}"' in text for part in ("steps", "stage", "turns", "leave"))
    assert text.count('class="take forming"') == 3
    # It goes on in the same manner, with an empty field.
    assert '<option value="3" selected>' in text and '<option value="strength" selected>' in text
    assert 'value="0.9"' in text and "make it night</textarea>" not in text


def test_chips_without_scripts(client, here, hill) -> None:
    """What was read stands as chips, is taken away, and what is left is sent."""
    text = client.post(here, {"prompt": "snow at night", "chip_do": "read"}).content.decode()
    assert text.count('name="chip"') == 2 and "I read:" in text
    read = understand("snow at night", "darkroom", hill.board)
    chips = {
        "chip": [each.as_json() for each in read.chips],
        "chip_much": [each.level for each in read.chips],
        "chip_where": [each.region for each in read.chips],
        "chip_stamp": read.stamp,
        "prompt": "snow at night",
        "candidates": "2",
    }
    text = client.post(here, {**chips, "chip_do": "off:0"}).content.decode()
    assert 'class="part off"' in text and '<option value="2" selected>' in text
    assert not Take.objects.exists()
    off = replace(read.chips[0], off=True).as_json()
    client.post(here, {**chips, "chip": [off, read.chips[1].as_json()]})
    asked = [queue.request(take.job) for take in Take.objects.all()]
    assert [[each.name for each in one.read_as] for one in asked] == [[read.chips[1].name]] * 2


def test_a_look_adds_its_words(client, here) -> None:
    text = client.post(here, {"prompt": "snow", "suggest": "at night"}).content.decode()
    assert "snow, at night</textarea>" in text
    assert not Take.objects.exists()


def test_costs_are_said_before_sending(client, here, lin, settings) -> None:
    """On the page at once, for as many pictures as are asked for, with scripts and without."""
    settings.FORUM_EDITS_PER_HOUR = 9
    a_worker()
    page = client.get(here).content.decode()
    assert "It would be next" in page and "9 left this hour" in page
    assert "engine under Apache-2.0" in page
    words = {"prompt": "snow", "candidates": "4", "chip_do": "read"}
    assert "takes 4 of the 9 left this hour" in client.post(here, words).content.decode()
    plan = reverse("plan", args=[here.split("/")[2]]) + "?prompt=snow&candidates=4"
    assert "takes 4 of the 9 left this hour" in client.get(plan).content.decode()
    settings.FORUM_EDITS_PER_HOUR = 3
    said = client.post(here, words).content.decode()
    assert "Only 3 are left to you this hour." in said


def test_what_nobody_at_work_can_make_is_refused_beside_its_field(client, here, hill) -> None:
    a_worker("edit:klein")
    assert "Impossible now" in client.get(here).content.decode()
    sent = client.post(here, {"prompt": "snow"})
    assert sent.status_code == 422
    text = sent.content.decode()
    assert f'aria-describedby="preset-error-{hill.pk}"' in text
    beside = text.partition(f'id="preset-error-{hill.pk}"')[2][:200]
    assert "Impossible now" in beside and "snow</textarea>" in text
    assert not Take.objects.exists()


def test_a_second_picture_is_asked_for_and_taken(client, here, hill, plaza, lin, studio) -> None:
    other = a_thread(plaza, lin).first_image
    words = {"prompt": "with the colours of the other picture", "key": "k"}
    refused = client.post(here, words)
    assert refused.status_code == 422
    assert "take after" in refused.content.decode()
    client.post(here, {**words, "second": str(other.pk)})
    [take] = Take.objects.all()
    assert take.second == other
    assert len(queue.request(take.job).sources) == 2


def test_a_mask_is_painted_on_the_step_one_is_at(client, here, say, studio) -> None:
    assert "/files/display" in easel_of(client.get(here))
    [take] = say()
    studio.work()
    assert reverse("take-picture", args=[take.pk]) in easel_of(client.get(here))


def easel_of(page) -> str:
    """The part of a page on which masks are painted."""
    return page.content.decode().partition('class="board"')[2].partition("</canvas>")[0]


def test_where_a_take_stands_is_said_in_words(client, here, say) -> None:
    """As on the card of a reply."""
    say(candidates=2)
    text = client.get(here).content.decode()
    assert "impossible now: no machine at work has this engine" in text
    a_worker()
    text = client.get(here).content.decode()
    first, second = text.split('class="take forming"')[1:]
    assert "next, " in " ".join(first.split()) and "about a second" in first
    assert "1 before it" in second and "about " in second
    assert "<progress" not in text
    queue.pause("darkroom")
    assert "lets this engine rest" in client.get(here).content.decode()


def test_choose_step_back_publish(client, here, studio, say, hill) -> None:
    takes = say(candidates=2)
    studio.work()
    client.post(reverse("take-go", args=[takes[1].pk]))
    assert "you are here" in client.get(here).content.decode()
    client.post(reverse("draft-back", args=[hill.pk]))
    assert "you are here" not in client.get(here).content.decode()
    sent = client.post(reverse("take-publish", args=[takes[1].pk]))
    assert sent["Location"] == f"/images/{hill.pk}/#reply-{Reply.objects.get().pk}"


def test_htmx_gets_the_parts_that_move(client, here, studio, say) -> None:
    [take] = say()
    studio.work()
    answer = client.post(reverse("take-go", args=[take.pk]), headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert all(f'id="draft-{part}"' in text for part in ("steps", "stage", "turns"))


def test_htmx_hears_why_not(client, here, say) -> None:
    [take] = say()
    answer = client.post(reverse("take-go", args=[take.pk]), headers={"HX-Request": "true"})
    assert answer.status_code == 403
    assert "no picture to go on from" in answer.content.decode()


def test_others_find_nothing(client, say, studio, ada, moderator, hill) -> None:
    [take] = say()
    studio.work()
    for stranger in (ada, moderator):
        client.force_login(stranger)
        assert client.get(reverse("take-picture", args=[take.pk])).status_code == 404
        assert client.get(reverse("take-frame", args=[take.pk])).status_code == 404
        assert client.post(reverse("take-publish", args=[take.pk])).status_code == 404
        page = client.get(reverse("draft", args=[hill.pk])).content.decode()
        assert "make it night" not in page


def test_thrown_away(client, here, say, hill) -> None:
    say()
    answer = client.post(reverse("draft-leave", args=[hill.pk]))
    assert answer["Location"] == f"/images/{hill.pk}/"
    assert not Draft.objects.exists()


def test_a_long_draft_takes_few_questions(client, here, say, studio, lin, settings) -> None:
    settings.FORUM_EDITS_PER_HOUR = 1000
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    say()
    studio.work()
    with CaptureQueriesContext(connection) as few:
        client.get(here)
    for _ in range(5):
        *_others, take = say(candidates=4)
        studio.work()
        actions.go_to(take=take, by=lin)
    with CaptureQueriesContext(connection) as many:
        client.get(here)
    assert len(many) <= len(few) <= 12
