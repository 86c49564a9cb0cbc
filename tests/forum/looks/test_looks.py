"""One-tap looks: chips at once, thumbnails when the studio has made them, nothing left behind."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from forum.images import actions as images
from forum.images import audit
from forum.live.fragments import Beside
from forum.looks.actions import ask, take_in, take_in_failure
from forum.looks.models import AGAIN_AFTER, Looks
from forum.tasks import receive_failure
from generation import queue
from generation.models import Job
from generation.requests import LooksRequest
from tests.factories import a_sheet, a_thread, go_wrong

pytestmark = pytest.mark.django_db


@pytest.fixture
def hill(plaza, lin):
    """An image on the public board."""
    return a_thread(plaza, lin).first_image


def chips(client, image):
    return client.get(f"/images/{image.pk}/looks/").content.decode()


def test_the_first_look_has_them_made_once(browse, hill, ada, lin):
    page = chips(browse(ada), hill)
    assert "<svg" not in page
    assert page.count('name="suggest"') == len(queue.chips()) >= 12
    chips(browse(lin), hill)
    job = Job.objects.get(task="looks")
    asked = queue.request(job.pk)
    assert isinstance(asked, LooksRequest)
    assert asked.source.name == hill.file("thumb").name


def test_made_by_the_studio_they_stand_in_the_chips(browse, hill, ada, studio):
    chips(browse(ada), hill)
    studio.work()
    page = chips(browse(ada), hill)
    assert page.count("<svg") == len(queue.chips())
    sheet = Looks.objects.get().url
    assert page.count(sheet) == len(queue.chips())
    answer = browse(ada).get(sheet)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "image/webp"
    assert answer.content[8:12] == b"WEBP"


def test_open_pages_are_told(hill, ada, studio, monkeypatch):
    told = []
    monkeypatch.setattr("forum.looks.actions.announce", lambda *a, **k: told.append((a, k)))
    ask(hill)
    studio.work()
    assert told == [((f"image.{hill.pk}", "looks"), {"id": hill.pk})]


def test_a_page_that_is_told_fetches_its_chips_anew(hill):
    pieces = Beside(hill.pk).changed({("looks", hill.pk)}, set())
    assert list(pieces) == ["looks"]
    assert f'hx-get="/images/{hill.pk}/looks/"' in pieces["looks"]
    assert f'hx-target="#looks-{hill.pk}"' in pieces["looks"]


def test_visitors_see_what_is_there_and_have_nothing_made(browse, hill):
    assert "<svg" not in chips(browse(), hill)
    assert not Job.objects.filter(task="looks").exists()
    a_sheet(hill)
    assert "<svg" in chips(browse(), hill)


def test_nothing_is_made_where_no_derivative_may_be(browse, ada, hill):
    hill.allow_derivatives = False
    hill.save(update_fields=["allow_derivatives"])
    chips(browse(ada), hill)
    assert not Job.objects.filter(task="looks").exists()


def test_another_darkroom_makes_them_anew_and_the_old_ones_stay_meanwhile(
    browse, hill, ada, studio, django_capture_on_commit_callbacks
):
    old = a_sheet(hill)
    Looks.objects.update(asked="another", made="another")
    page = chips(browse(ada), hill)
    assert "v=another" in page
    with django_capture_on_commit_callbacks(execute=True):
        studio.work()
    assert "v=another" not in chips(browse(ada), hill)
    assert not default_storage.exists(old.name)


def test_told_twice_they_are_there_once(hill, studio, django_capture_on_commit_callbacks):
    job = ask(hill).job
    studio.work()
    made = Looks.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        assert take_in(job) is None
    assert default_storage.exists(made.name)


def test_a_failure_leaves_plain_chips_and_is_tried_again_later(browse, hill, ada):
    job = ask(hill).job
    go_wrong(job)
    receive_failure(job)
    assert Job.objects.get(pk=job).taken_in_at is not None
    assert "<svg" not in chips(browse(ada), hill)
    assert Job.objects.filter(task="looks").count() == 1
    Looks.objects.update(asked_at=timezone.now() - AGAIN_AFTER - timedelta(seconds=1))
    chips(browse(ada), hill)
    assert Job.objects.filter(task="looks").count() == 2


def test_a_failure_of_something_else_is_not_theirs(hill):
    assert take_in_failure(ask(hill).job + 1) is False


def test_a_withdrawn_image_leaves_none(
    browse, lin, hill, studio, django_capture_on_commit_callbacks
):
    ask(hill)
    studio.work()
    name = Looks.objects.get().name
    with django_capture_on_commit_callbacks(execute=True):
        images.withdraw(image=hill, by=lin)
    assert not Looks.objects.exists()
    assert not default_storage.exists(name)
    assert browse(lin).get(f"/images/{hill.pk}/looks/sheet").status_code == 404


def test_withdrawn_in_the_middle_they_are_not_kept(lin, hill, studio):
    job = ask(hill).job
    images.withdraw(image=hill, by=lin)
    studio.work()
    assert Job.objects.get(pk=job).state == "cancelled"
    assert not Looks.objects.exists()


def test_sheets_are_no_orphans(hill, studio, monkeypatch):
    ask(hill)
    studio.work()
    monkeypatch.setattr(audit, "RESULTS_YOUNG", timedelta(0))
    assert Looks.objects.get().name not in set(audit.orphans())


def test_those_of_closed_boards_are_for_their_members(browse, rivers, ada, wen):
    image = a_thread(rivers, ada).first_image
    a_sheet(image)
    address = f"/images/{image.pk}/looks/sheet"
    assert [browse(who).get(address).status_code for who in (None, wen, ada)] == [404, 404, 200]


def test_the_page_of_the_image_asks_for_them_when_they_come_into_view(browse, hill, ada):
    page = browse(ada).get(hill.get_absolute_url()).content.decode()
    assert f'hx-get="/images/{hill.pk}/looks/" hx-trigger="intersect once"' in page
    assert page.count('class="look"') == len(queue.chips())


def test_titles_and_words_are_in_the_readers_language(browse, hill, wen):
    page = browse(wen).get(f"/images/{hill.pk}/looks/", headers={"Accept-Language": "zh-hans"})
    assert "水墨" in page.content.decode()
