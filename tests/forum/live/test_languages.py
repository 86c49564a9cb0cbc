"""What arrives by socket is told in the language of the page that shows it."""

import asyncio
import re

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from forum.asgi import application
from forum.live import consumers
from forum.live.hubs import hubs
from forum.threads import actions
from tests.factories import a_thread

pytestmark = pytest.mark.django_db(transaction=True)


OPEN: list[WebsocketCommunicator] = []


@pytest.fixture(autouse=True)
async def quiet_bridge():
    yield
    while OPEN:
        await OPEN.pop().disconnect()
    await hubs.bridge.stop()
    hubs.by_topic.clear()
    consumers._open.clear()


def session_of(member) -> str:
    client = Client()
    client.force_login(member, backend=settings.AUTHENTICATION_BACKENDS[0])
    name = settings.SESSION_COOKIE_NAME
    return f"{name}={client.cookies[name].value}"


async def watch(image, **headers: str) -> WebsocketCommunicator:
    """A seat at the answers of an image, after the first frame."""
    sent = {"host": "localhost", "origin": "http://localhost", **headers}
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in sent.items()]
    path = f"/ws/threads/{image.thread_id}/?image={image.pk}"
    socket = WebsocketCommunicator(application, path, pairs)
    socket.scope["client"] = ["127.0.0.1", 5]
    assert (await socket.connect())[0]
    await socket.receive_from(3)
    OPEN.append(socket)
    return socket


async def hears(socket: WebsocketCommunicator, pattern: str) -> bool:
    async with asyncio.timeout(8):
        while not re.search(pattern, await socket.receive_from(8)):
            pass
    return True


async def test_everybody_hears_of_a_reply_in_their_own_language(plaza, lin, ada, wen):
    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    session = await database_sync_to_async(session_of)(wen)
    english = await watch(image)
    chinese = [
        await watch(image, cookie=f"{settings.LANGUAGE_COOKIE_NAME}=zh-hans"),
        await watch(image, accept_language="zh-CN,zh;q=0.9,en;q=0.5"),
        await watch(image, cookie=session),
    ]
    changed = await watch(image, cookie=f"{session}; {settings.LANGUAGE_COOKIE_NAME}=en")
    await asyncio.sleep(0.3)
    reply = await database_sync_to_async(actions.answer_by_prompt)(
        member=ada, to=image, prompt="make it night", key="k1"
    )
    assert await hears(english, "waiting")
    assert all([await hears(socket, "等待中") for socket in chinese])
    await database_sync_to_async(actions.stop)(reply=reply, by=ada)
    assert await hears(changed, "stopped")
    assert all([await hears(socket, "已停止") for socket in chinese])


async def test_those_who_read_the_same_language_share_a_rendering(plaza, lin):
    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    for language in ("en", "en-GB", "zh-CN"):
        await watch(image, accept_language=language)
    topic = next(topic for topic in hubs.by_topic if topic.startswith("thread"))
    assert sorted(len(seats) for seats in hubs.by_topic[topic].viewers.values()) == [1, 2]
    while OPEN:
        await OPEN.pop().disconnect()
    assert not hubs.by_topic
