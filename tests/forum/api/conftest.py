"""Programs that call, and something to call about."""

import json
from dataclasses import dataclass, field

import pytest
from django.test import Client

from forum.boards.models import Board
from forum.members import tokens
from forum.members.models import Member
from forum.threads.models import Reply, Thread
from tests.factories import a_thread, ask

PROBLEM = "application/problem+json"


@dataclass
class Program:
    """Calls the API with a token, or with none."""

    secret: str = ""
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def headers(self, more: dict[str, str] | None = None) -> dict[str, str]:
        key = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        return {**key, **(more or {})}

    def get(self, path: str, words: dict | None = None, **headers: str):
        return self.client.get("/api/v1" + path, words, headers=self.headers(headers))

    def delete(self, path: str):
        return self.client.delete("/api/v1" + path, headers=self.headers())

    def post(self, path: str, words: object = None, **headers: str):
        """With JSON."""
        return self.client.post(
            "/api/v1" + path,
            json.dumps(words if words is not None else {}),
            content_type="application/json",
            headers=self.headers({k.replace("_", "-"): v for k, v in headers.items()}),
        )

    def send(self, path: str, words: dict, **headers: str):
        """With a form."""
        return self.client.post(
            "/api/v1" + path,
            words,
            headers=self.headers({k.replace("_", "-"): v for k, v in headers.items()}),
        )


@pytest.fixture
def calls(db: None):
    """A program of somebody's, or of nobody's: `calls(lin).get("/me")`."""

    def as_(member: Member | None = None) -> Program:
        if member is None:
            return Program()
        return Program(tokens.make(member=member, name="test")[1])

    return as_


def is_problem(answer, status: int, code: str) -> None:
    """The answer is a problem document of this kind, and tells nothing of our insides."""
    assert answer.status_code == status, answer.content
    assert answer.headers["Content-Type"] == PROBLEM
    words = json.loads(answer.content)
    assert (words["status"], words["code"]) == (status, code)
    assert words["title"] and words["detail"]
    for inside in (b"Traceback", b"psycopg", b"SELECT ", b"/forum/", b"site-packages"):
        assert inside not in answer.content


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
