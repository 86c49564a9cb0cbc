"""What the machine would have done anyway: asked once for a source, kept for all its answers."""

import uuid

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext, ngettext, override

from forum.images.actions import withdraw
from forum.images.audit import orphans
from forum.measures import actions
from forum.measures.models import NullAnswer, NullState
from forum.members.models import Allowance
from forum.threads.actions import NotAllowed, TooMany
from generation import queue
from generation.jobs import publishing
from generation.models import Worker
from tests.factories import a_thread, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def hill(plaza, ada, studio):
    """Ada's image with its vector."""
    from forum.threads.actions.posting import look_at

    image = a_thread(plaza, ada).first_image
    look_at(image, image.thread)
    studio.work()
    return image


@pytest.fixture
def night(lin, hill, studio):
    """Lin's answer to it."""
    reply = ask(lin, hill, "at night, in snow")
    studio.work()
    reply.refresh_from_db()
    return reply.image


def test_eight_answers_without_a_word_and_the_share(night, hill, lin, studio) -> None:
    found = actions.ask(image=night, by=lin)
    assert [each.seed for each in found.nulls] == list(range(8))
    assert found.is_forming
    assert found.share is None
    assert {queue.request(each.job).prompt for each in found.nulls} == {""}
    studio.work()
    known = actions.known(night, None)
    assert [each.state for each in known.nulls] == [NullState.DONE] * 8
    assert known.share.among == 8
    assert known.share.alone > 0
    assert known.share.percent is None or 0 <= known.share.percent <= 100


def test_asked_once_for_all_answers_to_a_source(night, hill, lin, ada, studio) -> None:
    actions.ask(image=night, by=lin)
    studio.work()
    other = ask(ada, hill, "as a pencil drawing", key="other")
    studio.work()
    other.refresh_from_db()
    before = Allowance.objects.get(who=f"member:{ada.pk}", what="envision").spent
    found = actions.ask(image=other.image, by=ada)
    assert found.share is not None
    assert NullAnswer.objects.count() == 8
    assert Allowance.objects.get(who=f"member:{ada.pk}", what="envision").spent == before


def test_another_program_answers_anew(night, lin, studio, monkeypatch) -> None:
    actions.ask(image=night, by=lin)
    studio.work()
    monkeypatch.setattr(queue, "program_version", lambda preset: "another")
    assert not actions.known(night, lin).nulls
    assert actions.ask(image=night, by=lin).is_forming
    assert NullAnswer.objects.count() == 8
    studio.work()
    assert actions.known(night, lin).share is not None


def test_some_that_fail_do_no_harm_and_too_many_do(night, lin, studio) -> None:
    nulls = actions.ask(image=night, by=lin).nulls
    for each in nulls[:5]:
        held = publishing.claim(each.job, uuid.uuid4())
        publishing.give_up(held, "engine_error", "")
    studio.work()
    assert actions.known(night, lin).share.among == 3
    NullAnswer.objects.filter(seed__lt=6).update(state=NullState.FAILED)
    assert actions.known(night, lin).failed
    assert actions.ask(image=night, by=lin).is_forming


def test_an_original_has_nothing_to_compare(hill, lin) -> None:
    assert actions.known(hill, lin) is None
    with pytest.raises(NotAllowed):
        actions.ask(image=hill, by=lin)


def test_it_costs_one_answer(night, lin, settings) -> None:
    settings.FORUM_EDITS_PER_HOUR = 1
    with pytest.raises(TooMany):
        actions.ask(image=night, by=lin)
    assert not NullAnswer.objects.exists()


def a_worker(queue_name: str) -> None:
    Worker.objects.create(
        name="one", queues=[queue_name], about={}, started_at=Now(), seen_at=Now()
    )


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_costs_are_said_before_it_is_asked(client, night, lin, settings, language) -> None:
    settings.FORUM_EDITS_PER_HOUR = 5
    client.force_login(lin)
    address = reverse("null", args=[night.pk])
    headers = {"Accept-Language": language}
    a_worker("edit:darkroom")
    page = client.get(address, headers=headers).content.decode()
    # One answer was asked for already; the eight count as one more.
    with override(language):
        assert ngettext("%(n)s left this hour", "%(n)s left this hour", 4) % {"n": 4} in page
        assert gettext("It would be next") in page
    assert "Apache-2.0" in page


def test_what_nobody_at_work_has_is_refused_beside_the_button(client, night, lin) -> None:
    a_worker("edit:klein")
    client.force_login(lin)
    address = reverse("null", args=[night.pk])
    assert "Impossible now" in client.get(address).content.decode()
    refused = client.post(address, headers={"HX-Request": "true"})
    assert refused.status_code == 403
    assert refused.content.decode().count("Impossible now") == 1
    assert not NullAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_with_its_source_they_go(night, hill, lin, ada, studio) -> None:
    actions.ask(image=night, by=lin)
    studio.work()
    names = [queue.result(each.job).file.name for each in NullAnswer.objects.all()]
    assert actions.files([*names, "images/aa/b.webp"]) == set(names)
    withdraw(image=hill, by=ada)
    assert not NullAnswer.objects.exists()
    assert not list(orphans())


def test_the_page_asks_waits_and_tells(client, night, lin, studio) -> None:
    address = reverse("null", args=[night.pk])
    assert "Sign in to ask" in client.get(address).content.decode()
    client.force_login(lin)
    page = client.get(address).content.decode()
    assert "Let it answer without a word" in page
    assert client.post(address)["Location"] == address
    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert "0 of 8" in fragment
    assert 'hx-trigger="load delay:2s"' in fragment
    studio.work()
    page = client.get(address).content.decode()
    assert "The numbers" in page
    assert page.count("/picture") == 8
    first = NullAnswer.objects.first()
    answer = client.get(reverse("null-picture", args=[first.pk]))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]


def test_nobody_sees_what_was_made_of_a_private_image(client, rivers, lin, wen, studio) -> None:
    source = a_thread(rivers, lin).first_image
    reply = ask(lin, source, "at night")
    studio.work()
    reply.refresh_from_db()
    actions.ask(image=reply.image, by=lin)
    studio.work()
    first = NullAnswer.objects.first()
    client.force_login(wen)
    assert client.get(reverse("null-picture", args=[first.pk])).status_code == 404
    assert client.get(reverse("null", args=[reply.image_id])).status_code == 404
