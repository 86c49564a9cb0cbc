"""Who may call."""

import pytest

from forum.members.models import Allowance
from tests.forum.api.conftest import is_problem

pytestmark = pytest.mark.django_db


def test_a_token_says_who_calls(calls, lin):
    said = calls(lin).get("/me").json()
    assert (said["username"], said["role"]) == ("lin", "member")


def test_nobody_is_told_to_bring_a_token(calls):
    answer = calls().get("/me")
    is_problem(answer, 401, "no_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer gb_wrong", "Bearer", "Basic bGluOngK", "gb_x", "é"])
def test_a_wrong_key_is_refused_even_for_what_is_public(calls, hill, header):
    program = calls()
    answer = program.get(f"/images/{hill.first_image_id}", Authorization=header)
    is_problem(answer, 401, "bad_token")


def test_visitors_read_what_is_public(calls, hill):
    assert calls().get(f"/images/{hill.first_image_id}").status_code == 200


def test_visitors_change_nothing(calls, hill):
    is_problem(calls().post("/boards", {"slug": "a", "title": "A"}), 401, "no_token")
    answer = calls().post(f"/images/{hill.first_image_id}/replies", {"prompt": "make it night"})
    is_problem(answer, 401, "no_token")


def test_a_session_reads_but_needs_the_csrf_token_to_write(calls, lin):
    program = calls()
    program.client.force_login(lin)
    assert program.get("/me").json()["username"] == "lin"
    is_problem(program.post("/boards", {"slug": "a", "title": "A"}), 403, "csrf_failed")


def test_a_session_with_the_pages_token_writes(calls, lin):
    program = calls()
    program.client.force_login(lin)
    program.client.get("/settings/")
    token = program.client.cookies["csrftoken"].value
    answer = program.post("/boards", {"slug": "a", "title": "A"}, **{"X-CSRFToken": token})
    assert answer.status_code == 201


def test_a_banned_members_token_is_refused(calls, lin):
    program = calls(lin)
    lin.is_active = False
    lin.save()
    is_problem(program.get("/me"), 401, "bad_token")


def test_calls_are_counted(calls, lin, settings):
    settings.FORUM_API_PER_MINUTE = 2
    program = calls(lin)
    assert [program.get("/me").status_code for _ in range(2)] == [200, 200]
    answer = program.get("/me")
    is_problem(answer, 429, "slow_down")
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    assert Allowance.objects.get(what="api").spent == 3
