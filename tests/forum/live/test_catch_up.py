"""Lists are asked to catch up, and are told of what they show and of what is new."""

import asyncio
import re

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from forum.asgi import application
from forum.boards import actions as boards
from forum.boards.models import Board, Visibility
from forum.images.actions import withdraw
from forum.live import consumers
from forum.live.hubs import hubs
from forum.threads import actions
from tests.factories import a_thread, an_upload_reply, ask

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}
db = pytest.mark.django_db
live = pytest.mark.django_db(transaction=True)


def caught_up(client, path: str, *shown: str) -> str:
    """What a page of this address is told, showing these things."""
    answer = client.get(path, {"shown": " ".join(shown)}, headers=HTMX)
    assert answer.status_code == 200
    assert "HX-Request" in answer.headers["Vary"]
    assert "<html" not in answer.content.decode()
    return answer.content.decode()


def target(name: str) -> str:
    return f'hx-target="#{name}"'


@db
def test_a_moved_thread_comes_for_its_own_place(browse, plaza, lin, ada):
    shown, other = a_thread(plaza, lin, title="Shown"), a_thread(plaza, lin, title="Older")
    an_upload_reply(shown.first_image, ada)
    said = caught_up(browse(), "/", f"thread-{shown.pk}", f"thread-{other.pk}")
    assert said.count("<hx-partial") == 2
    assert target(f"thread-{shown.pk}") in said
    assert "data-new" not in said


@db
def test_what_was_opened_since_is_counted_and_not_shown(browse, plaza, lin):
    shown = a_thread(plaza, lin)
    new = [a_thread(plaza, lin, title="Surprise") for _ in range(3)]
    said = caught_up(browse(), "/", f"thread-{shown.pk}")
    assert re.findall(r'data-new="(\d+)"', said) == [str(each.pk) for each in new]
    assert "Surprise" not in said


@db
def test_an_earlier_page_is_told_of_nothing_new(browse, plaza, lin):
    shown = a_thread(plaza, lin)
    a_thread(plaza, lin)
    client = browse()
    answer = client.get(
        "/", {"before": "2100-01-01T00:00:00Z", "shown": f"thread-{shown.pk}"}, headers=HTMX
    )
    assert "data-new" not in answer.content.decode()
    assert target(f"thread-{shown.pk}") in answer.content.decode()


@db
def test_a_thread_that_closed_to_this_person_leaves_a_grey_place(browse, plaza, owner, ada, lin):
    shown = a_thread(plaza, lin, title="Was public")
    Board.objects.filter(pk=plaza.pk).update(visibility=Visibility.PRIVATE)
    said = caught_up(browse(ada), "/", f"thread-{shown.pk}")
    assert "Was public" not in said and "not visible to you" in said
    assert "Was public" in caught_up(browse(owner), "/", f"thread-{shown.pk}")


@db
def test_private_things_cannot_be_asked_for(browse, rivers, plaza, lin, wen):
    secret = a_thread(rivers, lin, title="Between us")
    reply = ask(lin, secret.first_image)
    names = (f"thread-{secret.pk}", f"reply-{reply.pk}", f"waits-{secret.first_image_id}")
    for path in ("/", "/waiting/", f"/boards/{plaza.slug}/"):
        said = caught_up(browse(wen), path, *names)
        assert "Between us" not in said and "night" not in said
        assert f'data-new="{secret.pk}"' not in said


@db
def test_a_board_is_told_of_its_own_threads(browse, plaza, salon, lin):
    shown = a_thread(plaza, lin)
    new, elsewhere = a_thread(plaza, lin), a_thread(salon, lin)
    for view, mark in (("wall", "<article"), ("threads", "<li")):
        answer = browse(lin).get(
            f"/boards/{plaza.slug}/", {"view": view, "shown": f"thread-{shown.pk}"}, headers=HTMX
        )
        said = answer.content.decode()
        assert mark in said
        assert re.findall(r'data-new="(\d+)"', said) == [str(new.pk)], elsewhere


@db
def test_waiting_says_what_waits_no_more_and_what_else_does(browse, plaza, lin, ada, moderator):
    waits, answered = a_thread(plaza, lin), a_thread(plaza, ada)
    ask(lin, answered.first_image)
    other = a_thread(plaza, ada, title="Waits too")
    names = (f"waits-{waits.first_image_id}", f"waits-{answered.first_image_id}")
    said = caught_up(browse(moderator), "/waiting/", *names)
    assert "no longer waiting" in said.partition(target(names[1]))[2]
    assert "no longer waiting" not in said.partition(target(names[1]))[0]
    assert re.findall(r'data-new="(\d+)"', said) == [str(other.first_image_id)]


@db
def test_waiting_shows_what_answers_as_it_comes(browse, plaza, lin, ada, moderator, studio):
    """First the place where it forms, then its picture, as the card of a thread does."""
    answered = a_thread(plaza, ada)
    name = f"waits-{answered.first_image_id}"
    reply = ask(lin, answered.first_image)
    said = caught_up(browse(moderator), "/waiting/", name)
    assert "somebody is answering it" in said and 'class="forming"' in said
    studio.work()
    reply.refresh_from_db()
    said = caught_up(browse(moderator), "/waiting/", name)
    assert "it has been answered" in said and 'class="forming"' not in said
    assert f'href="/images/{reply.image_id}/"' in said and "/files/thumb" in said


