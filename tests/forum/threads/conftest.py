"""A conversation to test in."""

import io
import json

import pytest
from django.db import connection

from forum.boards.models import Board
from forum.images import ingest
from forum.members.models import Member
from forum.threads.models import Reply, Thread
from tests.factories import a_picture, a_thread, ask


@pytest.fixture
def hill(plaza: Board, lin: Member) -> Thread:
    """A thread that Lin opened on the public board."""
    return a_thread(plaza, lin)


@pytest.fixture
def river(rivers: Board, lin: Member) -> Thread:
    """A thread that Lin opened on the private board."""
    return a_thread(rivers, lin, title="A river")


@pytest.fixture
def asked(hill: Thread, ada: Member) -> Reply:
    """Ada has asked for the hill at night; nothing has been made yet."""
    return ask(ada, hill.first_image, key="k1")


@pytest.fixture
def picked():
    """A picture that was really taken in: `picked(member)`."""

    def as_(member: Member, data: bytes = b"") -> ingest.Ingested:
        return ingest.ingest(io.BytesIO(data or a_picture(kind="PNG")), member=member)

    return as_


@pytest.fixture
def heard(db: None, monkeypatch: pytest.MonkeyPatch):
    """What was announced, in order: (topic, kind, id)."""
    said = []

    def hear(execute, sql, params, many, context):
        # What the studio tells those who wait is put together in the database.
        if sql.lstrip().startswith("SELECT pg_notify") and isinstance(params[1], str):
            words = json.loads(params[1])
            said.append((words["topic"], words["k"], words["id"]))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(hear):
        yield said
