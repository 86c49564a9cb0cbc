"""The page of a draft: for its member alone, with and without scripts."""

import pytest
from django.urls import reverse

from forum.drafts import actions
from forum.drafts.models import Draft, Take
from forum.threads.models import Reply

pytestmark = pytest.mark.django_db


@pytest.fixture
def here(client, lin, hill):
    client.force_login(lin)
    return reverse("draft", args=[hill.pk])


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


@pytest.mark.parametrize(
    "words", [{"prompt": ""}, {"prompt": "night", "candidates": "9"}, {"prompt": "x" * 2001}]
)
def test_what_is_amiss_is_said(client, here, words) -> None:
    page = client.post(here, words)
    assert page.status_code == 422
    assert 'role="alert"' in page.content.decode()
    assert not Take.objects.exists()


def test_htmx_is_sent_on_and_gets_the_composer_back(client, here) -> None:
    headers = {"HX-Request": "true"}
    refused = client.post(here, {"prompt": ""}, headers=headers)
    assert refused.status_code == 422
    assert refused.content.decode().lstrip().startswith("<form")
    sent = client.post(here, {"prompt": "make it night"}, headers=headers)
    assert (sent.status_code, sent["HX-Redirect"]) == (200, here)


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
