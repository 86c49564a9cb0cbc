"""While the database is away, people and programs are told to come again."""

import json
from typing import NoReturn

import pytest
from django.db import OperationalError, connection
from django.test import Client

pytestmark = pytest.mark.django_db


def away(*_words: object) -> NoReturn:
    raise OperationalError("the database system is shutting down")


@pytest.mark.parametrize(
    ("path", "headers", "kind"),
    [
        ("/", {}, "text/html"),
        ("/boards/", {"HX-Request": "true", "HX-Request-Type": "partial"}, "text/html"),
        ("/api/v1/boards", {}, "application/problem+json"),
    ],
)
def test_a_database_that_is_away_is_no_mistake_of_ours(path, headers, kind):
    client = Client(raise_request_exception=False)
    with connection.execute_wrapper(away):
        answer = client.get(path, headers=headers)
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Content-Type"].startswith(kind)
    assert b"try again" in answer.content.lower() and b"shutting down" not in answer.content
    if kind.endswith("json"):
        assert json.loads(answer.content)["code"] == "unavailable"
