"""Opening a thread."""

import pytest
from django.core.files.storage import default_storage

from forum.images.models import Image
from forum.threads.actions import KeyReused, NotAllowed, TooMany, open_thread
from forum.threads.models import Thread
from generation.models import Job
from tests.factories import a_picture

pytestmark = pytest.mark.django_db

WORDS = {"title": "A hill", "licence": "CC-BY-4.0", "key": "k"}


def test_it_begins_with_its_image(plaza, lin, picked):
    thread = open_thread(member=lin, board=plaza, ingested=picked(lin), **WORDS)
    image = thread.first_image
    assert (image.thread, image.author, image.board, image.kind) == (thread, lin, plaza, "original")
    assert (thread.image_count, thread.reply_count, thread.voice_count) == (1, 0, 1)


def test_the_studio_is_asked_for_its_vector(plaza, lin, picked):
    thread = open_thread(member=lin, board=plaza, ingested=picked(lin), **WORDS)
    job = Job.objects.get()
    assert (job.task, job.return_to) == ("embed", "forum.receive_embedding")
    assert job.request["source"]["name"] == thread.first_image.source_ref().name


def test_the_same_key_gives_the_same_thread(plaza, lin, picked):
    data = a_picture(kind="PNG")
    first = open_thread(member=lin, board=plaza, ingested=picked(lin, data), **WORDS)
    second = picked(lin, data)
    assert open_thread(member=lin, board=plaza, ingested=second, **WORDS) == first
    assert (Thread.objects.count(), Image.objects.count()) == (1, 1)
    assert not any(default_storage.exists(kept.file.name) for kept in second.files)


def test_a_key_serves_one_picture_only(plaza, lin, picked):
    open_thread(member=lin, board=plaza, ingested=picked(lin), **WORDS)
    with pytest.raises(KeyReused):
        open_thread(member=lin, board=plaza, ingested=picked(lin), **WORDS)


def test_a_refused_thread_leaves_no_file(rivers, wen, picked):
    ingested = picked(wen)
    with pytest.raises(NotAllowed):
        open_thread(member=wen, board=rivers, ingested=ingested, **WORDS)
    assert not any(default_storage.exists(kept.file.name) for kept in ingested.files)
    assert not Thread.objects.exists()


def test_the_allowance_ends(plaza, lin, picked, settings):
    settings.FORUM_UPLOADS_PER_HALF_HOUR = 0
    with pytest.raises(TooMany):
        open_thread(member=lin, board=plaza, ingested=picked(lin), **WORDS)
    assert not Thread.objects.exists()


def test_the_stream_is_told(plaza, lin, picked, heard):
    thread = open_thread(member=lin, board=plaza, ingested=picked(lin), **WORDS)
    assert ("stream", "thread", thread.pk) in heard
