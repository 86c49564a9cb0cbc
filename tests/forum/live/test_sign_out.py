"""A socket ends with the session that opened it, at once and with a code of its own."""

import asyncio

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from forum.asgi import application
from forum.live import consumers
from forum.live.hubs import hubs
from forum.members import actions
from forum.members.models import Member
from tests.factories import a_thread

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "open sesame 7"


@pytest.fixture(autouse=True)
async def quiet_bridge():
    yield
    await hubs.bridge.stop()
    hubs.by_topic.clear()
    consumers._open.clear()


def signed_in(member: Member) -> Client:
    """A browser of its own."""
    client = Client()
    client.force_login(member, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client


async def watch(path: str, client: Client | None) -> WebsocketCommunicator:
    """An open socket of this browser, past its first frame."""
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    if client is not None:
        name = settings.SESSION_COOKIE_NAME
        headers.append((b"cookie", f"{name}={client.cookies[name].value}".encode()))
    socket = WebsocketCommunicator(application, path, headers)
    socket.scope["client"] = ["127.0.0.1", 5]
    assert (await socket.connect())[0]
    await asyncio.sleep(0.3)
    while not await socket.receive_nothing(0.3):
        await socket.receive_from(1)
    return socket


async def code(socket: WebsocketCommunicator) -> int:
    """The code with which it closes."""
    async with asyncio.timeout(5):
        while (message := await socket.receive_output(5))["type"] != "websocket.close":
            pass
    return int(message["code"])


async def test_signing_out_closes_this_browser_alone(plaza, lin, ada):
    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    path = f"/ws/threads/{image.thread_id}/?image={image.pk}"
    here, elsewhere, hers = [
        await database_sync_to_async(signed_in)(each) for each in (lin, lin, ada)
    ]
    ours, other, foreign, visitor = [
        await watch(path, each) for each in (here, elsewhere, hers, None)
    ]
    await database_sync_to_async(here.post)("/account/logout/")
    # The thread is public: it is the session that ended, not the right to look.
    assert await code(ours) == consumers.SIGNED_OUT
    for left in (other, foreign, visitor):
        assert await left.receive_nothing(0.5)
        await left.disconnect()


async def test_a_new_password_closes_every_browser(plaza, lin):
    here, elsewhere = [await database_sync_to_async(signed_in)(lin) for _ in range(2)]
    sockets = [await watch("/ws/stream/", each) for each in (here, elsewhere)]
    words = {"oldpassword": PASSWORD, "password1": "shut sesame 8", "password2": "shut sesame 8"}
    answer = await database_sync_to_async(here.post)("/account/password/", words)
    assert answer.status_code == 302
    assert [await code(each) for each in sockets] == [consumers.SIGNED_OUT] * 2
    # The browser that changed it is still signed in, and may open a new one.
    again = await watch("/ws/stream/", here)
    await again.disconnect()


async def test_shutting_somebody_out_closes_their_sockets(plaza, lin):
    socket = await watch("/ws/stream/", await database_sync_to_async(signed_in)(lin))
    lin.is_active = False
    await database_sync_to_async(lin.save)(update_fields=["is_active"])
    assert await code(socket) == consumers.SIGNED_OUT


@pytest.mark.parametrize("keep_images", [True, False])
async def test_leaving_closes_their_sockets(plaza, lin, keep_images):
    socket = await watch("/ws/stream/", await database_sync_to_async(signed_in)(lin))
    await database_sync_to_async(actions.leave)(member=lin, keep_images=keep_images)
    assert await code(socket) == consumers.SIGNED_OUT


async def test_what_changes_nothing_disturbs_nobody(plaza, lin):
    socket = await watch("/ws/stream/", await database_sync_to_async(signed_in)(lin))
    lin.name, lin.language = "Lin of the hills", "en"
    await database_sync_to_async(lin.save)()
    assert await socket.receive_nothing(0.7)
    await socket.disconnect()