@db
@pytest.mark.parametrize(
    "shown", ["", "x", "thread-", "thread-9" * 400, "thread-" + "9" * 18, "reply-0 \0", "thread-٣"]
)
def test_nonsense_is_left_aside(browse, plaza, lin, shown):
    a_thread(plaza, lin)
    for path in ("/", "/waiting/", "/boards/plaza/"):
        assert browse().get(path, {"shown": shown}, headers=HTMX).status_code == 200


@db
def test_a_person_who_names_it_in_the_address_gets_the_page(browse, plaza, lin):
    a_thread(plaza, lin)
    assert "<html" in browse().get("/", {"shown": "thread-1"}).content.decode()


# --- by socket --------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
async def quiet_bridge():
    yield
    await hubs.bridge.stop()
    hubs.by_topic.clear()
    consumers._open.clear()


async def watch(path: str) -> WebsocketCommunicator:
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    socket = WebsocketCommunicator(application, path, headers)
    socket.scope["client"] = ["127.0.0.1", 5]
    assert (await socket.connect())[0]
    return socket


async def until(socket: WebsocketCommunicator, pattern: str) -> str:
    async with asyncio.timeout(8):
        while not re.search(pattern, text := await socket.receive_from(8)):
            pass
    return text


@live
@pytest.mark.parametrize("path", ["/ws/stream/", "/ws/stream/?board=%d", "/ws/waiting/"])
async def test_whoever_connects_is_asked_to_catch_up_and_after_a_gap_again(plaza, path):
    socket = await watch(path.replace("%d", str(plaza.pk)))
    await until(socket, "data-catch-up")
    await asyncio.sleep(0.4)
    hubs.mark_all()
    await until(socket, "data-catch-up")
    await socket.disconnect()


@live
async def test_a_board_hears_of_its_threads_alone(plaza, salon, lin, ada):
    here, there = [await sync_to_async(a_thread)(board, lin) for board in (plaza, salon)]
    socket = await watch(f"/ws/stream/?board={plaza.pk}&rows=1")
    await until(socket, "data-catch-up")
    await asyncio.sleep(0.4)
    for to, key in ((there, "a"), (here, "b")):
        await sync_to_async(actions.answer_by_prompt)(
            member=ada, to=to.first_image, prompt="make it night", key=key
        )
    said = await until(socket, f"thread-{here.pk}")
    assert '<li class="level-0"' in said and f"thread-{there.pk}" not in said
    await socket.disconnect()


@live
async def test_a_board_one_may_not_see_is_refused(rivers):
    socket = await watch(f"/ws/stream/?board={rivers.pk}")
    assert (await socket.receive_output(3))["code"] == consumers.FORBIDDEN


@live
async def test_a_board_that_closes_ends_its_sockets(plaza, owner):
    socket = await watch(f"/ws/stream/?board={plaza.pk}")
    await until(socket, "data-catch-up")
    await asyncio.sleep(0.4)
    await sync_to_async(boards.change)(board=plaza, by=owner, visibility=Visibility.PRIVATE)
    async with asyncio.timeout(5):
        while (message := await socket.receive_output(5))["type"] != "websocket.close":
            pass
    assert message["code"] == consumers.FORBIDDEN


@live
async def test_readings_come_and_go_in_every_language(plaza, lin, ada):
    image = (await sync_to_async(a_thread)(plaza, lin)).first_image
    path = f"/ws/threads/{image.thread_id}/?image={image.pk}"
    socket = await watch(path)
    await until(socket, f'id="readings-{image.pk}"')
    await asyncio.sleep(0.4)
    reading = await sync_to_async(actions.read)(member=ada, image=image, text="A quiet hill.")
    said = await until(socket, "A quiet hill")
    assert "csrf" not in said.lower() and f'class="by-{ada.pk}"' in said
    late = await watch(path)
    await until(late, "A quiet hill")
    await sync_to_async(actions.take_back)(reading=reading, by=ada)
    said = await until(socket, f'id="readings-{image.pk}"')
    assert "A quiet hill" not in said
    for each in (socket, late):
        await each.disconnect()


@live
async def test_an_image_that_is_withdrawn_turns_grey_at_once(plaza, lin, ada):
    image = (await sync_to_async(a_thread)(plaza, lin)).first_image
    reply = await sync_to_async(an_upload_reply)(image, ada)
    socket = await watch(f"/ws/threads/{image.thread_id}/?image={image.pk}")
    stream = await watch("/ws/stream/")
    await until(socket, f"reply-{reply.pk}")
    await asyncio.sleep(0.4)
    await sync_to_async(withdraw)(image=reply.image, by=ada)
    assert f"reply-{reply.pk}" in await until(socket, "withdrawn")
    await until(stream, f"thread-{image.thread_id}")
    for each in (socket, stream):
        await each.disconnect()
