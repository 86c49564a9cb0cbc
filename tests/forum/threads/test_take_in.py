"""The studio's answer is taken in."""

import threading

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from forum.boards.models import Board, Membership, Visibility
from forum.images.models import Descent, Image
from forum.members.models import Allowance
from forum.threads.actions import stop, take_in, take_in_failure
from generation.models import Job
from tests.factories import a_thread, an_image, ask, come_out, go_wrong

pytestmark = pytest.mark.django_db


def test_the_reply_becomes_an_image(asked, hill):
    come_out(asked.job)
    image = take_in(asked.job)
    asked.refresh_from_db()
    assert (asked.state, asked.image) == ("done", image)
    assert asked.ended_at is not None
    assert (image.author, image.thread, image.generation) == (asked.author, hill, 1)


def test_its_lineage_is_written(asked, hill):
    come_out(asked.job)
    image = take_in(asked.job)
    assert Descent.objects.get(child=image).source == hill.first_image


def test_further_sources_enter_the_lineage_in_order(hill, ada, lin):
    other = an_image(hill, lin)
    reply = ask(ada, hill.first_image, further_sources=[other])
    come_out(reply.job)
    edges = Descent.objects.filter(child=take_in(reply.job))
    assert [edge.source for edge in edges] == [hill.first_image, other]


def test_a_source_that_became_private_meanwhile_shows_nowhere(hill, owner, ada, lin):
    garden = Board.objects.create(slug="garden", title="Garden", made_by=owner)
    reply = ask(ada, hill.first_image, further_sources=[a_thread(garden, lin).first_image])
    garden.visibility = Visibility.PRIVATE
    garden.save()
    Membership.objects.create(board=garden, member=ada)
    come_out(reply.job)
    assert take_in(reply.job) is None
    reply.refresh_from_db()
    assert (reply.state, reply.reason) == ("failed", "not_for_all")


def test_the_thread_counts_it(asked, hill):
    before = hill.moved_at
    come_out(asked.job)
    take_in(asked.job)
    hill.refresh_from_db()
    assert (hill.image_count, hill.reply_count, hill.voice_count) == (2, 1, 2)
    assert hill.moved_at > before


def test_a_second_word_of_one_member_is_no_new_voice(asked, hill, ada):
    for reply in (asked, ask(ada, hill.first_image, key="k2")):
        come_out(reply.job)
        take_in(reply.job)
    hill.refresh_from_db()
    assert (hill.reply_count, hill.voice_count) == (2, 2)


def test_a_doubled_message_creates_nothing(asked, hill):
    come_out(asked.job)
    first = take_in(asked.job)
    assert take_in(asked.job) == first
    hill.refresh_from_db()
    assert (Image.objects.count(), hill.image_count, hill.reply_count) == (2, 2, 1)
    assert all(default_storage.exists(file.name) for file in first.files.all())


def test_an_unfinished_job_changes_nothing(asked):
    assert take_in(asked.job) is None
    asked.refresh_from_db()
    assert asked.state == "waiting"


def test_an_unknown_job_changes_nothing(db):
    assert take_in(10**12) is None


def test_it_is_told(asked, hill, heard):
    come_out(asked.job)
    take_in(asked.job)
    assert (hill.topic, "reply", asked.pk) in heard


def test_the_job_is_marked(asked):
    come_out(asked.job)
    take_in(asked.job)
    assert Job.objects.get(pk=asked.job).taken_in_at is not None


def unwanted(reply, django_capture_on_commit_callbacks) -> None:
    """Take in a result that nobody may have any more: no image, and no file is left."""
    result = come_out(reply.job)
    with django_capture_on_commit_callbacks(execute=True):
        assert take_in(reply.job) is None
    assert not default_storage.exists(result.file.name)
    assert Job.objects.get(pk=reply.job).taken_in_at is not None
    reply.refresh_from_db()


