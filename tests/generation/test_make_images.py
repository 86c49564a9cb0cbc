"""From a waiting job to a published result with really written files."""

from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from generation import queue
from generation.models import Job, Preview, Reason, State
from generation.requests import EditRequest, EmbedRequest, ImageRef
from generation.results import EditResult, EmbedResult
from tests.generation.conftest import HOME, TAKEN_IN

pytestmark = pytest.mark.django_db


def test_the_result_has_file_recipe_vector_hash_and_strip(ask, studio):
    job = ask("at night")
    studio.work()
    result = queue.result(job)
    assert isinstance(result, EditResult)
    with Image.open(default_storage.path(result.file.name)) as picture:
        assert picture.format == "JPEG"  # as its source was
        assert picture.size == (result.file.width, result.file.height) == (320, 240)
    assert result.recipe["engine"] == "darkroom"
    assert [len(each.numbers) for each in result.vectors] == [475]
    assert len(result.pdq) == 64
    assert 2 <= len(result.strip) <= 8
    assert all(default_storage.exists(each.name) for each in result.strip)
    assert all(Path(default_storage.path(e.name)).stat().st_size == e.bytes for e in result.strip)


def test_the_message_home_carries_the_job(ask, studio):
    job = ask()
    studio.work()
    assert job in TAKEN_IN
    assert Job.objects.get(pk=job).taken_in_at is not None


def test_the_same_request_makes_the_same_file(ask, studio):
    first, second = ask("snow", seed=5), ask("snow", seed=5)
    studio.work()
    one, two = queue.result(first), queue.result(second)
    assert isinstance(one, EditResult) and isinstance(two, EditResult)
    assert one.file.sha256 == two.file.sha256
    assert one.file.name != two.file.name


def test_a_prompt_that_says_nothing_fails_at_once(ask, studio):
    job = ask("qwertyuiop")
    studio.work()
    made = Job.objects.get(pk=job)
    assert (made.state, made.reason, made.attempt) == (State.FAILED, Reason.NOTHING_UNDERSTOOD, 1)
    assert "qwertyuiop" not in made.detail
    assert queue.result(job) is None


def test_a_source_that_is_gone_fails_at_once_and_leaves_no_file(ask, studio, stored):
    job = ask()
    default_storage.delete(stored.name)
    studio.work()
    made = Job.objects.get(pk=job)
    assert (made.state, made.reason) == (State.FAILED, Reason.SOURCE_REFUSED)
    assert not default_storage.exists(f"results/{job}")


def test_a_source_that_is_no_picture_fails_at_once(studio):
    from django.core.files.base import ContentFile

    name = default_storage.save("images/b.jpg", ContentFile(b"not a picture"))
    ref = ImageRef("0" * 64, name, (10, 10))
    job = queue.submit(EmbedRequest(ref), return_to=HOME)
    studio.work()
    assert Job.objects.get(pk=job).reason == Reason.SOURCE_REFUSED


def test_an_embedding_has_vector_and_hash(stored, studio):
    job = queue.submit(EmbedRequest(stored), return_to=HOME)
    studio.work()
    result = queue.result(job)
    assert isinstance(result, EmbedResult)
    assert sum(n * n for n in result.vectors[0].numbers) == pytest.approx(1, abs=1e-4)


def test_large_sources_are_made_no_larger_than_the_preset_allows(studio):
    import io

    from django.core.files.base import ContentFile

    encoded = io.BytesIO()
    Image.new("RGB", (2600, 1300), (120, 90, 60)).save(encoded, "PNG")
    name = default_storage.save("images/c.png", ContentFile(encoded.getvalue()))
    request = EditRequest("darkroom", "sepia", 1, (ImageRef("0" * 64, name, (2600, 1300)),))
    job = queue.submit(request, return_to=HOME)
    studio.work()
    result = queue.result(job)
    assert isinstance(result, EditResult)
    assert (result.file.width, result.file.height) == (1280, 640)


def test_while_it_runs_the_newest_frame_can_be_seen_and_then_it_is_gone(ask, studio):
    seen = []

    def look(claim, step):
        standing = queue.read([claim.job_id])[claim.job_id]
        seen.append((standing.state, standing.step, standing.has_frame))
        if standing.has_frame:
            assert queue.frame(claim.job_id).startswith(b"\xff\xd8")

    studio.at_step = look
    job = ask()
    studio.work()
    assert seen[0] == (State.RUNNING, 1, True)
    assert [step for _, step, _ in seen] == sorted(step for _, step, _ in seen)
    assert not Preview.objects.exists()
    assert queue.frame(job) == b""


def test_what_was_cancelled_in_the_middle_publishes_nothing(ask, studio):
    def take_back(claim, step):
        queue.cancel(claim.job_id)

    studio.at_step = take_back
    job = ask()
    studio.work()
    assert Job.objects.get(pk=job).state == State.CANCELLED
    assert queue.result(job) is None
    assert not default_storage.exists(f"results/{job}")
    assert not Preview.objects.exists()


def test_a_discarded_result_loses_its_files(ask, studio, django_capture_on_commit_callbacks):
    job = ask()
    studio.work()
    with django_capture_on_commit_callbacks(execute=True):
        queue.discard(job)
    assert not default_storage.exists(f"results/{job}")
