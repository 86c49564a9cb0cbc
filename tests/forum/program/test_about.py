"""The page About: what this is, who runs it, which program and which engines."""

from importlib import metadata

import pytest

from generation import queue

pytestmark = pytest.mark.django_db


def page(client, **headers: str) -> str:
    answer = client.get("/about/", headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_names_version_licence_and_every_engine(browse):
    said = page(browse())
    assert metadata.version("gegenbild") in said and "Apache License 2.0" in said
    for preset in queue.presets().values():
        assert preset.titles["en"] in said and preset.licence in said


@pytest.mark.parametrize(
    ("contact", "link"),
    [("lin@example.org", "mailto:lin@example.org"), ("https://example.org/us",) * 2],
)
def test_it_says_how_to_reach_who_runs_it(browse, settings, contact, link):
    settings.FORUM_CONTACT = contact
    assert f'href="{link}"' in page(browse())


def test_without_an_address_it_says_so(browse):
    assert "has not named an address" in page(browse())


def test_the_source_is_where_the_operator_says(browse, settings):
    assert "The source of what runs here" not in page(browse())
    settings.FORUM_SOURCE_URL = "https://example.org/code"
    assert 'href="https://example.org/code"' in page(browse())


def test_the_foot_of_every_page_leads_there(browse):
    foot = browse().get("/").content.decode().partition("<footer")[2]
    assert 'href="/about/"' in foot and 'href="/about/#source"' in foot
