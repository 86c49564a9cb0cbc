"""`manage.py audit` finds films and reruns that do not hold."""

import pytest
from django.core.files.storage import default_storage

from forum.films import audit
from forum.films.models import Film
from forum.images.models import Image
from forum.reruns import audit as reruns
from forum.reruns.models import Rerun
from tests.factories import a_thread


@pytest.fixture
def film(plaza, lin) -> Film:
    image = a_thread(plaza, lin).first_image
    file = image.file("thumb")
    made = Film.objects.create(
        image=image, kind="lineage", format="webp", state="done", name=file.name, maker=lin
    )
    made.shown.set([image])
    return made


def test_nothing_is_found_where_all_holds(film):
    assert list(audit.check()) == []
    assert list(reruns.check()) == []


def test_what_does_not_hold_is_found(film, lin):
    default_storage.delete(film.name)
    Image.objects.update(state="hidden")
    waits = Film.objects.create(image=film.image, kind="strip", format="webp", job=10**6)
    rerun = Rerun.objects.create(image=film.image, asker=lin, job=10**6 + 1)
    assert set(audit.check()) == {
        f"film {film.pk} is done and its file {film.name} is missing",
        f"film {film.pk} shows image {film.image_id}, which is hidden",
        f"film {waits.pk} waits since its job {10**6} ended",
    }
    assert list(reruns.check()) == [f"rerun {rerun.pk} waits since its job {10**6 + 1} ended"]
