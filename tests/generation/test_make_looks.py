"""Sheets of looks: all one-tap looks of one picture, small, in one file."""

import io

import pytest
from django.core.files.storage import default_storage
from PIL import Image

from generation import queue
from generation.models import Job
from generation.prompts.chips import chips, looks, looks_version
from generation.requests import EditRequest, ImageRef, Look, LooksRequest, Operation
from generation.results import LooksResult
from tests.factories import stored

pytestmark = pytest.mark.django_db
HOME = "forum.receive_looks"


def a_photograph(size=(300, 200)) -> ImageRef:
    """A stored picture with a light and a dark half."""
    picture = Image.radial_gradient("L").resize(size).convert("RGB")
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=90)
    kept = stored(out.getvalue(), size)
    return ImageRef(kept.sha256, kept.name, size)


def made(studio, request: LooksRequest) -> tuple[LooksResult, Image.Image]:
    job = queue.submit(request, return_to=HOME)
    studio.make(job)
    result = queue.result(job)
    assert isinstance(result, LooksResult)
    with default_storage.open(result.file.name) as file:
        return result, Image.open(file).convert("RGB")


def test_every_chip_has_a_look_that_the_darkroom_reads():
    assert [each.name for each in looks()] == [each.name for each in chips()]
    assert len(looks()) >= 12
    assert all(each.read_as for each in looks())


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_words_of_a_chip_are_read_as_its_look(language):
    for chip, look in zip(chips(language), looks(), strict=True):
        read = queue.plan(chip.words, "darkroom", language).operations
        assert [name for name, _ in read] == [step.name for step in look.read_as], chip


def test_all_looks_come_out_in_one_row_and_each_is_another_picture(studio):
    result, sheet = made(studio, LooksRequest(a_photograph(), looks()))
    assert result.names == tuple(each.name for each in looks())
    assert sheet.size == (128 * len(looks()), 128)
    squares = {sheet.crop((n * 128, 0, n * 128 + 128, 128)).tobytes() for n in range(len(looks()))}
    assert len(squares) == len(looks())


def test_the_same_sheet_comes_out_twice(studio):
    source = a_photograph()
    first, second = (made(studio, LooksRequest(source, looks()[:3]))[0] for _ in range(2))
    assert first.file.sha256 == second.file.sha256
    assert first.file.name != second.file.name


def test_a_look_that_fails_is_left_out(studio):
    broken = Look("nothing", (Operation("no_such_operation"),))
    result, sheet = made(studio, LooksRequest(a_photograph(), (broken, looks()[1])))
    assert result.names == (looks()[1].name,)
    assert sheet.size == (128, 128)


def test_where_no_look_comes_out_the_job_says_so(studio):
    broken = Look("nothing", (Operation("no_such_operation"),))
    job = queue.submit(LooksRequest(a_photograph(), (broken,)), return_to=HOME)
    studio.make(job)
    assert Job.objects.get(pk=job).reason == "engine_error"


def test_looks_wait_behind_first_wishes_and_before_second_ones(lin):
    source = a_photograph()
    job = Job.objects.get(pk=queue.submit(LooksRequest(source, looks()), return_to=HOME))
    assert job.queue == "embed"
    wish = EditRequest(preset="darkroom", prompt="at night", seed=1, sources=(source,))
    first, second = (queue.submit(wish, return_to=HOME, asker=lin.pk) for _ in range(2))
    priorities = dict(Job.objects.values_list("pk", "priority"))
    assert priorities[second] < priorities[job.pk] < priorities[first]
    assert queue.request(job.pk) == LooksRequest(source, looks())


def test_the_version_is_short_and_stays():
    assert looks_version() == looks_version()
    assert len(looks_version()) == 16
