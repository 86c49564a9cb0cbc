"""Keys for the API: made on the command line and recognised."""

import io

import pytest
from django.core.management import CommandError, call_command

from forum.members import tokens
from forum.members.models import Token

pytestmark = pytest.mark.django_db


def printed(*args: str) -> str:
    out = io.StringIO()
    call_command("token", *args, stdout=out)
    return out.getvalue().strip()


def test_the_command_prints_a_token_that_opens(lin):
    secret = printed("lin", "--name", "laptop")
    assert tokens.member_of(secret) == lin
    assert Token.objects.get().name == "laptop"


def test_names_are_found_whatever_their_case(lin):
    assert tokens.member_of(printed("LIN")) == lin


def test_only_a_hash_is_kept(lin):
    secret = printed("lin")
    row = Token.objects.values().get()
    assert secret not in str(row)


@pytest.mark.parametrize("args", [["nobody"], ["lin", "--name", " "], ["lin", "--name", "x" * 61]])
def test_a_bad_call_ends_with_2_and_one_line(lin, args):
    with pytest.raises(CommandError) as refusal:
        printed(*args)
    assert refusal.value.returncode == 2
    assert "\n" not in str(refusal.value)
    assert not Token.objects.exists()


def test_a_member_holds_so_many_at_most(lin):
    for _ in range(tokens.MOST):
        printed("lin")
    with pytest.raises(CommandError):
        printed("lin")


@pytest.mark.parametrize("secret", ["", "gb_", "gb_wrong", "Bearer", "gb_é", "gb_" + "x" * 500])
def test_anything_else_opens_nothing(lin, secret):
    printed("lin")
    assert tokens.member_of(secret) is None


def test_a_banned_members_token_opens_nothing(lin):
    secret = printed("lin")
    lin.is_active = False
    lin.save()
    assert tokens.member_of(secret) is None


def test_the_last_use_is_noted_once_a_minute(lin, django_assert_num_queries):
    secret = printed("lin")
    tokens.member_of(secret)
    first = Token.objects.get().used_at
    assert first is not None
    tokens.member_of(secret)
    assert Token.objects.get().used_at == first
