"""manage.py doctor and manage.py owner."""

import json
import re
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from forum.members.models import Member, Role
from forum.running import doctor

pytestmark = pytest.mark.django_db


def run(name: str, *words: str) -> tuple[int, str]:
    out, code = StringIO(), 0
    try:
        call_command(name, *words, stdout=out)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue()


def finding(part: str) -> doctor.Finding:
    return next(found for found in doctor.examine() if found.part == part)


def test_one_line_for_each_part_and_a_hint_where_it_fails() -> None:
    code, text = run("doctor")
    assert code == 1  # no worker runs beside the tests
    assert re.search(r"^OK +database +PostgreSQL \d+.*pgvector 0\.\d", text, re.M)
    assert re.search(r"^FAIL +workers .*\n +→ Start one", text, re.M)
    assert len(re.findall(r"^(?:OK|FAIL) ", text, re.M)) == len(doctor.PARTS)


def test_json_says_the_same() -> None:
    code, text = run("doctor", "--json")
    found = {each["part"]: each for each in json.loads(text)}
    assert code == 1
    assert list(found) == list(doctor.PARTS)
    assert found["migrations"]["well"] is True
    assert found["workers"]["hint"]


def test_without_a_database_it_still_speaks_of_the_rest(settings: Any, tmp_path: Any) -> None:
    settings.DATABASE_URL = f"postgres://x@/x?host={tmp_path}"
    found = {each.part: each for each in doctor.examine()}
    assert not found["database"].well
    assert found["database"].hint
    assert found["bus"].text == "unknown without the database"
    assert found["storage"].well


def test_the_storage_is_tried_and_left_as_it_was(settings: Any) -> None:
    assert finding("storage").well
    assert not (settings.MEDIA_ROOT / "doctor").exists()
    settings.FORUM_FREE_MB = 10**9
    assert not finding("storage").well


def test_a_default_preset_that_is_none_is_found(settings: Any) -> None:
    settings.FORUM_DEFAULT_PRESET = "dream"
    assert "dream" in finding("engines").hint


def test_a_short_key_is_found(settings: Any) -> None:
    settings.SECRET_KEY = "abc"
    assert not finding("secret key").well


def test_a_word_on_the_bus_is_heard() -> None:
    assert finding("bus").text == "NOTIFY arrives"


def test_the_owner_is_made_once_with_a_password_of_its_own(monkeypatch: Any) -> None:
    monkeypatch.delenv("FORUM_OWNER", raising=False)
    _, text = run("owner")
    owner = Member.objects.get(role=Role.OWNER)
    password = re.search(r"password +(\S+)", text)
    assert password is not None
    assert owner.username == "owner"
    assert owner.check_password(password[1])
    _, again = run("owner")
    assert "Shown this once" not in again
    assert password[1] not in again
    assert Member.objects.filter(role=Role.OWNER).count() == 1


@pytest.mark.parametrize("name", ["no spaces", "x" * 41])
def test_an_owners_name_that_cannot_be_is_one_line(monkeypatch: Any, name: str) -> None:
    monkeypatch.setenv("FORUM_OWNER", name)
    with pytest.raises(CommandError, match="FORUM_OWNER") as caught:
        call_command("owner", stdout=StringIO())
    assert caught.value.returncode == 2
    assert not Member.objects.exists()


def test_a_members_name_is_not_taken_for_the_owner(monkeypatch: Any) -> None:
    Member.objects.create_user(username="Lin", password="a long one")
    monkeypatch.setenv("FORUM_OWNER", "lin")
    with pytest.raises(CommandError, match="FORUM_OWNER"):
        call_command("owner", stdout=StringIO())
    assert not Member.objects.filter(role=Role.OWNER).exists()
