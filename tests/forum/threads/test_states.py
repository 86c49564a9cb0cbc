"""Whatever people and machines do, in whatever order: states, counters and images agree."""

import contextlib
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forum.images.models import Image
from forum.threads import actions
from forum.threads.actions import NotAllowed
from forum.threads.models import Reply
from generation import queue
from generation.models import Job
from tests.factories import ask, come_out

pytestmark = pytest.mark.django_db
STEPS = ["stop", "again", "claim", "done", "failed", "take_in", "take_in_failure", "rescue"]


def do(step: str, reply: Reply) -> None:
    """One step of somebody; what is not possible is refused and changes nothing."""
    job = reply.job
    if step == "stop":
        actions.stop(reply=reply, by=reply.author)
    elif step == "again":
        actions.try_again(reply=reply, by=reply.author)
    elif step == "claim":
        Job.objects.claim(job, uuid.uuid4())
    elif step == "done" and Job.objects.get(pk=job).state == "waiting":
        come_out(job)
    elif step == "failed":
        token = uuid.uuid4()
        if Job.objects.claim(job, token):
            Job.objects.fail(job, token, "timeout")
    elif step == "take_in":
        actions.take_in(job)
    elif step == "take_in_failure":
        actions.take_in_failure(job)
    elif step == "rescue":
        Job.objects.filter(pk=job, state="running").update(
            state="waiting", token=None, lease_until=None
        )


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(st.sampled_from(STEPS), max_size=9))
def test_every_move_is_a_move_of_the_graph(hill, ada, settings, steps):
    settings.FORUM_EDITS_PER_HOUR = 10_000
    settings.FORUM_EDITS_AT_ONCE = 10_000
    reply = ask(ada, hill.first_image, key=uuid.uuid4().hex)
    images, counted = Image.objects.count(), counters(hill)
    for step in steps:
        before = reply.state
        with contextlib.suppress(NotAllowed):
            do(step, reply)
        reply.refresh_from_db()
        assert reply.state == before or (before, reply.state) in Reply.MOVES.moves
        assert (reply.state == "done") == (reply.image is not None)
        if reply.state == "cancelled":
            assert queue.read([reply.job])[reply.job].state in {"cancelled", "done", "failed"}
    came = int(reply.state == "done")
    assert Image.objects.count() == images + came
    assert counters(hill)[:2] == (counted[0] + came, counted[1] + came)
    actions.recount([hill])
    assert counters(hill)[:2] == (counted[0] + came, counted[1] + came)


def counters(thread) -> tuple[int, int, int]:
    thread.refresh_from_db()
    return thread.image_count, thread.reply_count, thread.voice_count
