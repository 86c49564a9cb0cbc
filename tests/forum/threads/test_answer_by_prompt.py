"""Answering an image with a prompt."""

import threading

import pytest
from django.db import connection, transaction
from django.utils import timezone

from forum.members.models import Allowance
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.models import Reply
from generation import queue
from generation.models import Job
from generation.requests import Operation
from tests.factories import a_thread, an_image, ask

pytestmark = pytest.mark.django_db


def test_the_prompt_is_kept_word_for_word(hill, ada):
    assert ask(ada, hill.first_image, "  Make it\tNIGHT ").prompt == "  Make it\tNIGHT "


def test_the_reply_waits_at_once(asked):
    assert (asked.state, asked.image) == ("waiting", None)


def test_the_job_knows_what_to_do(asked, hill):
    request = queue.request(asked.job)
    assert (request.preset, request.prompt, request.seed) == (
        "darkroom",
        "make it night",
        asked.seed,
    )
    assert request.sources == (hill.first_image.source_ref(),)


def test_the_result_comes_back_to_the_house(asked, hill):
    job = Job.objects.get(pk=asked.job)
    assert (job.return_to, job.topic, job.asker) == (
        "forum.receive_result", hill.topic, asked.author_id
    )  # fmt: skip


def test_the_same_key_gives_the_same_reply(asked, hill, ada):
    assert ask(ada, hill.first_image, key="k1") == asked
    assert (Reply.objects.count(), Job.objects.count()) == (1, 1)


def test_a_key_serves_one_question_only(asked, hill, ada):
    with pytest.raises(KeyReused):
        ask(ada, hill.first_image, "make it snow", key="k1")


def test_two_members_may_use_the_same_key(asked, hill, wen):
    assert ask(wen, hill.first_image, key="k1") != asked


def test_a_visitor_to_a_private_board_cannot_answer(river, wen):
    with pytest.raises(NotAllowed):
        ask(wen, river.first_image)


def test_an_archived_board_takes_no_answer(hill, plaza, ada):
    plaza.archived_at = timezone.now()
    plaza.save()
    with pytest.raises(NotAllowed):
        ask(ada, hill.first_image)


def test_without_consent_there_is_no_derivative(plaza, lin, ada):
    thread = a_thread(plaza, lin, allow_derivatives=False)
    with pytest.raises(NotAllowed) as refusal:
        ask(ada, thread.first_image)
    assert refusal.value.reason == "not_consented"


def test_a_hidden_image_cannot_be_answered(hill, ada):
    hill.first_image.state = "hidden"
    hill.first_image.save()
    with pytest.raises(NotAllowed):
        ask(ada, hill.first_image)


def test_a_banned_member_is_not_heard(hill, ada):
    ada.is_active = False
    ada.save()
    with pytest.raises(NotAllowed):
        ask(ada, hill.first_image)


def test_an_unknown_engine_is_refused(hill, ada):
    with pytest.raises(NotAllowed):
        ask(ada, hill.first_image, preset="dreams")


def test_a_further_source_is_kept_in_order(hill, ada, lin):
    other = an_image(hill, lin)
    reply = ask(ada, hill.first_image, further_sources=[other])
    assert list(reply.further_sources.all()) == [other]
    assert len(queue.request(reply.job).sources) == 2


def test_a_source_one_cannot_see_is_refused(hill, river, wen):
    with pytest.raises(NotAllowed):
        ask(wen, hill.first_image, further_sources=[river.first_image])


def test_a_private_image_is_not_mixed_into_what_others_see(hill, river, salon, ada, lin):
    """Ada may see both, but who sees the plaza may not see what lies in the river."""
    inside = a_thread(salon, lin).first_image
    for to, source in ((hill.first_image, river.first_image), (hill.first_image, inside)):
        with pytest.raises(NotAllowed) as refusal:
            ask(ada, to, further_sources=[source])
        assert refusal.value.reason == "not_for_all"
    for number, source in enumerate((hill.first_image, inside)):
        assert ask(ada, river.first_image, key=f"in{number}", further_sources=[source]).is_forming
    assert not Reply.objects.filter(thread=hill).exists()


def test_the_same_words_with_other_chips_are_something_else(hill, ada):
    night, snow = ((Operation(name),) for name in ("night", "snow"))
    first = ask(ada, hill.first_image, key="k", read_as=night)
    assert ask(ada, hill.first_image, key="k", read_as=night) == first
    with pytest.raises(KeyReused):
        ask(ada, hill.first_image, key="k", read_as=snow)


def test_more_sources_than_the_engine_takes_are_refused(hill, ada, lin):
    with pytest.raises(NotAllowed):
        ask(ada, hill.first_image, further_sources=[an_image(hill, lin) for _ in range(4)])


def test_too_many_at_once_wait(hill, ada, settings):
    settings.FORUM_EDITS_AT_ONCE = 1
    ask(ada, hill.first_image, key="one")
    with pytest.raises(TooMany) as refusal:
        ask(ada, hill.first_image, key="two")
    assert refusal.value.retry_after > 0


def test_the_hourly_allowance_ends(hill, ada, settings):
    settings.FORUM_EDITS_PER_HOUR = 1
    ask(ada, hill.first_image, key="one")
    with pytest.raises(TooMany) as refusal:
        ask(ada, hill.first_image, key="two")
    assert 3500 < refusal.value.retry_after <= 3600


def test_a_refused_answer_costs_nothing(river, wen):
    with pytest.raises(NotAllowed):
        ask(wen, river.first_image)
    assert not Allowance.objects.exists()


def test_a_repeated_request_costs_nothing(asked, hill, ada):
    ask(ada, hill.first_image, key="k1")
    assert Allowance.objects.get().spent == 1


def test_a_rolled_back_reply_leaves_no_job(hill, ada):
    with pytest.raises(RuntimeError), transaction.atomic():
        ask(ada, hill.first_image)
        raise RuntimeError
    assert not Job.objects.exists()
    assert not Reply.objects.exists()


def test_the_thread_and_the_stream_are_told(hill, ada, heard):
    reply = ask(ada, hill.first_image)
    assert heard == [(hill.topic, "reply", reply.pk), ("stream", "moved", hill.pk)]


def test_nothing_is_counted_before_it_has_come_into_being(asked, hill):
    hill.refresh_from_db()
    assert (hill.image_count, hill.reply_count, hill.voice_count) == (1, 0, 1)


@pytest.mark.parametrize(
    ("prompt", "language"),
    [("make it night", "en"), ("变成夜晚", "zh"), ("夜にして", "ja"), ("밤으로", "ko")],
)
def test_the_language_is_guessed_from_the_script(hill, ada, prompt, language):
    assert ask(ada, hill.first_image, prompt).language == language


@pytest.mark.django_db(transaction=True)
def test_a_double_click_makes_one_reply(hill, ada):
    """Both requests are under way at once; the second waits for the first and finds its reply."""
    made: list[int] = []

    def click() -> None:
        try:
            made.append(ask(ada, hill.first_image, key="twice").pk)
        finally:
            connection.close()

    clicks = [threading.Thread(target=click) for _ in range(4)]
    for each in clicks:
        each.start()
    for each in clicks:
        each.join()
    assert len(made) == 4
    assert len(set(made)) == Reply.objects.count() == Job.objects.count() == 1
