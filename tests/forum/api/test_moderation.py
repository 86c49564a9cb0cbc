"""Moderating by program."""

import pytest

from forum.boards.models import Decision, Membership
from forum.images.models import Image
from forum.threads.models import Thread
from tests.conftest import a_member
from tests.factories import an_upload_reply
from tests.forum.api.conftest import is_problem

pytestmark = pytest.mark.django_db


@pytest.fixture
def keeper(plaza, salon):
    """Moderates two boards."""
    member = a_member("kim")
    for board in (plaza, salon):
        office = Membership.Role.MODERATOR
        Membership.objects.create(board=board, member=member, role=office)
    return member


def test_hide_and_show_with_a_reason(calls, hill, keeper, ada):
    program, path = calls(keeper), f"/images/{hill.first_image_id}"
    is_problem(program.post(f"{path}/hide", {"reason": " "}), 422, "invalid")
    assert program.post(f"{path}/hide", {"reason": "A face."}).status_code == 204
    is_problem(calls(ada).get(path), 404, "not_found")
    is_problem(calls(ada).post(f"{path}/show"), 404, "not_found")
    assert program.post(f"{path}/show").status_code == 204
    assert calls(ada).get(path).status_code == 200
    assert Decision.objects.count() == 2


def test_a_repetition_is_done_once(calls, hill, keeper):
    program, path = calls(keeper), f"/images/{hill.first_image_id}"
    for _ in range(2):
        answer = program.post(f"{path}/hide", {"reason": "A face."}, Idempotency_Key="a")
        assert answer.status_code == 204 and not answer.content
    assert Decision.objects.count() == 1


def test_what_the_house_hid(calls, hill, keeper, moderator):
    path = f"/images/{hill.first_image_id}"
    calls(moderator).post(f"{path}/hide", {"reason": "Law."})
    is_problem(calls(keeper).post(f"{path}/show"), 403, "hidden_by_house")
    assert Image.objects.get().state == "hidden"


def test_move_says_why_not(calls, hill, salon, rivers, keeper, ada, moderator):
    program, path = calls(keeper), f"/threads/{hill.pk}/move"
    is_problem(program.post(path, {"board": "rivers"}), 422, "no_such_board")
    assert program.post(path, {"board": "salon"}).status_code == 204
    assert Thread.objects.get().board == salon
    an_upload_reply(Image.objects.get(), ada)
    is_problem(program.post(path, {"board": "plaza"}), 409, "not_meant")
    assert program.post(path, {"board": "plaza", "meant": True}).status_code == 204
    is_problem(calls(ada).post(path, {"board": "salon"}), 403, "not_yours")
