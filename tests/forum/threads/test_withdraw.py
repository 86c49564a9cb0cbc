"""What goes with a withdrawn image, and what stays; see docs/decisions/0008."""

import pytest

from forum.images import ingest
from forum.images.actions import describe, hide, show, withdraw
from forum.images.models import File, ImageState
from forum.threads.actions import open_thread, read, take_in
from forum.threads.models import Reply
from generation.models import Job
from tests.factories import a_mask, a_picture, a_thread, an_upload_reply, ask, come_out

pytestmark = pytest.mark.django_db


@pytest.fixture
def derivative(hill, ada):
    """Ada's hill at night, with a mask."""
    reply = ask(ada, hill.first_image, mask=a_mask(ada, hill.first_image))
    come_out(reply.job)
    return take_in(reply.job)


def test_words_recipe_and_record_of_a_derivative_go(derivative, ada):
    job = derivative.job
    withdraw(image=derivative, by=ada)
    reply = Reply.objects.get(image=derivative)
    assert (reply.prompt, reply.language, reply.job, reply.mask) == ("", "", None, None)
    derivative.refresh_from_db()
    assert derivative.recipe == {"withdrawn": True}
    assert not Job.objects.filter(pk=job).exists()
    assert not File.objects.filter(image=derivative).exists()


def test_no_page_says_what_was_asked(derivative, ada, browse):
    to, thread = Reply.objects.get(image=derivative).to_id, derivative.thread_id
    pages = (f"/images/{to}/", f"/threads/{thread}/", "/")
    assert any("make it night" in browse().get(page).content.decode() for page in pages)
    withdraw(image=derivative, by=ada)
    for page in pages:
        assert "make it night" not in browse().get(page).content.decode(), page


def test_the_place_and_what_others_said_stay(derivative, lin, ada, browse):
    answer = an_upload_reply(derivative, lin)
    withdraw(image=derivative, by=ada)
    assert Reply.objects.filter(image=derivative).exists()
    assert browse().get(answer.image.get_absolute_url()).status_code == 200
    tree = browse().get(f"/threads/{derivative.thread_id}/").content.decode()
    assert "withdrawn" in tree and "An answer" in tree


def test_a_message_that_comes_again_makes_nothing(derivative, ada):
    job = derivative.job
    withdraw(image=derivative, by=ada)
    take_in(job)
    assert Reply.objects.filter(image__isnull=False).count() == 1


def test_readings_of_others_stay(derivative, lin, ada):
    kept = read(member=lin, image=derivative, text="Still light.")
    withdraw(image=derivative, by=ada)
    kept.refresh_from_db()
    assert kept.text == "Still light."


def test_the_same_picture_may_be_posted_again(plaza, lin, ada, picked):
    data = a_picture((64, 64), "PNG")
    words = {"licence": "CC-BY-4.0", "board": plaza}
    first = open_thread(member=lin, ingested=picked(lin, data), key="one", **words).first_image
    withdraw(image=first, by=lin)
    again = open_thread(member=lin, ingested=picked(lin, data), key="two", **words).first_image
    others = open_thread(member=ada, ingested=picked(ada, data), key="one", **words).first_image
    assert first.sha256 == again.sha256 == others.sha256
    assert {again.state, others.state} == {ImageState.READY}


def test_a_repeated_request_does_not_bring_it_back(plaza, lin, picked):
    data = a_picture((64, 64), "PNG")
    words = {"licence": "CC-BY-4.0", "board": plaza, "key": "one"}
    first = open_thread(member=lin, ingested=picked(lin, data), **words).first_image
    withdraw(image=first, by=lin)
    again: ingest.Ingested = picked(lin, data)
    assert open_thread(member=lin, ingested=again, **words).first_image == first
    first.refresh_from_db()
    assert first.state == ImageState.WITHDRAWN
    assert not File.objects.filter(image=first).exists()


def title_of(thread) -> str:
    thread.refresh_from_db()
    return thread.title


def test_the_title_goes_with_the_first_image(plaza, lin, ada):
    thread = a_thread(plaza, lin, title="Anna at school")
    an_upload_reply(thread.first_image, ada)
    withdraw(image=thread.first_image, by=lin)
    assert title_of(thread) == ""


def test_a_hidden_image_hides_its_title_and_brings_it_back(plaza, lin, ada, owner, browse):
    thread = a_thread(plaza, lin, title="Anna at school")
    an_upload_reply(thread.first_image, ada)
    hide(image=thread.first_image, by=owner, reason="Not here.")
    pages = ("/", "/boards/plaza/", "/boards/plaza/?view=threads", f"/threads/{thread.pk}/")
    for page in pages:
        assert "Anna" not in browse().get(page).content.decode(), page
    thread.first_image.refresh_from_db()
    show(image=thread.first_image, by=owner)
    assert title_of(thread) == "Anna at school"


def test_a_thread_is_called_as_its_first_image_is_described(plaza, lin):
    thread = a_thread(plaza, lin, title="Anna at school")
    describe(image=thread.first_image, by=lin, title="A child at school", alt="")
    assert title_of(thread) == "A child at school"
