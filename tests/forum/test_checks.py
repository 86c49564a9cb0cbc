"""A house that is wrongly set says so before it starts, with a hint."""

import pytest
from django.core.checks import run_checks

from forum.checks import CHOICES, NUMBERS, SHAPES


def found(code: str) -> list[str]:
    return [each.hint for each in run_checks() if each.id == code]


def test_as_shipped_nothing_is_wrong():
    assert [each for each in run_checks() if str(each.id).startswith("forum.")] == []


@pytest.mark.parametrize("name", CHOICES)
def test_a_word_that_is_none_of_the_few(settings, name):
    code, words = CHOICES[name]
    setattr(settings, name, "everybody")
    assert found(code) == [f"Use one of: {', '.join(words)}."]
    for word in words:
        setattr(settings, name, word)
        assert found(code) == []


@pytest.mark.parametrize(("name", "least"), NUMBERS.items())
def test_a_number_below_what_makes_sense(settings, name, least):
    setattr(settings, name, least - 1)
    assert found("forum.E003") == [f"Use a whole number, at least {least}."]
    setattr(settings, name, least)
    assert found("forum.E003") == []


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("FORUM_CONTACT", ("lin@example.org", "https://example.org/us"), ("lin", "javascript:x")),
        ("FORUM_SOURCE_URL", ("https://example.org/code",), ("example.org", "javascript:x()")),
        ("FORUM_X_ACCEL", ("/protected/",), ("protected/", "/protected")),
    ],
)
def test_an_address_of_another_form(settings, name, good, bad):
    code = SHAPES[name][0]
    for value in ("", *good):
        setattr(settings, name, value)
        assert found(code) == [], value
    for value in bad:
        setattr(settings, name, value)
        assert len(found(code)) == 1, value


def test_a_short_key_outside_development(settings):
    settings.SECRET_KEY = "k" * 31
    assert len(found("forum.E007")) == 1
    settings.DEBUG = True
    assert found("forum.E007") == []
    settings.DEBUG, settings.SECRET_KEY = False, "k" * 32
    assert found("forum.E007") == []


def test_a_preset_for_gpus_that_is_none(settings):
    settings.FORUM_DEFAULT_GPU_PRESET = "zz"
    assert "klein" in found("forum.E008")[0]
    settings.FORUM_DEFAULT_GPU_PRESET = ""
    assert found("forum.E008") == []


def test_every_check_has_an_id_of_its_own():
    codes = [code for code, _ in CHOICES.values()] + [code for code, *_ in SHAPES.values()]
    assert len({*codes, "forum.E003"}) == len(codes) + 1
