"""Nothing that members type stands in a log: not of a request, not of the database's refusals."""

import logging

import pytest
import structlog
from django.db import IntegrityError, connection
from django.test import Client

from forum.logs import without_rows
from forum.running.postgres import DEFAULT_SETTINGS

SECRET = "xyzzyplover"


@pytest.mark.django_db
def test_a_request_is_named_without_its_words(caplog):
    caplog.set_level(logging.DEBUG)
    for place in ("/images/999999/plan/", "/begin/", "/nothing/"):
        Client().get(place, {"prompt": SECRET, "say": SECRET})
    assert "/images/999999/plan/" in caplog.text, "it is logged"
    assert SECRET not in caplog.text


@pytest.mark.django_db
def test_a_refused_row_is_left_out_of_the_traceback():
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO forum_reading (text, language, created_at) VALUES (%s, 'en', now())",
                [SECRET],
            )
    except IntegrityError:
        event = structlog.processors.format_exc_info(None, "error", {"exc_info": True})
    assert SECRET in event["exception"], "the database tells the row"
    said = without_rows(None, "error", event)["exception"]
    assert SECRET not in said
    assert "IntegrityError" in said and "null value" in said and "left out" in said


def test_the_embedded_server_writes_no_statements_down():
    assert DEFAULT_SETTINGS["log_min_error_statement"] == "panic"
    assert DEFAULT_SETTINGS["log_error_verbosity"] == "terse"
