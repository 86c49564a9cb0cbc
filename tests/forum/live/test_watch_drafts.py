"""A draft on its page: places in the queue, pictures that come out, and a second window."""

import asyncio
import uuid

import pytest
from channels.db import database_sync_to_async
from django.db.models.functions import Now

from forum.drafts import actions
from forum.drafts.models import Draft
from forum.live import consumers
from forum.live.hubs import hubs
from generation import queue
from generation.jobs import publishing
from generation.models import Worker
from tests.factories import a_thread, ask, come_out
from tests.forum.live.test_watch import until, watch

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
async def quiet_bridge():
    yield
    await hubs.bridge.stop()
    hubs.by_topic.clear()
    consumers._open.clear()


@pytest.fixture
def hill(plaza, ada):
    return a_thread(plaza, ada).first_image


@pytest.fixture
def _worker(db):
    Worker.objects.create(
        name="one", queues=["edit:darkroom"], about={}, started_at=Now(), seen_at=Now()
    )


def a_turn(lin, hill, prompt="make it night", **more):
    words = {"member": lin, "to": hill, "prompt": prompt, "key": uuid.uuid4().hex}
    return actions.take_turn(**words, **more)


async def test_a_window_that_was_there_before_the_draft_sees_it_begin_and_end(hill, lin):
    socket = await watch(f"/ws/drafts/{hill.pk}/", lin)
    await socket.connect()
    assert "Nothing yet" in await socket.receive_from(3)
    await asyncio.sleep(0.3)
    [take] = await database_sync_to_async(a_turn)(lin, hill)
    said = await until(socket, f'id="take-{take.pk}"')
    assert "Throw the draft away" in said and "csrf" not in said.lower()
    await database_sync_to_async(come_out)(take.job)
    await database_sync_to_async(actions.take_in)(take.job)
    said = await until(socket, "A picture has come out.")
    assert f"/takes/{take.pk}/picture" in said
    draft = await database_sync_to_async(Draft.objects.get)()
    await database_sync_to_async(actions.leave)(draft=draft, by=lin)
    assert "Throw the draft away" not in await until(socket, "Nothing yet")
    await socket.disconnect()


async def test_nobody_hears_of_anothers_draft(hill, lin, wen):
    socket = await watch(f"/ws/drafts/{hill.pk}/", wen)
    await socket.connect()
    await socket.receive_from(3)
    await asyncio.sleep(0.3)
    await database_sync_to_async(a_turn)(lin, hill)
    # The line that has just been opened may send the whole once more: it is Wen's own, and empty.
    while not await socket.receive_nothing(1):
        assert "make it night" not in await socket.receive_from(1)
    await socket.disconnect()


async def test_places_in_the_queue_move_while_one_looks(hill, lin, ada, _worker):
    """Somebody else's job is taken: one fewer before one's own, on the page at once."""
    others = await database_sync_to_async(ask)(ada, hill)
    [take] = await database_sync_to_async(a_turn)(lin, hill)
    socket = await watch(f"/ws/drafts/{hill.pk}/", lin)
    await socket.connect()
    assert "1 before it" in await socket.receive_from(3)
    await asyncio.sleep(0.3)
    assert await database_sync_to_async(publishing.claim)(others.job, uuid.uuid4())
    said = await until(socket, f'(?s)^(?!.*1 before it).*id="take-{take.pk}"')
    assert "next" in said
    await database_sync_to_async(queue.pause)("darkroom")
    assert f'id="take-{take.pk}"' in await until(socket, "lets this engine rest")
    await socket.disconnect()


async def test_places_of_replies_move_too(hill, lin, ada, _worker):
    first = await database_sync_to_async(ask)(ada, hill)
    second = await database_sync_to_async(ask)(lin, hill)
    socket = await watch(f"/ws/threads/{hill.thread_id}/?image={hill.pk}")
    await socket.connect()
    assert "1 before it" in await socket.receive_from(3)
    await asyncio.sleep(0.3)
    await database_sync_to_async(queue.cancel)(first.job)
    said = await until(socket, f'(?s)^(?!.*1 before it).*id="reply-{second.pk}"')
    assert "next" in said
    await socket.disconnect()
