"""Leaving: everything goes, or a pseudonym stays."""

import pytest
from django.core.files.storage import default_storage

from forum.images.models import File, Image
from forum.links.actions import take_in as learn
from forum.links.models import EmbeddingWf1
from forum.members import tokens
from forum.members.actions import LastOwner, leave
from forum.members.models import Member
from forum.threads.actions import take_in
from generation.results import Vector
from tests.factories import a_thread, ask, come_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def two(plaza, lin, ada):
    """An image of Lin that Ada has answered, and one that nobody has."""
    answered = a_thread(plaza, lin).first_image
    reply = ask(ada, answered)
    come_out(reply.job)
    child = take_in(reply.job)
    alone = a_thread(plaza, lin).first_image
    for image in (answered, alone):
        learn(image=image, vectors=[Vector("wf1", (1.0, *[0.0] * 474))])
    return answered, alone, child


def names_of(image: Image) -> list[str]:
    return list(image.files.values_list("name", flat=True))


def test_everything_goes_and_others_keep_theirs(two, lin, django_capture_on_commit_callbacks):
    answered, alone, child = two
    gone, kept = names_of(answered) + names_of(alone), names_of(child)
    with django_capture_on_commit_callbacks(execute=True):
        leave(member=lin, keep_images=False)
    assert not Member.objects.filter(username="lin").exists()
    assert not any(default_storage.exists(name) for name in gone)
    assert all(default_storage.exists(name) for name in kept)
    assert not EmbeddingWf1.objects.filter(image__in=[answered.pk, alone.pk]).exists()
    assert not File.objects.filter(image__in=[answered.pk, alone.pk]).exists()
    place = Image.objects.get(pk=answered.pk)
    assert (place.state, place.author, place.title) == ("withdrawn", None, "")
    assert Image.objects.get(pk=child.pk).state == "ready"


def test_a_pseudonym_stays_if_they_wish(two, lin):
    secret = tokens.make(member=lin, name="x")[1]
    lin.about = "Lin of the rivers"
    lin.save()
    leave(member=lin, keep_images=True)
    kept = Member.objects.get(pk=lin.pk)
    assert kept.username.startswith("left-")
    assert (kept.name, kept.about, kept.is_active) == ("", "", False)
    assert not kept.has_usable_password()
    assert tokens.member_of(secret) is None
    assert Image.objects.get(pk=two[0].pk).author == kept


def test_the_last_owner_stays(owner):
    with pytest.raises(LastOwner):
        leave(member=owner, keep_images=True)
    assert Member.objects.get().is_active


def test_the_page_asks_for_the_password(browse, lin):
    client = browse(lin)
    assert client.post("/settings/leave/", {"how": "keep", "password": "wrong"}).status_code == 422
    answer = client.post("/settings/leave/", {"how": "keep", "password": "open sesame 7"})
    assert answer.status_code == 302
    assert client.get("/settings/").status_code == 302


def test_a_failure_on_the_way_changes_nothing(two, lin, monkeypatch):
    from forum.members import events

    def breaks(member, keep_images):
        raise RuntimeError

    monkeypatch.setattr(events, "on_leaving", [*events.on_leaving, breaks])
    with pytest.raises(RuntimeError):
        leave(member=lin, keep_images=False)
    assert Member.objects.filter(username="lin").exists()
    assert Image.objects.filter(author=lin, state="ready").count() == 2
