"""Whoever was away sees what came meanwhile: after a lost connection, a step back, a sleeping tab."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import House, answer, listening, never_reloaded
from tests.journeys.line import Line

MADE = 45_000
DONE = "#answers .sheet > li a.pic img"


@pytest.fixture
def line(house: House) -> Iterator[Line]:
    """A line to the house that can be cut."""
    found = Line(house.port)
    yield found
    found.cut()


def test_after_a_lost_connection(
    somebody: Callable[..., Page], post: Callable[..., str], line: Line
) -> None:
    lin = somebody("lin")
    place = post(lin, "Cut off")
    ada = somebody("ada", base_url=line.url)
    ada.goto(urlsplit(place).path)
    listening(ada)
    same_document = never_reloaded(ada)

    line.cut()
    expect(ada.locator(".connection")).to_have_text("reconnecting", timeout=15_000)
    mine = answer(lin, "sepia")
    expect(mine.locator("a.pic img")).to_be_visible(timeout=MADE)
    expect(ada.locator("#answers .sheet > li")).to_have_count(0)

    line.mend()
    theirs = ada.locator(DONE)
    expect(theirs).to_be_visible(timeout=MADE)
    expect(ada.locator(".connection")).to_have_count(0)
    assert same_document()
    # It listens again, too.
    answer(lin, "pencil sketch")
    expect(ada.locator("#answers .sheet > li")).to_have_count(2)


def test_after_a_step_back(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin, visitor = somebody("lin"), somebody()
    place = post(lin, "Back again")
    visitor.add_init_script(
        "addEventListener('pageshow', event => { window.woken = event.persisted; })"
    )
    visitor.goto(place)
    listening(visitor)
    visitor.goto("/boards/")
    mine = answer(lin, "sepia")
    expect(mine.locator("a.pic img")).to_be_visible(timeout=MADE)
    visitor.go_back(wait_until="commit")
    expect(visitor.locator(DONE)).to_be_visible(timeout=15_000)
    assert visitor.evaluate("() => window.woken"), "The page did not come from the cache."
    answer(lin, "pencil sketch")
    expect(visitor.locator("#answers .sheet > li")).to_have_count(2)


def test_after_a_sleep(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin, ada = somebody("lin"), somebody("ada")
    place = post(lin, "Asleep")
    ada.goto(place)
    listening(ada)
    same_document = never_reloaded(ada)
    hide(ada, True)
    ada.wait_for_function(
        "() => document.getElementById('wire')._htmx.ws.connection.socket.readyState === WebSocket.CLOSED"
    )
    mine = answer(lin, "sepia")
    expect(mine.locator("a.pic img")).to_be_visible(timeout=MADE)
    expect(ada.locator("#answers .sheet > li")).to_have_count(0)
    hide(ada, False)
    expect(ada.locator(DONE)).to_be_visible(timeout=15_000)
    expect(ada.locator(".connection")).to_have_count(0)
    assert same_document()


def hide(page: Page, away: bool) -> None:
    """Tell the page that its tab was covered, or came up again; Playwright keeps all tabs in sight."""
    page.evaluate(
        """away => {
            Object.defineProperty(document, "hidden", { configurable: true, get: () => away });
            document.dispatchEvent(new Event("visibilitychange"));
        }""",
        away,
    )
