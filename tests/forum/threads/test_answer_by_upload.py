"""Answering with a picture of one's own."""

import pytest
from django.core.files.storage import default_storage

from forum.threads.actions import KeyReused, NotAllowed, answer_by_upload
from forum.threads.models import Reply
from generation.models import Job
from tests.factories import a_picture, a_thread

pytestmark = pytest.mark.django_db

WORDS = {"licence": "CC-BY-4.0", "key": "k"}


def test_the_answer_is_done_at_once(hill, ada, picked):
    reply = answer_by_upload(member=ada, to=hill.first_image, ingested=picked(ada), **WORDS)
    assert (reply.state, reply.image.author, reply.image.thread) == ("done", ada, hill)


def test_the_thread_counts_it(hill, ada, picked):
    answer_by_upload(member=ada, to=hill.first_image, ingested=picked(ada), **WORDS)
    hill.refresh_from_db()
    assert (hill.image_count, hill.reply_count, hill.voice_count) == (2, 1, 2)


def test_the_studio_is_asked_for_its_vector(hill, ada, picked):
    answer_by_upload(member=ada, to=hill.first_image, ingested=picked(ada), **WORDS)
    assert Job.objects.get().task == "embed"


def test_no_consent_is_needed(plaza, lin, ada, picked):
    thread = a_thread(plaza, lin, allow_derivatives=False)
    assert answer_by_upload(member=ada, to=thread.first_image, ingested=picked(ada), **WORDS)


def test_the_same_key_gives_the_same_reply(hill, ada, picked):
    data = a_picture(kind="PNG")
    first = answer_by_upload(member=ada, to=hill.first_image, ingested=picked(ada, data), **WORDS)
    again = picked(ada, data)
    assert answer_by_upload(member=ada, to=hill.first_image, ingested=again, **WORDS) == first
    assert not any(default_storage.exists(kept.file.name) for kept in again.files)


def test_a_key_serves_one_picture_only(hill, ada, picked):
    answer_by_upload(member=ada, to=hill.first_image, ingested=picked(ada), **WORDS)
    with pytest.raises(KeyReused):
        answer_by_upload(member=ada, to=hill.first_image, ingested=picked(ada), **WORDS)


def test_a_refused_answer_leaves_no_file(river, wen, picked):
    ingested = picked(wen)
    with pytest.raises(NotAllowed):
        answer_by_upload(member=wen, to=river.first_image, ingested=ingested, **WORDS)
    assert not any(default_storage.exists(kept.file.name) for kept in ingested.files)
    assert not Reply.objects.exists()
