"""Sockets show what may be seen, as it changes, and refuse with a code."""

import asyncio
import re

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from forum.asgi import application
from forum.boards import actions as boards
from forum.live import consumers
from forum.live.hubs import hubs
from forum.threads import actions
from tests.factories import a_thread

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = (b"origin", b"http://localhost")


@pytest.fixture(autouse=True)
async def quiet_bridge():
    yield
    await hubs.bridge.stop()
    hubs.by_topic.clear()
    consumers._open.clear()


def cookie(member) -> tuple[bytes, bytes]:
    client = Client()
    client.force_login(member, backend=settings.AUTHENTICATION_BACKENDS[0])
    name = settings.SESSION_COOKIE_NAME
    return (b"cookie", f"{name}={client.cookies[name].value}".encode())


async def watch(path: str, member=None, origin=ORIGIN) -> WebsocketCommunicator:
    headers = [(b"host", b"localhost"), *([origin] if origin else [])]
    if member is not None:
        headers.append(await database_sync_to_async(cookie)(member))
    socket = WebsocketCommunicator(application, path, headers)
    socket.scope["client"] = ["127.0.0.1", 5]
    return socket


async def code(socket: WebsocketCommunicator) -> int:
    """The close code after being accepted."""
    accepted, _ = await socket.connect()
    assert accepted
    message = await socket.receive_output(3)
    assert message["type"] == "websocket.close"
    return message["code"]


async def sitting(socket: WebsocketCommunicator) -> None:
    """Connect, and take the first frame."""
    assert (await socket.connect())[0]
    await socket.receive_from(3)


async def until(socket: WebsocketCommunicator, pattern: str) -> str:
    async with asyncio.timeout(8):
        while True:
            text = await socket.receive_from(8)
            if re.search(pattern, text):
                return text


async def test_whoever_connects_gets_the_whole_list_first(plaza, lin):
    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    socket = await watch(f"/ws/threads/{image.thread_id}/?image={image.pk}")
    assert (await socket.connect())[0]
    assert f'id="answers-{image.pk}"' in await socket.receive_from(3)
    await socket.disconnect()


async def test_a_new_reply_is_put_into_the_list(plaza, lin, ada):
    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    socket = await watch(f"/ws/threads/{image.thread_id}/?image={image.pk}")
    await socket.connect()
    await socket.receive_from(3)
    await asyncio.sleep(0.3)
    reply = await database_sync_to_async(actions.answer_by_prompt)(
        member=ada, to=image, prompt="make it night", key="k1"
    )
    text = await until(socket, f'id="reply-{reply.pk}"')
    assert f'hx-upsert hx-target="#answers-{image.pk}"' in text
    assert "csrf" not in text.lower()
    await socket.disconnect()


async def test_the_socket_speaks_the_language_of_its_page(plaza, lin, wen):
    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    english = await watch(f"/ws/threads/{image.thread_id}/?image={image.pk}", lin)
    chinese = await watch(f"/ws/threads/{image.thread_id}/?image={image.pk}", wen)
    for socket in (english, chinese):
        await socket.connect()
    await asyncio.sleep(0.3)
    await database_sync_to_async(actions.answer_by_prompt)(
        member=lin, to=image, prompt="make it night", key="k1"
    )
    words = await until(english, "make it night"), await until(chinese, "make it night")
    assert "Stop" in words[0]
    assert "停止" in words[1]
    for socket in (english, chinese):
        await socket.disconnect()


async def test_a_stopped_reply_is_morphed_where_it_stands(plaza, lin, ada):
    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    socket = await watch(f"/ws/threads/{image.thread_id}/?image={image.pk}")
    await socket.connect()
    await asyncio.sleep(0.3)
    reply = await database_sync_to_async(actions.answer_by_prompt)(
        member=ada, to=image, prompt="make it night", key="k1"
    )
    await until(socket, f'id="reply-{reply.pk}"')
    await database_sync_to_async(actions.stop)(reply=reply, by=ada)
    await until(socket, f'hx-target="#reply-{reply.pk}" hx-swap="outerMorph"')
    await socket.disconnect()


async def test_a_query_that_is_no_text_is_left_aside(plaza, lin):
    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    socket = await watch(f"/ws/threads/{image.thread_id}/")
    socket.scope["query_string"] = b"image=\xff\xfe&x=%00"
    await sitting(socket)
    await socket.disconnect()


