"""Two browsers at once: one answers, the other sees the answer come into being."""

import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageEnhance
from playwright.sync_api import Page, expect

from tests.journeys.conftest import answer, listening, never_reloaded

CHINESE = "像一幅印象派的画，暖色调"
#: Milliseconds within which an answer of the darkroom has come into being on a busy machine.
MADE = 45_000


def closer(photograph: Path, folder: Path) -> Path:
    """The middle of a photograph in other light: alike, but not the same."""
    with Image.open(photograph) as whole:
        width, height = whole.size
        middle = whole.crop((width // 8, height // 8, width - width // 8, height - height // 8))
    made = folder / "closer.jpg"
    ImageEnhance.Brightness(middle).enhance(1.2).save(made, quality=90)
    return made


def remember_states(page: Page) -> None:
    """Let the page keep what it shows of its replies, one state after the other."""
    page.evaluate(
        """() => {
            window.states = [];
            const look = () => document.querySelectorAll("#answers .sheet > li").forEach(one => {
                const words = [one.className];
                if (one.querySelector("progress")) words.push("at-work");
                if (one.querySelector(".frames img")) words.push("frames");
                window.states.push(words.join(" "));
            });
            new MutationObserver(look).observe(
                document.body, { childList: true, subtree: true, attributes: true });
        }"""
    )


def states(page: Page) -> str:
    """All that was shown since, once each."""
    seen: list[str] = page.evaluate("() => [...new Set(window.states)]")
    return "\n".join(seen)


def test_a_dialogue_of_two(
    somebody: Callable[..., Page],
    post: Callable[..., str],
    shot: Callable[[Page, str], None],
    photograph: Path,
    tmp_path: Path,
) -> None:
    lin, ada = somebody("lin"), somebody("ada")
    post(ada, "Before dawn", closer(photograph, tmp_path))
    place = post(lin, "Leaving")
    expect(lin.locator("#answers .when-empty")).to_be_visible()
    # The other picture is found by itself, and the page is told.
    expect(lin.locator("#resonances")).to_contain_text("Before dawn", timeout=MADE)
    ada.goto(place)
    listening(ada)
    same_document = never_reloaded(ada)

    remember_states(ada)
    mine = answer(lin, "make it night, with snow")
    expect(lin.locator("form.composer textarea")).to_have_value("")
    theirs = ada.locator("#answers .sheet > li").first
    expect(theirs).to_contain_text("make it night, with snow")
    expect(theirs.locator("a.pic img")).to_be_visible(timeout=MADE)
    assert same_document()
    assert "forming" in states(ada)
    expect(mine).to_be_in_viewport()
    expect(mine.locator("a.pic img")).to_be_visible(timeout=MADE)
    expect(lin.locator("form.composer [data-sent]")).to_have_text("It has come into being.")
    assert theirs.locator("a.pic img").evaluate("one => one.decode().then(() => one.naturalWidth)")
    expect(ada.locator("#answers .sheet > li")).to_have_count(1)
    expect(ada.locator("#polite")).to_contain_text("arrived")
    ada.locator("#answers").scroll_into_view_if_needed()
    shot(ada, "answered")

    # Ada answers the answer, in Chinese; Lin, who stands on that page, sees it.
    theirs.locator("a.pic").click()
    ada.wait_for_url(re.compile(r"/images/\d+/$"))
    assert ada.url != place
    lin.goto(ada.url)
    listening(lin)
    stays = never_reloaded(lin)
    ada.fill("form.composer textarea", CHINESE)
    expect(ada.locator(".understood em").first).to_be_visible()
    ada.evaluate("() => document.querySelector('form.composer').scrollIntoView({ block: 'end' })")
    shot(ada, "composer")
    again = answer(ada, CHINESE)
    hers = lin.locator("#answers .sheet > li").first
    expect(hers).to_contain_text("印象派")
    expect(hers.locator("a.pic img")).to_be_visible(timeout=MADE)
    assert stays()
    expect(hers.locator("p[lang^=zh]")).to_be_visible()
    expect(again.locator("a.pic img")).to_be_visible(timeout=MADE)

    # Its page: three frames of lineage, compared with its parent, a recipe, resonances.
    again.locator("a.pic").click()
    expect(ada.locator(".lineage li")).to_have_count(3)
    expect(ada.locator("h1.said")).to_contain_text("印象派")
    expect(ada.locator(".stage.compare.on")).to_be_visible()
    expect(ada.locator("#resonances")).not_to_contain_text("Look for images that resonate")
    ada.click("#recipe summary")
    expect(ada.locator("#recipe dl")).to_contain_text("darkroom")
    ada.click("#recipe summary")
    ada.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    shot(ada, "image")
    ada.click("#lineage-title a")
    expect(ada.locator(".lineage-map image")).to_have_count(3)
    shot(ada, "lineage")


def test_a_prompt_that_it_cannot_read(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    lin = somebody("lin")
    post(lin, "Unread")
    lin.fill("form.composer textarea", "a dragon")
    offers = lin.locator(".understood button.tag")
    expect(offers.first).to_be_visible()
    lin.click("form.composer button.go")
    expect(lin.locator("textarea[aria-invalid=true]")).to_be_visible()
    expect(lin.locator("form.composer textarea")).to_have_value("a dragon")
    expect(lin.locator("#answers .sheet > li")).to_have_count(0)
    # An offer is one press away and is understood.
    offers.first.click()
    assert lin.input_value("form.composer textarea").startswith("a dragon, ")
    expect(lin.locator(".understood em").first).to_be_visible()


def test_stop_and_try_again(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin, ada = somebody("lin"), somebody("ada")
    place = post(lin, "Second thoughts")
    ada.goto(place)
    listening(ada)
    listening(lin)
    remember_states(ada)
    # A row of prompts: whatever is at the end of it waits long enough to be stopped.
    for prompt in ("oil painting", "impressionist painting", "pencil sketch", "watercolour"):
        last = answer(lin, prompt)
    last.get_by_role("button", name="Stop").click()
    expect(last).to_contain_text("stopped")
    hers = ada.locator(f"#{last.get_attribute('id')}")
    expect(hers).to_contain_text("stopped")
    # Only its author is offered another try.
    expect(hers.get_by_role("button", name="Try again")).to_be_hidden()
    last.get_by_role("button", name="Try again").click()
    expect(last.locator("a.pic img")).to_be_visible(timeout=2 * MADE)
    expect(hers.locator("a.pic img")).to_be_visible(timeout=MADE)
    # So many pictures take seconds, and the others see them form step by step.
    assert "at-work" in states(ada) and "frames" in states(ada), states(ada)


def test_a_double_click_makes_one_reply(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    lin = somebody("lin")
    post(lin, "Twice")
    lin.fill("form.composer textarea", "sepia")
    lin.dblclick("form.composer button.go")
    expect(lin.locator("#answers .sheet > li a.pic img")).to_be_visible(timeout=MADE)
    lin.reload()
    expect(lin.locator("#answers .sheet > li")).to_have_count(1)
