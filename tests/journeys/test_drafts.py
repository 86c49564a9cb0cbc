"""Editing by talking: turns, steps back, contact sheets, two windows, keys alone, and without scripts."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys.conftest import House, answer, listening, never_reloaded, press
from tests.journeys.test_pages import faults_of, wideness

MADE = 60_000
FIELD = "form.composer textarea"
STEPS = "#draft-steps li"


def draft_of(page: Page, place: str) -> None:
    """Go to the draft to an image, and hear of it."""
    page.goto(f"{place}draft/")
    listening(page)


def say(page: Page, prompt: str) -> None:
    """The next turn, by keys."""
    page.click(FIELD)
    page.keyboard.type(prompt)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".turn .saying").first).to_have_text(f"“{prompt}”")


def test_three_turns_two_back_and_another(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    page = somebody("lin")
    place = post(page, "To talk about")
    draft_of(page, place)
    other = page.context.new_page()
    other.troubles = []  # type: ignore[attr-defined]
    draft_of(other, place)
    same, same_there = never_reloaded(page), never_reloaded(other)
    for number, prompt in enumerate(("make it night", "in sepia", "as a pencil drawing"), 2):
        say(page, prompt)
        expect(page.locator(STEPS)).to_have_count(number, timeout=MADE)
        # Who talks by keyboard goes on typing, and the second window follows.
        expect(page.locator(FIELD)).to_be_focused()
        expect(page.locator(FIELD)).to_have_value("")
        expect(other.locator(STEPS)).to_have_count(number, timeout=MADE)
    expect(page.locator("#polite")).to_have_text("A picture has come out.")

    page.keyboard.press("Escape")
    for left in (3, 2):
        page.keyboard.press("z")
        expect(page.locator(STEPS)).to_have_count(left)
    expect(other.locator(STEPS)).to_have_count(2)
    say(other, "with heavy rain")
    expect(page.locator(STEPS)).to_have_count(3, timeout=MADE)
    expect(page.locator(".turn").first).to_contain_text("edits the step “make it night”")
    assert same() and same_there()

    # Away and back: nothing is lost, and nobody else has seen any of it.
    page.goto(place)
    expect(page.locator(".reply")).to_have_count(0)
    page.click("a:has-text('try it in private first')")
    expect(page.locator(STEPS)).to_have_count(3)
    press(page, "#draft-stage button.go")
    expect(page.locator(".reply").first).to_contain_text("make it night → with heavy rain")
    expect(page.locator(".reply a.pic img").first).to_be_visible(timeout=MADE)


def test_a_contact_sheet(
    house: House, somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    """What waits says its place; two of four are published, the rest is thrown away."""
    page = somebody("lin")
    place = post(page, "Four of it")
    draft_of(page, place)
    page.select_option("select[name=candidates]", "4")
    expect(page.locator(".cost")).to_contain_text(re.compile(r"takes 4 of the \d+ left this hour"))
    house.manage("shell", "-c", "from generation import queue; queue.pause('darkroom')")
    try:
        say(page, "snow at night")
        takes = page.locator(".take")
        expect(takes).to_have_count(4)
        expect(takes.nth(3)).to_contain_text("the operator lets this engine rest")
    finally:
        house.manage("shell", "-c", "from generation import queue; queue.resume('darkroom')")
    expect(page.locator(".take:not(.forming) .choose img")).to_have_count(4, timeout=MADE)

    # A comparison that somebody is at is left alone while other things move.
    takes.nth(1).locator(".choose").click()
    stage = page.locator(".stage.compare.on")
    expect(stage).to_be_visible()
    page.focus(".stage input[type=range]")
    page.keyboard.press("Home")
    cut = "one => one.style.getPropertyValue('--cut')"
    assert stage.evaluate(cut) == "0%"
    page.select_option("select[name=candidates]", "1")
    say(page, "in sepia")
    assert stage.evaluate(cut) == "0%"
    expect(page.locator(STEPS)).to_have_count(3, timeout=MADE)

    for number in (2, 3):
        page.locator(".turn").nth(1).locator(".take").nth(number).locator(".row button").click()
        page.wait_for_url(re.compile(r"#reply-\d+$"))
        draft_of(page, place)
    expect(page.locator(".take a:has-text('In the thread')")).to_have_count(2)
    page.click("#draft-leave summary")
    press(page, "#draft-leave button")
    expect(page.locator(".notice")).to_contain_text("The draft was thrown away.")
    expect(page.locator(".reply a.pic img")).to_have_count(2, timeout=MADE)
    draft_of(page, place)
    expect(page.locator("#draft-turns")).to_contain_text("Nothing yet.")


def test_chips_and_costs_in_a_draft(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    """The composer of a draft reads prompts as that of an answer does."""
    place = post(somebody("lin"), "Read in private")
    page = somebody("ada")
    draft_of(page, place)
    expect(page.locator(".cost")).to_contain_text("engine under Apache-2.0")
    page.fill(FIELD, "a dragon in the snow at night")
    expect(page.locator(".part")).to_have_count(2)
    expect(page.locator(".understood .unknown")).to_have_text("dragon")
    page.click(".part button[value='off:0']")
    expect(page.locator(".part.off")).to_have_count(1)
    page.click("form.composer button.go")
    expect(page.locator(".take .choose img")).to_be_visible(timeout=MADE)

    plain = somebody("nell", java_script_enabled=False)
    plain.goto(f"{place}draft/")
    expect(plain.locator(".cost")).to_contain_text("left this hour")
    plain.fill(FIELD, "snow at night")
    press(plain, "form.composer button:has-text('Read it')")
    expect(plain.locator(".part")).to_have_count(2)
    press(plain, ".part button[value='off:1']")
    expect(plain.locator(".part.off")).to_have_count(1)
    press(plain, "form.composer button.go")
    expect(plain.locator(".turn .saying")).to_have_text("“snow at night”")


def test_the_cost_is_said_anew_and_the_easel_follows(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    """A fresh composer speaks of the moment: what forms ends, and the next turn edits another step."""
    place = post(somebody("lin"), "Said anew")
    page = somebody("ada")
    draft_of(page, place)
    page.click(".masking > summary")
    expect(page.locator(".board img")).to_have_attribute("src", re.compile("/files/display"))
    page.fill(FIELD, "impressionist")
    expect(page.locator(".part")).to_have_count(1)
    page.click("form.composer button.go")
    expect(page.locator(".take .choose img")).to_be_visible(timeout=MADE)
    expect(page.locator(".cost")).to_contain_text("It would be next")
    step = page.locator("#draft-stage img.later").get_attribute("src") or ""
    assert "/takes/" in step
    page.click(".masking > summary")
    expect(page.locator(".board img")).to_have_attribute("src", re.compile(step))
    # A step of another shape is edited whole.
    page.fill(FIELD, "rotate left")
    expect(page.locator(".part")).to_have_count(1)
    page.click("form.composer button.go")
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator("#draft-stage img.later")).not_to_have_attribute("src", step, timeout=MADE)
    expect(page.locator(".masking")).to_be_hidden()


def test_the_console_stays_clean(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    """A field that was made larger by hand carries a style, which must not be written into the next."""
    page = somebody("lin")
    post(page, "A larger field")
    field = page.locator(FIELD)
    field.scroll_into_view_if_needed()
    box = field.bounding_box()
    assert box is not None
    corner = box["x"] + box["width"] - 4, box["y"] + box["height"] - 4
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0], corner[1] + 60, steps=4)
    page.mouse.up()
    assert "height" in (field.get_attribute("style") or "")
    answer(page, "make it night")
    # And one that a script set and took back is there and empty.
    field.evaluate("one => { one.style.height = '9rem'; one.style.height = ''; }")
    assert field.get_attribute("style") == ""
    answer(page, "in sepia")
    assert page.troubles == []  # type: ignore[attr-defined]


#: Scroll half a composer past the point where it floats, and count how often it changes its mind.
FLOAT = """() => new Promise(done => {
    const form = document.querySelector("form.composer"), room = document.createElement("div");
    room.style.height = "300vh";
    document.querySelector("main").append(room);
    let turns = 0;
    new MutationObserver(() => { turns += 1; }).observe(form, { attributeFilter: ["class"] });
    scrollTo(0, scrollY + form.getBoundingClientRect().top + 1.5 * form.offsetHeight);
    setTimeout(() => done([turns, form.classList.contains("afloat")]), 800);
})"""


def test_the_composer_floats_once(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    place = post(somebody("lin"), "Scrolled away")
    page = somebody("ada", viewport={"width": 390, "height": 740})
    for address in (place, f"{place}draft/"):
        page.goto(address)
        listening(page)
        turns, afloat = page.evaluate(FLOAT)
        assert afloat and turns == 1, (address, turns)


def test_the_page_of_a_draft_holds_on_every_size(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    place = post(somebody("lin"), "On every size")
    looks = (
        {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light", "locale": "en"},
        {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark", "locale": "zh-CN"},
    )
    for look in looks:
        page = somebody("ada", **look)
        draft_of(page, place)
        page.fill(FIELD, "snow at night")
        expect(page.locator(".part")).to_have_count(2)
        assert faults_of(page) == []
        assert wideness(page) == ""
        page.click("form.composer button.go")
        expect(page.locator(".take:not(.forming) .choose img").first).to_be_visible(timeout=MADE)
        page.click("#draft-leave summary")
        assert faults_of(page) == []
        assert wideness(page) == ""
