"""Who may have how many waiting, running and asked for in an hour; and turns in a class."""

import pytest
from django.db.models.functions import Now

from forum.boards import actions as boards
from forum.members import allowances
from forum.threads.actions import TooMany, answer_by_prompt
from generation.models import Job, Worker
from tests.factories import a_thread, ask

pytestmark = pytest.mark.django_db


@pytest.fixture
def hill(plaza, lin):
    """A thread to ask in."""
    return a_thread(plaza, lin)


def edits(member):
    return Job.objects.filter(asker=member.pk, task="edit").order_by("pk")


def test_moderators_may_have_several_times_as_many(hill, ada, moderator, settings):
    """Waiting, running, and in an hour."""
    settings.FORUM_EDITS_AT_ONCE, settings.FORUM_EDITS_RUNNING = 1, 2
    settings.FORUM_EDITS_PER_HOUR, settings.FORUM_MODERATORS_TIMES = 3, 3
    ask(ada, hill.first_image, key="a")
    with pytest.raises(TooMany):
        ask(ada, hill.first_image, key="b")
    for number in range(3):
        ask(moderator, hill.first_image, key=f"m{number}")
    with pytest.raises(TooMany):
        ask(moderator, hill.first_image, key="m3")
    assert edits(ada).first().at_once == 2
    assert edits(moderator).first().at_once == 6
    assert allowances.left(ada, "envision") == 2
    assert allowances.left(moderator, "envision") == 6


def test_retry_after_is_when_the_first_is_expected(browse, hill, ada, settings):
    """Not a number out of the air: by the queue, and within bounds."""
    settings.FORUM_EDITS_AT_ONCE = 1
    ask(ada, hill.first_image, key="a")
    words = {"prompt": "at night", "key": "b"}
    address = f"/images/{hill.first_image_id}/answer/"
    assert browse(ada).post(address, words)["Retry-After"] == "15"  # no worker: nobody knows
    Worker.objects.create(
        name="one", queues=["edit:darkroom"], about={}, started_at=Now(), seen_at=Now()
    )
    Job.objects.filter(asker=ada.pk).update(seconds=42)
    answer = browse(ada).post(address, words)
    assert (answer.status_code, answer["Retry-After"]) == (429, "42")
    assert "still coming into being" in answer.content.decode()
    Job.objects.filter(asker=ada.pk).update(seconds=9000)
    assert browse(ada).post(address, words)["Retry-After"] == "600"


def test_a_board_that_takes_turns_names_its_circle(browse, owner, plaza, hill, ada):
    """Switched on and off on the board's form; each time it is switched on, counting begins anew."""
    ask(ada, hill.first_image, key="before")
    form = {
        "title": plaza.title, "slug": plaza.slug, "visibility": plaza.visibility,
        "licence": plaza.licence, "preset": plaza.preset, "take_turns": "on",
    }  # fmt: skip
    client = browse(owner)
    assert client.post(f"/boards/{plaza.slug}/edit/", form).status_code == 302
    assert "checked" in client.get(f"/boards/{plaza.slug}/edit/").content.decode()
    plaza.refresh_from_db()
    hill.first_image.refresh_from_db()
    since = plaza.turns_since
    answer_by_prompt(member=ada, to=hill.first_image, prompt="at night", key="during")
    assert [job.circle for job in edits(ada)] == ["", plaza.circle]
    boards.change(board=plaza, by=owner, take_turns=True)
    plaza.refresh_from_db()
    assert plaza.turns_since == since
    boards.change(board=plaza, by=owner, take_turns=False)
    plaza.refresh_from_db()
    assert plaza.circle == ""


def test_the_api_says_where_a_reply_stands(client, hill, ada):
    """Jobs before it and seconds left; null where nobody can say."""
    first = ask(ada, hill.first_image, key="a")
    said = client.get(f"/api/v1/replies/{first.pk}").json()
    assert (said["before"], said["seconds_left"]) == (0, None)
    Worker.objects.create(
        name="one", queues=["edit:darkroom"], about={}, started_at=Now(), seen_at=Now()
    )
    second = ask(ada, hill.first_image, key="b")
    said = client.get(f"/api/v1/replies/{second.pk}").json()
    assert said["before"] == 1 and said["seconds_left"] > 0
