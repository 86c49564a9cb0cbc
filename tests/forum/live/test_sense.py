"""Addresses that cannot be, and verbs that an address does not know."""

import logging

import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/members/%00/", "/members/lin%00/images/", "/%00"])
def test_an_address_with_nul_is_refused(browse, lin, path):
    answer = browse(lin).get(path)
    assert answer.status_code == 400
    assert "makes no sense" in answer.content.decode()


def test_the_api_says_it_as_a_problem(browse):
    answer = browse().get("/api/v1/boards/%00/words")
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_request"


def test_a_board_with_nul_is_none(browse, lin, plaza):
    assert browse(lin).get("/post/?board=%00").status_code == 200


def test_a_form_s_address_tells_people_where_to_go(browse, lin):
    answer = browse(lin).get("/language/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert "Go back to the page you came from." in answer.content.decode()
    fragment = browse(lin).get("/language/", headers={"HX-Request": "true"})
    assert fragment.content.startswith(b'<p class="notice')


def test_a_refused_request_is_one_line_in_the_log(browse, lin, caplog):
    caplog.set_level(logging.WARNING)
    browse(lin).get("/nothing/")
    lines = [each for each in caplog.records if "/nothing/" in each.getMessage()]
    assert len(lines) == 1, [each.getMessage() for each in lines]
