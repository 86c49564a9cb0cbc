"""The bridge hears what commits, and says when it may have missed something."""

import asyncio

import psycopg
import pytest
from channels.db import database_sync_to_async
from django.db import transaction

from forum.announce import announce
from forum.live import bridge as bridges
from forum.live.bridge import Bridge, conninfo

pytestmark = pytest.mark.django_db(transaction=True)


class Ears:
    def __init__(self) -> None:
        self.heard: list[dict] = []
        self.gaps = 0
        self.bridge = Bridge(on_message=self.heard.append, on_gap=self.gap)

    def gap(self) -> None:
        self.gaps += 1

    async def until(self, condition, seconds: float = 5.0) -> None:
        async with asyncio.timeout(seconds):
            while not condition(self):
                await asyncio.sleep(0.01)


@pytest.fixture
async def ears():
    made = Ears()
    made.bridge.ensure()
    await made.until(lambda e: e.gaps == 1)
    yield made
    await made.bridge.stop()


def say(kind: str, roll_back: bool = False) -> None:
    with transaction.atomic():
        announce("thread.7", kind, id=3)
        if roll_back:
            transaction.set_rollback(True)


async def test_it_hears_what_is_announced(ears):
    await database_sync_to_async(say)("reply")
    await ears.until(lambda e: e.heard)
    assert ears.heard == [{"topic": "thread.7", "k": "reply", "id": 3}]


async def test_a_rollback_is_silence(ears):
    await database_sync_to_async(say)("reply", roll_back=True)
    await database_sync_to_async(say)("later")
    await ears.until(lambda e: e.heard)
    assert [each["k"] for each in ears.heard] == ["later"]


async def test_after_a_lost_connection_it_comes_back_and_tells_of_the_gap(ears):
    async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as line:
        await line.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE query LIKE '%%pg_notify%%' AND pid <> pg_backend_pid()"
        )
    await ears.until(lambda e: e.gaps == 2)
    await database_sync_to_async(say)("after")
    await ears.until(lambda e: e.heard)
    assert ears.bridge.trouble() == ""


async def test_an_unreadable_payload_does_not_deafen_it(ears):
    async with await psycopg.AsyncConnection.connect(conninfo(), autocommit=True) as line:
        await line.execute("SELECT pg_notify('changes', 'no json')")
    await database_sync_to_async(say)("reply")
    await ears.until(lambda e: e.heard)


async def test_trouble_is_said_before_the_first_word():
    assert Ears().bridge.trouble() == "has not been started"


async def test_silence_is_trouble(ears, monkeypatch):
    monkeypatch.setattr(bridges, "DEAF_AFTER", -1.0)
    assert "nothing heard" in ears.bridge.trouble()