def test_a_stopped_reply_takes_nothing_in(asked, ada, django_capture_on_commit_callbacks):
    result = come_out(asked.job)
    stop(reply=asked, by=ada)
    with django_capture_on_commit_callbacks(execute=True):
        assert take_in(asked.job) is None
    asked.refresh_from_db()
    assert asked.state == "cancelled"
    assert not default_storage.exists(result.file.name)


def test_a_withdrawn_source_ends_it(asked, hill, django_capture_on_commit_callbacks):
    Image.objects.filter(pk=hill.first_image_id).update(state="withdrawn")
    unwanted(asked, django_capture_on_commit_callbacks)
    assert (asked.state, asked.reason) == ("failed", "source_withdrawn")


@pytest.mark.parametrize("state", ["withdrawn", "hidden"])
def test_a_source_that_went_before_the_studio_began_is_called_so(asked, hill, state):
    """The studio finds no file; "could not read the picture" would send people the wrong way."""
    Image.objects.filter(pk=hill.first_image_id).update(state=state)
    go_wrong(asked.job, "source_refused", "A source image is gone.")
    take_in_failure(asked.job)
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("failed", "source_withdrawn")


def test_a_source_that_is_there_and_cannot_be_read_is_refused(asked):
    go_wrong(asked.job, "source_refused", "A source image could not be read.")
    take_in_failure(asked.job)
    asked.refresh_from_db()
    assert (asked.state, asked.reason) == ("failed", "source_refused")


def test_consent_taken_back_ends_it(asked, hill, django_capture_on_commit_callbacks):
    Image.objects.filter(pk=hill.first_image_id).update(allow_derivatives=False)
    unwanted(asked, django_capture_on_commit_callbacks)
    assert (asked.state, asked.reason) == ("failed", "not_consented")


def test_a_closed_board_ends_it(asked, plaza, django_capture_on_commit_callbacks):
    plaza.archived_at = timezone.now()
    plaza.save()
    unwanted(asked, django_capture_on_commit_callbacks)
    assert (asked.state, asked.reason) == ("failed", "board_closed")


def test_an_author_who_was_shut_out_gets_nothing(asked, ada, django_capture_on_commit_callbacks):
    ada.is_active = False
    ada.save()
    unwanted(asked, django_capture_on_commit_callbacks)
    assert (asked.state, asked.reason) == ("failed", "author_left")


def test_a_failure_gives_its_reason(asked):
    go_wrong(asked.job, "timeout", "It took 200 s.")
    take_in_failure(asked.job)
    asked.refresh_from_db()
    assert (asked.state, asked.reason, asked.reason_detail) == (
        "failed",
        "timeout",
        "It took 200 s.",
    )


def test_a_failure_of_ours_gives_the_allowance_back(asked):
    go_wrong(asked.job, "worker_lost")
    take_in_failure(asked.job)
    take_in_failure(asked.job)
    assert Allowance.objects.get().spent == 0


def test_an_unreadable_prompt_costs_what_it_costs(asked):
    go_wrong(asked.job, "nothing_understood")
    take_in_failure(asked.job)
    assert Allowance.objects.get().spent == 1


def test_a_failure_that_was_overtaken_changes_nothing(asked):
    come_out(asked.job)
    take_in(asked.job)
    assert take_in_failure(asked.job) is None
    asked.refresh_from_db()
    assert asked.state == "done"


@pytest.mark.django_db(transaction=True)
def test_two_messages_at_once_make_one_image(asked, hill):
    come_out(asked.job)
    taken: list[int] = []

    def take() -> None:
        try:
            taken.append(take_in(asked.job).pk)
        finally:
            connection.close()

    takers = [threading.Thread(target=take) for _ in range(3)]
    for each in takers:
        each.start()
    for each in takers:
        each.join()
    hill.refresh_from_db()
    assert len(taken) == 3
    assert len(set(taken)) == 1
    assert (Image.objects.count(), hill.image_count, hill.reply_count) == (2, 2, 1)
