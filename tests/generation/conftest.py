"""Stored pictures and jobs for the studio's tests."""

import io
from collections.abc import Callable

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from procrastinate.contrib.django import app

from generation import queue
from generation.requests import EditRequest, ImageRef
from tests.generation.pictures import rings

HOME = "tests.take_in"
TAKEN_IN: list[int] = []


@app.task(name=HOME)
def take_in(job_id: int) -> None:
    """Stands where the forum stands: a home for results, outside the studio."""
    TAKEN_IN.append(job_id)
    queue.mark_taken_in(job_id)


@pytest.fixture
def stored() -> ImageRef:
    """A picture of ours in the storage of this test."""
    picture = rings()
    encoded = io.BytesIO()
    picture.save(encoded, "JPEG", quality=90)
    name = default_storage.save("images/a.jpg", ContentFile(encoded.getvalue()))
    return ImageRef(sha256="0" * 64, name=name, size=picture.size)


@pytest.fixture
def ask(db: None, stored: ImageRef) -> Callable[..., int]:
    """Submit an edit: `ask("at night", asker=3)`. The id of its job."""

    def submit(prompt: str = "at night", *, asker: int | None = None, seed: int = 7) -> int:
        request = EditRequest(preset="darkroom", prompt=prompt, seed=seed, sources=(stored,))
        return queue.submit(request, return_to=HOME, topic="thread.1", asker=asker)

    return submit
