"""Planted damage is found, each kind, and a whole house says nothing."""

import os
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from forum.boards.models import Visibility
from forum.images import actions, audit
from forum.images.models import Descent, File, Image, ImageState

pytestmark = pytest.mark.django_db

LONG_AGO = time.time() - 30 * 3600


@pytest.fixture
def pair(plaza, lin, original, derivative):
    """An original and its derivative."""
    source = original(plaza, lin)
    return source, derivative(source)


def said() -> str:
    return "\n".join(audit.check())


def path_of(image: Image, role: str = "display") -> Path:
    return Path(default_storage.path(image.file(role).name))


def stray(name: str, when: float = LONG_AGO) -> str:
    """A stored file without a row."""
    name = default_storage.save(name, ContentFile(b"stray"))
    os.utime(default_storage.path(name), (when, when))
    return name


def test_a_whole_house_says_nothing(pair):
    assert said() == ""


def test_a_missing_file(pair):
    path_of(pair[0]).unlink()
    assert said() == f"file {pair[0].file('display').name} is missing"


def test_a_file_with_other_bytes(pair):
    data = bytearray(path_of(pair[0]).read_bytes())
    data[-1] ^= 1
    path_of(pair[0]).write_bytes(data)
    assert "is not what its row says" in said()


def test_a_file_cut_short(pair):
    path_of(pair[0], "original").write_bytes(b"half")
    assert "4 bytes instead of" in said()


def test_an_image_without_a_file_row(pair):
    pair[1].file("thumb").delete()
    assert f"image {pair[1].pk} is ready and lacks a file" in said()


def test_a_withdrawn_image_with_a_file(pair):
    Image.objects.filter(pk=pair[0].pk).update(state=ImageState.WITHDRAWN)
    assert said().count("is withdrawn and still has file") == 3


def test_a_hash_that_is_not_the_original(pair):
    Image.objects.filter(pk=pair[0].pk).update(sha256="0" * 64)
    assert said() == f"image {pair[0].pk} has another hash than its original file"


def test_a_derivative_without_a_source(pair):
    Descent.objects.all().delete()
    assert said() == f"derivative {pair[1].pk} has no source"


def test_a_wrong_number_of_steps(pair):
    Image.objects.filter(pk=pair[1].pk).update(generation=5)
    assert said() == f"image {pair[1].pk} says 5 steps from the original; its sources say 1"


def test_a_circle(pair):
    Descent.objects.create(child=pair[0], source=pair[1])
    assert "lineage goes in a circle" in said()
    assert f"original {pair[0].pk} has a source" in said()


@pytest.mark.parametrize(
    ("source", "child", "is_wider"),
    [
        ("private", "public", True),
        ("private", "members", True),
        ("private", "private", True),
        ("members", "public", True),
        ("members", "members", False),
        ("public", "public", False),
        ("public", "private", False),
    ],
)
def test_a_derivative_seen_by_more_than_its_source(source, child, is_wider, pair, plaza, salon):
    for board, visibility in ((plaza, source), (salon, child)):
        board.visibility = Visibility(visibility)
        board.save()
    Image.objects.filter(pk=pair[1].pk).update(board=salon)
    assert ("stands where more people see it" in said()) is is_wider


def test_orphans_are_named_and_swept(pair, media):
    old, young = stray("images/ab/old.webp"), stray("images/ab/young.webp", time.time())
    result = stray("results/7/lost.webp")
    fresh_result = stray("results/8/late.webp", time.time() - 7200)
    assert set(said().splitlines()) == {f"file {n} belongs to no image" for n in (old, result)}
    assert audit.sweep_orphans() == 2
    assert said() == ""
    assert [default_storage.exists(n) for n in (old, result, young, fresh_result)] == [
        False, False, True, True
    ]  # fmt: skip
    assert all(default_storage.exists(name) for name in File.objects.values_list("name", flat=True))


def test_what_a_killed_upload_left_aside_is_swept(pair, media):
    left = media.parent / "incoming" / "tmpkilled"
    left.mkdir()
    (left / "original").write_bytes(b"half")
    assert audit.sweep_orphans() == 0
    os.utime(left, (LONG_AGO, LONG_AGO))
    assert audit.sweep_orphans() == 1
    assert not left.exists()


def test_files_of_withdrawn_images_that_could_not_be_removed_are_swept(pair, lin):
    """The process died between commit and removal."""
    name = pair[0].file("display").name
    actions.withdraw(image=pair[0], by=lin)  # removal waits for a commit that a test never sees
    assert default_storage.exists(name)
    os.utime(default_storage.path(name), (LONG_AGO, LONG_AGO))
    assert audit.sweep_orphans() == 1
    assert not default_storage.exists(name)
