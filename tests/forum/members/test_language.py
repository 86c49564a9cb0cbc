"""The switch in the bar: one choice, kept on this machine and, for members, everywhere."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db

COOKIE = settings.LANGUAGE_COOKIE_NAME


def choose(client: Client, language: str, back: str = "/waiting/"):
    return client.post(reverse("set_language"), {"language": language, "next": back})


def spoken(client: Client) -> str:
    return client.get("/").headers["Content-Language"]


def test_a_visitor_reads_the_forum_in_the_chosen_language(client):
    assert spoken(client) == "en"
    answer = choose(client, "zh-hans")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/waiting/"
    assert "待回应" in client.get(answer.headers["Location"]).content.decode()
    choose(client, "en")
    assert spoken(client) == "en"


def test_a_members_choice_is_kept_for_other_machines(client, lin):
    client.force_login(lin)
    choose(client, "zh-hans")
    lin.refresh_from_db()
    assert lin.language == "zh-hans"
    elsewhere = Client()
    elsewhere.force_login(lin)
    assert COOKIE not in elsewhere.cookies
    assert spoken(elsewhere) == "zh-hans"


def test_a_member_can_change_their_mind(client, lin):
    lin.language = "zh-hans"
    lin.save()
    client.force_login(lin)
    assert spoken(client) == "zh-hans"
    choose(client, "en")
    assert spoken(client) == "en"
    lin.refresh_from_db()
    assert lin.language == "en"


@pytest.mark.parametrize("language", ["", "xx", "zh-hans\n", "../../en", "fr"])
def test_an_unknown_language_is_refused_and_nothing_kept(client, lin, language):
    client.force_login(lin)
    answer = choose(client, language)
    assert answer.status_code == 400
    assert COOKIE not in answer.cookies
    lin.refresh_from_db()
    assert lin.language == ""


@pytest.mark.parametrize(
    "back", ["", "https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"]
)
def test_nobody_is_sent_to_a_stranger(client, back):
    assert choose(client, "zh-hans", back).headers["Location"] == reverse("stream")


def test_the_switch_needs_the_forms_token():
    strict = Client(enforce_csrf_checks=True)
    assert choose(strict, "zh-hans").status_code == 403


def test_the_bar_sends_people_back_to_where_they_are(client):
    page = client.get("/boards/?page=2").content.decode()
    assert f'action="{reverse("set_language")}"' in page
    assert 'name="next" value="/boards/?page=2"' in page
