"""What the studio made becomes an image with its lineage, once."""

import pytest
from django.core.files.storage import default_storage
from django.db import DatabaseError
from PIL import Image as Pictures

from forum.images import actions, audit
from forum.images.models import Descent, Image, Kind
from tests.forum.images.conftest import a_result

pytestmark = pytest.mark.django_db


def test_row_files_and_descent(plaza, lin, ada, original, derivative):
    source = original(plaza, lin)
    result = a_result(strip=3)
    image = derivative(source, author=ada, result=result)
    assert (image.kind, image.author, image.generation) == (Kind.DERIVATIVE, ada, 1)
    assert (image.width, image.height) == (160, 120)
    assert image.recipe == {"prompt": "make it night", "seed": 7}
    roles = sorted(image.files.values_list("role", "position"))
    assert roles == [
        ("display", 0), ("original", 0), ("strip", 0), ("strip", 1), ("strip", 2), ("thumb", 0),
    ]  # fmt: skip
    assert image.file("original").name == result.file.name
    assert image.source_ref().name == result.file.name
    assert list(Descent.objects.values_list("child", "source", "position")) == [
        (image.pk, source.pk, 0)
    ]
    assert list(audit.check()) == []


def test_a_message_that_comes_twice_makes_one_image(plaza, lin, original, derivative, media):
    source = original(plaza, lin)
    result = a_result()
    first = derivative(source, job_id=77, result=result)
    files = sorted(media.rglob("*"))
    assert derivative(source, job_id=77, result=result) == first
    assert Image.objects.count() == 2
    assert sorted(media.rglob("*")) == files


def test_renditions_fit(plaza, lin, original, derivative):
    image = derivative(original(plaza, lin), result=a_result(size=(2600, 1300)))
    shown = Pictures.open(default_storage.open(image.file("display").name))
    assert shown.size == (2048, 1024)
    assert Pictures.open(default_storage.open(image.file("thumb").name)).size == (512, 256)


def test_a_small_result_is_its_own_display(plaza, lin, original, derivative):
    image = derivative(original(plaza, lin))
    original_file, display = image.file("original"), image.file("display")
    assert display.sha256 == original_file.sha256
    assert display.name != original_file.name


@pytest.mark.parametrize(
    ("licences", "narrowest"),
    [
        (["CC0-1.0", "CC-BY-4.0"], "CC-BY-4.0"),
        (["CC-BY-SA-4.0", "CC-BY-NC-4.0"], "CC-BY-NC-4.0"),
        (["all-rights-reserved", "public-domain"], "all-rights-reserved"),
    ],
)
def test_the_narrowest_licence_is_inherited(licences, narrowest, plaza, lin, original, derivative):
    sources = [original(plaza, lin, licence=each) for each in licences]
    assert derivative(*sources).licence == narrowest


def test_steps_are_counted_from_the_nearest_original(plaza, lin, original, derivative):
    first, other = original(plaza, lin), original(plaza, lin)
    second = derivative(first)
    third = derivative(second)
    assert (second.generation, third.generation) == (1, 2)
    both = derivative(third, other)
    assert both.generation == 1
    assert list(both.sources.values_list("source", "position")) == [(third.pk, 0), (other.pk, 1)]


def test_the_same_source_twice_is_one_edge(plaza, lin, original, derivative):
    source = original(plaza, lin)
    assert derivative(source, source).sources.count() == 1


def test_without_sources_nothing_is_written(plaza, lin, original, media):
    thread = original(plaza, lin).thread
    files = sorted(media.rglob("*"))
    with pytest.raises(ValueError, match="at least one source"):
        actions.add_derivative(
            job_id=5, result=None, thread=thread, author=lin, sources=(), alt="", language=""
        )
    assert sorted(media.rglob("*")) == files


def test_a_result_whose_file_is_gone_makes_no_row(plaza, lin, original, derivative):
    source = original(plaza, lin)
    result = a_result()
    default_storage.delete(result.file.name)
    with pytest.raises(FileNotFoundError):
        derivative(source, result=result)
    assert Image.objects.count() == 1


def test_a_failing_write_removes_its_renditions(plaza, lin, original, derivative, media):
    source = original(plaza, lin)
    Image.objects.filter(pk=source.pk).update(generation=2**31 - 1)  # one more than fits the column
    source.refresh_from_db()
    result = a_result()
    files = sorted(p for p in media.rglob("*") if p.is_file())
    # The driver's words with and without parameters that PostgreSQL binds itself.
    with pytest.raises(DatabaseError, match="out of range|generation_check"):
        derivative(source, result=result)
    assert sorted(p for p in media.rglob("*") if p.is_file()) == files
