"""Names that can be told apart."""

import pytest
from django.core.exceptions import ValidationError

from forum.members.models import Member
from forum.members.names import is_mixed, likeness, shown_name, user_name
from tests.conftest import a_member

pytestmark = pytest.mark.django_db

PASSWORD = {"password1": "quite a long one 9", "password2": "quite a long one 9"}


@pytest.mark.parametrize(
    "name",
    [
        "lin",
        "Lin_7",
        "李雷",
        "lin李",
        "Вера",
        "Ελένη",
        "さくら",
        "サクラlin",
        "민준",
        "lin민준",
        "ليلى",
        "é.a-b+c",
    ]
    + ["ㄅ李", "नेहा".replace("े", ""), "々木", "スー"],
)
def test_names_of_one_script_and_east_asian_beside_latin(name):
    assert not is_mixed(name)
    assert user_name(name)


@pytest.mark.parametrize("name", ["lіn", "аda", "Lιn", "李Вера", "ليnl", "Вeра", "민さ", "ㄅさ"])
def test_mixed_scripts_are_refused(name):
    with pytest.raises(ValidationError) as refusal:
        user_name(name)
    assert refusal.value.code == "mixed_scripts"


@pytest.mark.parametrize(
    ("there", "new"), [("cop", "сор"), ("Вера", "Bepa"), ("οτο", "oto"), ("САХ", "cax")]
)
def test_a_whole_name_in_another_script_that_looks_the_same(there, new):
    a_member(there)
    with pytest.raises(ValidationError) as refusal:
        user_name(new)
    assert refusal.value.code == "looks_taken"
    assert likeness(there) == likeness(new)


def test_a_name_that_is_alike_to_nobodys_is_taken():
    a_member("cop")
    assert user_name("Сорока") == "Сорока"


def test_fullwidth_letters_are_the_same_name(browse):
    answer = browse().post("/account/signup/", {"username": "Ｌｉｎ", **PASSWORD})
    assert answer.status_code == 302 and Member.objects.get().username == "Lin"


def test_whoever_signs_up_is_told_beside_the_field(browse):
    answer = browse().post("/account/signup/", {"username": "аda", **PASSWORD})
    assert answer.status_code == 200 and not Member.objects.exists()
    assert "different scripts" in answer.content.decode().partition("errorlist")[2]


@pytest.mark.parametrize("name", ["Аda", "Lin\u200b", "Lin\u202enil", "Li\u00adn"])
def test_a_shown_name_keeps_to_the_same(browse, lin, name):
    words = {"name": name, "about": "", "language": "", "theme": ""}
    answer = browse(lin).post("/settings/", words)
    assert answer.status_code in {200, 422}
    assert Member.objects.get(pk=lin.pk).name == "Lin"


@pytest.mark.parametrize("name", ["", "Anna Иванова", "李雷 (Lin)", "O’Brien", "Zoë"])
def test_words_of_a_shown_name_are_judged_one_by_one(name):
    assert shown_name(name) == name


def test_messages_speak_calmly(browse, lin):
    client = browse()
    page = client.post(
        "/account/login/", {"login": "lin", "password": "open sesame 7"}, follow=True
    ).content.decode()
    assert "You are signed in as Lin." in page and "Successfully" not in page
    page = client.post("/account/logout/", follow=True).content.decode()
    assert "You are signed out." in page
    page = client.post("/account/login/", {"login": "lin", "password": "no"}).content.decode()
    assert "do not belong together" in page


def test_a_new_password_is_told_calmly(browse, lin):
    words = {"oldpassword": "open sesame 7", **PASSWORD}
    client = browse()
    client.post("/account/login/", {"login": "lin", "password": "open sesame 7"})
    page = client.post("/account/password/", words, follow=True).content.decode()
    assert "The new password holds from now on." in page and "uccessful" not in page
