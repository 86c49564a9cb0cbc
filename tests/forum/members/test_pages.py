"""Signing up and in, settings, tokens, invitations, roles."""

from datetime import timedelta

import pytest
from django.utils import timezone

from forum.members.actions import invite
from forum.members.models import Invitation, Member, Token

pytestmark = pytest.mark.django_db

NEW = {"username": "nora", "password1": "quite a long one 9", "password2": "quite a long one 9"}


def test_sign_up_by_name_alone(browse):
    answer = browse().post("/account/signup/", NEW)
    assert answer.status_code == 302
    member = Member.objects.get(username="nora")
    assert (member.email, member.role) == ("", "member")


@pytest.mark.parametrize("name", ["lin", "LIN", "a b", "x" * 41, "a\0b", ""])
def test_names_that_cannot_be(browse, lin, name):
    answer = browse().post("/account/signup/", {**NEW, "username": name})
    assert answer.status_code == 200
    assert Member.objects.count() == 1
    assert b"errorlist" in answer.content


def test_a_closed_house_takes_nobody(browse, settings):
    settings.SIGNUP_MODE = "closed"
    browse().post("/account/signup/", NEW)
    assert not Member.objects.exists()


def test_an_invitation_lets_as_many_in_as_it_says(browse, moderator, settings):
    settings.SIGNUP_MODE = "invite"
    code = invite(by=moderator, uses=1).code
    assert browse().post("/account/signup/", NEW).status_code == 200
    assert browse().post("/account/signup/", {**NEW, "code": "wrong"}).status_code == 200
    assert (
        browse().post("/account/signup/", {**NEW, "code": f" {code.upper()} "}).status_code == 302
    )
    again = browse().post("/account/signup/", {**NEW, "username": "otto", "code": code})
    assert again.status_code == 200
    assert Invitation.objects.get().uses_left == 0
    assert set(Member.objects.values_list("username", flat=True)) == {"moss", "nora"}


def test_a_taken_name_does_not_use_the_code_up(browse, moderator, lin, settings):
    settings.SIGNUP_MODE = "invite"
    code = invite(by=moderator, uses=1).code
    browse().post("/account/signup/", {**NEW, "username": "Lin", "code": code})
    assert Invitation.objects.get().uses_left == 1


def test_an_old_invitation_lets_nobody_in(browse, moderator, settings):
    settings.SIGNUP_MODE = "invite"
    code = invite(by=moderator).code
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    browse().post("/account/signup/", {**NEW, "code": code})
    assert Member.objects.count() == 1


def test_new_accounts_from_one_address_are_counted(browse, settings):
    settings.FORUM_SIGNUPS_PER_HALF_HOUR = 1
    browse().post("/account/signup/", NEW)
    answer = browse().post("/account/signup/", {**NEW, "username": "otto"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 60


def sign_in(client, password="open sesame 7"):
    return client.post("/account/login/", {"login": "lin", "password": password})


def test_signing_in(browse, lin):
    assert sign_in(browse()).status_code == 302
    assert sign_in(browse(), "wrong").status_code == 200


def test_wrong_passwords_are_counted_and_right_ones_are_not(browse, lin, settings):
    settings.FORUM_LOGIN_FAILURES = 3
    for _ in range(6):
        assert sign_in(browse()).status_code == 302
    for _ in range(3):
        sign_in(browse(), "wrong")
    assert sign_in(browse()).status_code == 200  # even the right one, until the window is over


def test_settings_are_kept(browse, lin):
    client = browse(lin)
    words = {"name": "Lin Wei", "about": "Rivers.", "language": "zh-hans", "theme": "dark"}
    assert client.post("/settings/", words).status_code == 302
    lin.refresh_from_db()
    assert (lin.name, lin.theme, lin.keys) == ("Lin Wei", "dark", False)
    assert client.cookies["django_language"].value == "zh-hans"
    assert 'lang="zh-hans"' in client.get("/settings/").content.decode()


@pytest.mark.parametrize("words", [{"name": "x" * 61}, {"about": "x" * 1001}, {"language": "xx"}])
def test_settings_that_cannot_be_stand_beside_their_field(browse, lin, words):
    answer = browse(lin).post("/settings/", words)
    assert answer.status_code == 422
    assert b"errorlist" in answer.content
    lin.refresh_from_db()
    assert lin.name == "Lin"


def test_a_token_is_shown_once(browse, lin):
    client = browse(lin)
    page = client.post("/settings/tokens/", {"name": "laptop"}).content.decode()
    assert "gb_" in page
    assert Token.objects.get().hint in client.get("/settings/tokens/").content.decode()
    client.post(f"/settings/tokens/{Token.objects.get().pk}/delete/")
    assert not Token.objects.exists()


def test_only_the_owner_appoints(browse, owner, moderator, lin):
    assert browse(moderator).post("/members/lin/role/", {"role": "moderator"}).status_code == 403
    assert browse(owner).post("/members/lin/role/", {"role": "moderator"}).status_code == 302
    lin.refresh_from_db()
    assert lin.is_moderator
    assert browse(owner).post("/members/olga/role/", {"role": "member"}).status_code == 403


def test_hostile_words_are_text(browse, lin):
    lin.name = lin.about = "<script>alert(1)</script>"
    lin.save()
    page = browse().get("/members/lin/").content.decode()
    assert "<script>alert" not in page


def test_every_page_carries_the_headers(browse, lin, settings):
    for client, path in [
        (browse(), "/nowhere/"),
        (browse(lin), "/settings/"),
        (browse(), "/"),
        (browse(), "/static/js/site.js"),
    ]:
        answer = client.get(path)
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert "camera=()" in answer.headers["Permissions-Policy"]
    assert browse(lin).get("/settings/").headers["Cache-Control"] == "private, no-store"


def test_pages_are_paced_by_address(browse, settings):
    settings.FORUM_PAGES_PER_MINUTE = 2
    client = browse()
    found = [client.get("/boards/") for _ in range(3)]
    assert [each.status_code for each in found] == [200, 200, 429]
    assert 1 <= int(found[2].headers["Retry-After"]) <= 60