async def test_a_private_thread_is_refused_to_strangers(rivers, lin, wen):
    image = (await database_sync_to_async(a_thread)(rivers, lin)).first_image
    path = f"/ws/threads/{image.thread_id}/"
    assert await code(await watch(path, wen)) == consumers.FORBIDDEN
    assert await code(await watch(path)) == consumers.FORBIDDEN


async def test_a_private_thread_is_shown_to_those_who_belong(rivers, lin, ada):
    image = (await database_sync_to_async(a_thread)(rivers, lin)).first_image
    socket = await watch(f"/ws/threads/{image.thread_id}/", ada)
    await socket.connect()
    assert f"tree-{image.thread_id}" in await socket.receive_from(3)
    await socket.disconnect()


async def test_whoever_is_removed_is_closed_at_once(rivers, lin, ada, owner):
    image = (await database_sync_to_async(a_thread)(rivers, lin)).first_image
    socket = await watch(f"/ws/threads/{image.thread_id}/", ada)
    await socket.connect()
    await socket.receive_from(3)
    await asyncio.sleep(0.3)
    await database_sync_to_async(boards.remove_member)(board=rivers, member=ada, by=owner)
    async with asyncio.timeout(5):
        while (message := await socket.receive_output(5))["type"] != "websocket.close":
            pass
    assert message["code"] == consumers.FORBIDDEN


@pytest.mark.parametrize(
    "origin", [(b"origin", b"https://elsewhere.example"), (b"origin", b"null"), None]
)
async def test_a_foreign_origin_is_refused_before_anything_else(origin):
    socket = await watch("/ws/stream/", origin=origin)
    assert (await socket.connect())[0] is False


async def test_an_unknown_address_is_refused_for_good():
    assert await code(await watch("/ws/nothing/")) == 4404


async def test_an_image_of_another_thread_is_refused(plaza, lin):
    one = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    other = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    socket = await watch(f"/ws/threads/{one.thread_id}/?image={other.pk}")
    assert await code(socket) == consumers.FORBIDDEN


async def test_long_messages_close_the_socket():
    socket = await watch("/ws/stream/")
    await sitting(socket)
    await socket.send_to("x" * 2000)
    assert (await socket.receive_output(3))["code"] == consumers.TOO_LARGE


async def test_many_messages_close_the_socket():
    socket = await watch("/ws/stream/")
    await sitting(socket)
    for _ in range(consumers.MOST):
        await socket.send_to("x")
    assert (await socket.receive_output(3))["code"] == consumers.TOO_MANY


async def test_one_member_holds_a_limited_number_of_sockets(lin, settings):
    settings.FORUM_SOCKETS_PER_MEMBER = 2
    held = [await watch("/ws/stream/", lin) for _ in range(2)]
    for socket in held:
        await socket.connect()
    assert await code(await watch("/ws/stream/", lin)) == consumers.TOO_MANY
    await held[0].disconnect()
    again = await watch("/ws/stream/", lin)
    await sitting(again)
    assert await again.receive_nothing(0.2)
    for socket in (held[1], again):
        await socket.disconnect()


async def test_new_links_have_the_page_fetch_its_resonances(plaza, lin):
    from forum.announce import announce

    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    socket = await watch(f"/ws/threads/{image.thread_id}/?image={image.pk}")
    await socket.connect()
    await asyncio.sleep(0.3)
    await database_sync_to_async(announce)(f"image.{image.pk}", "resonances", id=image.pk)
    await until(socket, f'hx-get="/images/{image.pk}/resonances/"')
    await socket.disconnect()


def test_a_new_thing_is_sent_before_what_became_of_it():
    """Both may wait for the same pause between frames; the second alone would find no place."""
    pieces = {"answers": "list", "new reply-7": "put it in", "reply-7": "it moved on"}
    assert consumers.frames(pieces) == ["put it in", "list\nit moved on"]


async def test_a_new_reply_survives_what_follows_at_once(plaza, lin, ada):
    image = (await database_sync_to_async(a_thread)(plaza, lin)).first_image
    socket = await watch(f"/ws/threads/{image.thread_id}/?image={image.pk}")
    await socket.connect()
    await socket.receive_from(3)  # the pause between two frames begins
    reply = await database_sync_to_async(actions.answer_by_prompt)(
        member=ada, to=image, prompt="make it night", key="k1"
    )
    await asyncio.sleep(0.08)
    await database_sync_to_async(actions.stop)(reply=reply, by=ada)
    text = await until(socket, f'id="reply-{reply.pk}"')
    assert f'hx-upsert hx-target="#answers-{image.pk}"' in text
    await socket.disconnect()
