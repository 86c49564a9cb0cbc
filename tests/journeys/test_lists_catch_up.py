"""Stream, board and waiting stay where they are, and catch up: after a lost line, a step back, a sleep."""

from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import House, answer, listening, never_reloaded
from tests.journeys.line import Line

MADE = 45_000
NEWS = "#new-threads a"


@pytest.fixture
def line(house: House) -> Iterator[Line]:
    """A line to the house that can be cut."""
    found = Line(house.port)
    yield found
    found.cut()


@pytest.mark.parametrize("path", ["/", "/boards/wall/", "/boards/wall/?view=threads"])
def test_after_a_lost_connection(
    somebody: Callable[..., Page], post: Callable[..., str], line: Line, path: str
) -> None:
    lin = somebody("lin")
    title = f"Cut off at {path}"
    place = post(lin, title)
    visitor = somebody(base_url=line.url)
    visitor.goto(path)
    listening(visitor)
    same_document = never_reloaded(visitor)
    shown = visitor.locator("[id^=thread-]").filter(has_text=title).first
    before = visitor.locator("[id^=thread-]").evaluate_all("all => all.map(each => each.id)")
    line.cut()
    expect(visitor.locator(".connection")).to_have_text("reconnecting", timeout=15_000)
    mine = answer(lin, "sepia")
    expect(mine.locator("a.pic img")).to_be_visible(timeout=MADE)
    post(lin, "While it was cut")
    expect(shown).to_contain_text("waiting for a first answer")

    line.mend()
    expect(shown.locator("a.pic.generated")).to_be_visible(timeout=MADE)
    expect(shown).not_to_contain_text("waiting for a first answer")
    expect(visitor.locator(NEWS)).to_have_text("1 new thread · show")
    # What is new waits behind the line: nothing that was shown has moved.
    after = visitor.locator("[id^=thread-]").evaluate_all("all => all.map(each => each.id)")
    assert after == before
    assert same_document()
    visitor.click(NEWS)
    expect(visitor.locator("main")).to_contain_text("While it was cut")
    assert urlsplit(place).path


def test_new_threads_are_counted(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin, visitor = somebody("lin"), somebody()
    post(lin, "The first")
    visitor.goto("/")
    listening(visitor)
    for n, said in enumerate(("1 new thread · show", "2 new threads · show")):
        post(lin, f"Another {n}")
        expect(visitor.locator(NEWS)).to_have_text(said)


def test_after_a_step_back(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin, visitor = somebody("lin"), somebody()
    post(lin, "Before the step")
    visitor.goto("/")
    listening(visitor)
    visitor.goto("/boards/")
    post(lin, "Meanwhile")
    visitor.go_back(wait_until="commit")
    expect(visitor.locator(NEWS)).to_have_text("1 new thread · show", timeout=15_000)


def test_waiting_says_what_waits_no_more(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    maker, lin, visitor = somebody("maker"), somebody("lin"), somebody()
    place = post(maker, "Who answers?")
    visitor.goto("/waiting/")
    listening(visitor)
    same_document = never_reloaded(visitor)
    number = urlsplit(place).path.strip("/").rpartition("/")[2]
    # One image of each member waits here, the longest waiting first.
    mark = visitor.locator("[id^=waits-]").first
    expect(mark).to_contain_text("waiting")
    waits = (mark.get_attribute("id") or "").rpartition("-")[2]
    lin.goto(f"/images/{waits}/")
    answer(lin, "sepia")
    expect(mark).to_contain_text("no longer waiting", timeout=15_000)
    assert same_document() and number


def test_readings_arrive_while_somebody_writes(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    lin, ada = somebody("lin"), somebody("ada")
    place = post(lin, "To be read")
    ada.goto(place)
    listening(ada)
    ada.click("#readings summary")
    ada.fill("#readings textarea", "I was about to")
    at = within_readings(ada)
    lin.click("#readings summary")
    lin.fill("#readings textarea", "A quiet valley.")
    lin.click("#readings form.form button.button")
    expect(ada.locator("#readings blockquote")).to_have_text("“A quiet valley.”")
    assert within_readings(ada) == at
    expect(ada.locator("#readings textarea")).to_have_value("I was about to")
    # It is Lin's to take back, and nobody else's.
    expect(ada.locator("#readings .for-author:visible")).to_have_count(0)
    lin.click("#readings li button")
    expect(ada.locator("#readings blockquote")).to_have_count(0)
    expect(ada.get_by_text("Nobody has read it yet.")).to_be_visible()


def test_what_the_thread_holds_is_counted_live(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    lin, ada = somebody("lin"), somebody("ada")
    place = post(lin, "To be counted")
    ada.goto(place)
    listening(ada)
    same_document = never_reloaded(ada)
    expect(ada.locator("#thread-size")).to_have_text("1 voice · 1 image · 0 replies")
    answer(lin, "sepia")
    said = "1 voice · 2 images · 1 reply"
    expect(ada.locator("#thread-size")).to_have_text(said, timeout=45_000)
    assert same_document()


def within_readings(page: Page) -> object:
    """Where one writes, seen from the section: resonances that are found above may move it whole."""
    return page.evaluate(
        """() => {
            const [at, from] = ["#readings textarea", "#readings"].map(
                name => document.querySelector(name).getBoundingClientRect());
            return [at.x - from.x, at.y - from.y, at.width, at.height].map(Math.round);
        }"""
    )


def test_without_scripts_only_the_own_can_be_stopped(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    lin = somebody("lin")
    place = post(lin, "Whose is it?")
    stopped = answer(lin, "oil painting")
    stopped.get_by_role("button", name="Stop").click()
    expect(stopped).to_contain_text("stopped")
    name = stopped.get_attribute("id")
    for who, seen in (("ada", 0), ("lin", 1)):
        page = somebody(who, java_script_enabled=False)
        page.goto(place)
        expect(page.locator(f"#{name}")).to_contain_text("stopped")
        expect(page.locator(f"#{name} button:visible")).to_have_count(seen)


def test_a_picture_that_was_said_before(
    somebody: Callable[..., Page], post: Callable[..., str], photograph: object
) -> None:
    lin, ada = somebody("lin"), somebody("ada")
    post(lin, "Said first")
    lin.reload()
    place = post(ada, "A question for it")
    ada.goto(f"{place}answer/upload/")
    ada.set_input_files("input[type=file]", str(photograph))
    said = ada.locator(".said-before")
    expect(said).to_contain_text("This has been said", timeout=15_000)
    # Other journeys posted the same photograph: any of them will do.
    choice = said.get_by_role("button", name="Answer with this one")
    with ada.expect_navigation():
        choice.first.click()
    expect(ada.locator("#answers .sheet > li")).to_contain_text("points here")
