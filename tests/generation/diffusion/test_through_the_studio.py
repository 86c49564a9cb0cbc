"""From the queue to a file in the storage, as a member's job goes."""

import io

import numpy as np
import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from PIL import Image

from generation import queue
from generation.models import Job, State
from generation.requests import EditRequest, ImageRef
from tests.generation.conftest import HOME
from tests.generation.diffusion.asking import picture_of


@pytest.fixture
def submit(tiny_file, monkeypatch, db):
    """Submit an edit to a preset with tiny weights: the id of its job."""
    monkeypatch.setenv("FORUM_PRESETS", str(tiny_file))

    def store(picture):
        encoded = io.BytesIO()
        picture.save(encoded, "WEBP", lossless=True)
        name = default_storage.save("images/a.webp", ContentFile(encoded.getvalue()))
        return ImageRef(sha256="c" * 64, name=name, size=picture.size)

    def submit(preset, *pictures, mask=None, **more):
        request = EditRequest(
            preset=preset, prompt=more.pop("prompt", "at night"), seed=5,
            sources=tuple(store(each) for each in pictures),
            mask=None if mask is None else store(mask), **more,
        )  # fmt: skip
        return queue.submit(request, return_to=HOME, topic="thread.1")

    return submit


def stored(job_id):
    with default_storage.open(queue.result(job_id).file.name) as file:
        picture = Image.open(io.BytesIO(file.read()))
        picture.load()
        return picture


def test_an_answer_is_stored_with_recipe_vector_and_strip(submit, studio):
    job_id = submit("klein", picture_of("rings", (64, 64)))
    studio.work()
    result = queue.result(job_id)
    assert stored(job_id).size == (64, 64)
    assert result.recipe["engine"] == "diffusers"
    assert result.recipe["parts"]["model"]["files"]
    assert result.vectors[0].model == "wf1"
    assert result.strip, "frames of its coming into being are kept"


def test_something_begins_from_nothing(submit, studio):
    job_id = submit("klein", prompt="a hill under stars")
    studio.work()
    assert Job.objects.get(pk=job_id).state == State.DONE
    assert queue.result(job_id).recipe["task"] == "create"


def test_what_moves_is_stored_as_a_film(submit, studio):
    job_id = submit("wan-moving", picture_of("rings", (64, 64)))
    studio.work()
    film = stored(job_id)
    assert film.format == "WEBP" and film.n_frames == 5
    film.seek(4)
    film.load()
    assert film.info["duration"] == pytest.approx(1000 / 24, abs=1)


def test_outside_a_mask_the_stored_file_is_the_source_to_the_bit(submit, studio):
    source = picture_of("fog", (64, 64))
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 64, 32))
    job_id = submit("klein", source, mask=mask.convert("RGB"))
    studio.work()
    after = np.asarray(stored(job_id).convert("RGB"))
    assert np.array_equal(after[32:], np.asarray(source)[32:])


def test_the_same_request_gives_the_same_file_again(submit, studio):
    one, two = (submit("sd-turbo", picture_of("rings", (64, 64))) for _ in range(2))
    studio.work()
    assert queue.result(one).file.sha256 == queue.result(two).file.sha256
