"""Talking with the apparatus: turns, candidates, and where the next one begins."""

import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.test import Client

from forum.drafts import actions
from forum.drafts.lines import line
from forum.drafts.models import Draft, Take, TakeState
from forum.members import tokens
from forum.members.models import Allowance
from forum.threads.actions import KeyReused, NotAllowed, TooMany
from forum.threads.models import Reply
from generation import queue
from tests.factories import a_thread, go_wrong

pytestmark = pytest.mark.django_db


def test_a_single_candidate_is_the_next_step(say, studio, lin, hill) -> None:
    [take] = say("make it night", seed=7)
    assert (take.turn, take.after, take.state) == (1, None, TakeState.WAITING)
    studio.work()
    draft = Draft.objects.get(author=lin, to=hill)
    assert draft.head == take
    [second] = say("in sepia")
    assert (second.turn, second.after) == (2, take)
    source = queue.request(second.job).sources[0]
    assert source.name == queue.result(take.job).file.name
    studio.work()
    draft.refresh_from_db()
    assert [each.prompt for each in line(draft).path] == ["make it night", "in sepia"]
    assert not Reply.objects.exists()


def test_a_contact_sheet_waits_for_a_choice(say, studio, lin, hill) -> None:
    takes = say(candidates=4, seed=10)
    assert [take.position for take in takes] == [0, 1, 2, 3]
    assert [take.seed for take in takes] == [10, 11, 12, 13]
    studio.work()
    draft = Draft.objects.get()
    assert draft.head is None
    assert {take.state for take in draft.takes.all()} == {TakeState.DONE}
    actions.go_to(take=takes[2], by=lin)
    [after] = say("in sepia")
    assert after.after == takes[2]


def test_candidates_may_run_from_a_touch_to_the_whole(say) -> None:
    takes = say(candidates=4, vary="strength", strength=0.8, seed=5)
    assert [take.strength for take in takes] == [0.2, 0.4, 0.6, 0.8]
    assert {take.seed for take in takes} == {5}


def test_a_choice_made_meanwhile_is_not_overruled(say, studio, lin) -> None:
    [first] = say()
    studio.work()
    [second] = say("in sepia")
    actions.go_back(draft=first.draft, by=lin)
    studio.work()
    first.draft.refresh_from_db()
    assert first.draft.head is None
    assert Take.objects.get(pk=second.pk).is_done


def test_stepping_back_ends_at_the_image(say, studio, lin) -> None:
    say()
    studio.work()
    say("in sepia")
    studio.work()
    draft = Draft.objects.get()
    assert actions.go_back(draft=draft, by=lin).head.prompt == "make it night"
    assert actions.go_back(draft=draft, by=lin).head is None
    assert actions.go_back(draft=draft, by=lin).head is None


def test_a_program_steps_back_once_with_its_key(say, studio, lin, hill) -> None:
    for words in ("make it night", "in sepia"):
        say(words)
        studio.work()
    secret = tokens.make(member=lin, name="test")[1]
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": "back"}
    path = f"/api/v1/images/{hill.pk}/draft/back"
    first, again = (Client().post(path, headers=headers) for _ in range(2))
    assert first.status_code == again.status_code == 200
    assert first.json() == again.json()
    assert Draft.objects.get().head.prompt == "make it night"


def test_every_candidate_is_counted(say, lin) -> None:
    say(candidates=3)
    assert Allowance.objects.get(who=f"member:{lin.pk}", what="envision").spent == 3


def test_a_sheet_that_cannot_be_paid_leaves_nothing(say, settings) -> None:
    settings.FORUM_EDITS_PER_HOUR = 2
    with pytest.raises(TooMany):
        say(candidates=3)
    assert not Take.objects.exists()
    assert not Allowance.objects.exists()


def test_not_more_at_once_than_may_be(say) -> None:
    for _ in range(settings.FORUM_EDITS_AT_ONCE):
        say()
    with pytest.raises(TooMany):
        say()


def test_the_same_key_is_one_turn(say) -> None:
    takes = say(candidates=2, key="k")
    assert say(candidates=2, key="k") == takes
    with pytest.raises(KeyReused):
        say("in sepia", key="k")


def test_nothing_is_made_of_an_image_without_consent(say, hill) -> None:
    hill.allow_derivatives = False
    hill.save()
    with pytest.raises(NotAllowed):
        say()
    assert not Take.objects.exists()


def test_a_failure_says_why_and_costs_nothing(say, studio, lin) -> None:
    [take] = say()
    go_wrong(take.job)
    actions.take_in_failure(take.job)
    take.refresh_from_db()
    assert (take.state, take.reason) == (TakeState.FAILED, "engine_error")
    assert Allowance.objects.get(who=f"member:{lin.pk}").spent == 0
    actions.try_again(take=take, by=lin)
    studio.work()
    take.refresh_from_db()
    assert take.is_done


def test_stopped_while_it_waits(say, studio, lin) -> None:
    [take] = say()
    actions.stop(take=take, by=lin)
    studio.work()
    take.refresh_from_db()
    assert take.state == TakeState.CANCELLED
    with pytest.raises(NotAllowed):
        actions.go_to(take=take, by=lin)


@pytest.mark.django_db(transaction=True)
def test_a_result_that_nobody_waits_for_goes(say, studio, lin, tmp_path) -> None:
    [take] = say()
    studio.notch()  # made, and on its way home
    actions.leave(draft=take.draft, by=lin)
    studio.work()
    assert not list((tmp_path / "media" / "results").rglob("*.*"))


def test_another_member_sees_and_touches_nothing(say, studio, ada, moderator) -> None:
    [take] = say()
    studio.work()
    for stranger in (ada, moderator):
        assert not Take.objects.of(stranger).exists()
        for verb in (actions.go_to, actions.stop, actions.publish):
            with pytest.raises(NotAllowed):
                verb(take=take, by=stranger)


def test_a_draft_to_another_image_is_another_draft(say, studio, plaza, ada) -> None:
    say()
    other = a_thread(plaza, ada).first_image
    [take] = say(to=other)
    assert Draft.objects.count() == 2
    assert take.turn == 1


def test_files_of_takes_are_known_to_the_audit(say, studio) -> None:
    from forum.drafts.actions.leaving import known

    [take] = say()
    studio.work()
    name = queue.result(take.job).file.name
    assert default_storage.exists(name)
    assert known([name, "images/ab/cd.webp", "results/999/x.webp"]) == {name}
