"""A thread's tree and the stream move while somebody looks at them."""

from collections.abc import Callable
from urllib.parse import urljoin

from playwright.sync_api import Page, expect

from tests.journeys.conftest import answer, listening, never_reloaded

MADE = 45_000


def test_a_tree_grows(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin, visitor = somebody("lin"), somebody()
    place = post(lin, "Growing")
    visitor.goto(urljoin(place, lin.locator(".in-thread a").get_attribute("href")))
    listening(visitor)
    same_document = never_reloaded(visitor)
    expect(visitor.get_by_text("No reply yet.")).to_be_visible()
    first = answer(lin, "sepia")
    leaf = visitor.locator(".tree > .level-0, .tree > .level-1").filter(has_text="sepia")
    expect(leaf.locator("a.pic img")).to_be_visible(timeout=MADE)
    expect(visitor.get_by_text("No reply yet.")).to_be_hidden()
    # Whoever only looks is offered nothing that is its author's.
    expect(visitor.locator(".for-author:visible")).to_have_count(0)

    first.locator("a.pic").click()
    expect(lin.locator("h1.said")).to_contain_text("sepia")
    answer(lin, "pencil sketch")
    deeper = visitor.locator(".tree > li").filter(has_text="pencil sketch")
    expect(deeper.locator("a.pic img")).to_be_visible(timeout=MADE)
    level = deeper.get_attribute("class")
    assert level != leaf.get_attribute("class"), level
    assert same_document()


def test_the_stream_moves(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin, visitor = somebody("lin"), somebody()
    post(lin, "In the stream")
    visitor.goto("/")
    listening(visitor)
    same_document = never_reloaded(visitor)
    card = visitor.locator(".card").filter(has_text="In the stream")
    expect(card).to_contain_text("waiting for a first answer")
    answer(lin, "sepia")
    expect(card.locator(".replies a.pic img")).to_be_visible(timeout=MADE)
    expect(card).not_to_contain_text("waiting for a first answer")
    expect(visitor.locator("#new-threads a")).to_be_hidden()
    post(lin, "Something new")
    expect(visitor.locator("#new-threads a")).to_be_visible()
    assert same_document()
    visitor.click("#new-threads a")
    expect(visitor.locator(".card").filter(has_text="Something new")).to_be_visible()


def test_what_forms_on_the_stream_ends_there(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    lin, visitor = somebody("lin"), somebody()
    post(lin, "Forming")
    for prompt in ("oil painting", "watercolour", "pencil sketch"):
        last = answer(lin, prompt)
    name = last.get_attribute("id")
    visitor.goto("/")
    card = visitor.locator(f".envisioning #{name}")
    expect(card).to_contain_text("pencil sketch")
    expect(last.locator("a.pic img")).to_be_visible(timeout=MADE)
    expect(visitor.locator(".envisioning .forming")).to_have_count(0, timeout=MADE)
