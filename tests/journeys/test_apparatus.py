"""What an image's apparatus shows of it: its recipe, made again, its coming into being, its film."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys.conftest import answer, listening, never_reloaded
from tests.journeys.test_pages import faults_of, wideness

MADE = 60_000


def derivative(page: Page, post: Callable[..., str], prompt: str = "make it night") -> str:
    """Post a picture and answer it; the address of what came of it."""
    page.goto(post(page, "A shore"))
    reply = answer(page, prompt)
    link = reply.locator("a.pic")
    link.wait_for(timeout=MADE)
    return str(link.get_attribute("href"))


def open_recipe(page: Page) -> None:
    """Open the recipe and look down to where reruns are fetched."""
    page.click("#recipe > summary")
    page.locator("#reruns").scroll_into_view_if_needed()
    expect(page.locator("#reruns-title")).to_be_visible()


def test_run_again_is_seen_live_by_all_who_look(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    ada, ben = somebody("ada"), somebody("ben")
    address = derivative(ada, post)
    for page in (ada, ben):
        page.goto(address)
        listening(page)
        open_recipe(page)
        expect(page.locator("#reruns")).to_contain_text("Nobody has run it again yet.")
    same = never_reloaded(ben)
    ada.click("#reruns button")
    expect(ben.locator("#reruns .rerun")).to_have_count(1, timeout=MADE)
    for page in (ada, ben):
        verdict = page.locator("#reruns .verdict")
        expect(verdict).to_have_text("identical", timeout=MADE)
        expect(page.locator("#reruns")).to_contain_text("every pixel is equal")
    assert same()

    # The operation in the recipe leads to the page that explains it, and from there to the composer.
    ada.click("#recipe .steps a")
    expect(ada.locator("h1")).to_have_text("Night")
    expect(ada.locator("pre.code").first).to_contain_text("def night(")
    ada.click(".own a >> nth=0")
    expect(ada.locator("form.composer textarea")).to_have_value("at night")


#: Whether a card that showed frames ever became a blur again, looked at before every painting.
FELL_BACK = """() => {
    window.frames_seen = 0; window.fell_back = false;
    const look = () => {
        const item = document.querySelector("[data-item][aria-busy]");
        if (item?.querySelector("img[src*='/frame?']")) window.frames_seen += 1;
        else if (window.frames_seen && item?.querySelector(".undeveloped:not(.seen)")) window.fell_back = true;
        requestAnimationFrame(look);
    };
    look();
}"""


def test_what_was_seen_does_not_become_a_blur_again(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    """Frames are gone a moment before the picture is there, in a thread as in a draft."""
    page = somebody("ada")
    place = post(page, "No way back")
    listening(page)
    page.evaluate(FELL_BACK)
    reply = answer(page, "impressionist, then snow")
    expect(reply.locator("a.pic img")).to_be_visible(timeout=MADE)
    assert page.evaluate("() => [window.frames_seen > 0, window.fell_back]") == [True, False]
    page.goto(f"{place}draft/")
    listening(page)
    page.evaluate(FELL_BACK)
    page.fill("form.composer textarea", "impressionist, then snow")
    page.click("form.composer button.go")
    expect(page.locator(".take .choose img")).to_be_visible(timeout=MADE)
    assert page.evaluate("() => [window.frames_seen > 0, window.fell_back]") == [True, False]


def test_a_strip_is_gone_through_by_keys_and_played(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    page = somebody("ada")
    page.goto(derivative(page, post))
    page.click("#frames summary")
    count = page.locator("#frames ol.frames li").count()
    assert count >= 7
    ruler = page.locator("#frames input[type=range]")
    ruler.focus()
    page.keyboard.press("Home")
    first = page.locator("#frames .view img").get_attribute("src")
    assert "/files/strip-0" in str(first)
    expect(page.locator("#frames figcaption")).to_contain_text("Night")
    page.keyboard.press("ArrowRight")
    assert "/files/strip-1" in str(page.locator("#frames .view img").get_attribute("src"))
    page.locator("#frames ol.frames li a").nth(3).click()
    assert ruler.input_value() == "3"
    page.click("#frames button")
    expect(page.locator("#frames button")).to_have_text("Pause")
    expect(page.locator("#frames figcaption")).to_have_text("finished", timeout=8000)
    expect(page.locator("#frames button")).to_have_text("Play")


def test_without_scripts_frames_are_links_and_runs_are_forms(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    address = derivative(somebody("ada"), post)
    page = somebody("ada", java_script_enabled=False)
    page.goto(address)
    page.click("#frames summary")
    expect(page.locator("#frames .view")).to_be_hidden()
    expect(page.locator("#frames ol.frames a").first).to_have_attribute(
        "href", re.compile("strip-0$")
    )
    page.click("#recipe summary")
    page.click("#reruns a")
    page.click("#reruns button")
    for _ in range(60):
        if page.locator("#reruns .verdict").count():
            break
        page.wait_for_timeout(500)
        page.reload()
    expect(page.locator("#reruns .verdict")).to_have_text("identical")


def test_a_film_is_made_shared_and_taken_back(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    ada = somebody("ada")
    address = derivative(ada, post)
    ada.goto(address)
    listening(ada)
    ada.click("#films-fold summary")
    expect(ada.locator("#films form.film-form")).to_be_visible()
    same = never_reloaded(ada)
    ada.click("#films form.film-form button")
    film = ada.locator("#films .film .moving img")
    expect(film).to_be_visible(timeout=MADE)
    assert same()
    ada.click("#films .film .moving button")
    expect(ada.locator("#films .film .moving button")).to_have_text("Play")

    ada.click("#films .film small a >> nth=0")
    expect(ada.locator("h1")).to_have_text("Film of a lineage")
    ada.click("button:has-text('Make a share link')")
    link = ada.locator(".secret").inner_text()
    visitor = somebody()
    visitor.goto(link)
    expect(visitor.locator(".moving img")).to_be_visible()
    assert visitor.evaluate("() => document.querySelector('.moving img').decode().then(() => true)")
    ada.click("button:has-text('Take the link back')")
    expect(ada.locator("button:has-text('Make a share link')")).to_be_visible()
    answered = visitor.goto(link)
    assert answered is not None and answered.status == 404


def test_calm_people_begin_with_a_still(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    ada = somebody("ada")
    address = derivative(ada, post)
    ada.goto(f"{address}films/")
    ada.click("form.film-form button")
    expect(ada.locator(".moving img")).to_be_visible(timeout=MADE)
    calm = somebody("ada", reduced_motion="reduce")
    calm.goto(f"{address}films/")
    expect(calm.locator(".moving button")).to_have_text("Play")
    assert "/files/display" in str(calm.locator(".moving img").get_attribute("src"))
    calm.click(".moving button")
    assert "/file" in str(calm.locator(".moving img").get_attribute("src"))


#: What a finger is to hit, and cannot: smaller than 24 px and nothing reaches past its edge.
MISSED = """() => [...document.querySelectorAll("main :is(a, button, select, summary, input)")]
    .filter(one => one.checkVisibility({ opacityProperty: true }) && !one.closest(".unseen"))
    .filter(one => {
        const box = one.getBoundingClientRect(), more = getComputedStyle(one, "::after");
        if (box.width < 2 || one.matches("label input")) return false;
        const high = Math.max(box.height, more.position === "absolute" ? parseFloat(more.height) || 0 : 0);
        return high < 23.5 || box.width < 23.5;
    }).map(one => `${one.tagName} ${one.className} ${one.textContent.trim().slice(0, 30)}`)"""


def test_fingers_hit_what_they_aim_at(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    ada = somebody("ada")
    address = derivative(ada, post, "snow at night, as a woodcut")
    page = somebody(
        "ada", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )  # fmt: skip
    page.goto(address)
    for fold in ("#frames", "#films-fold", ".masking"):
        page.tap(f"{fold} > summary")
    page.fill("form.composer textarea", "snow at night")
    expect(page.locator(".part")).to_have_count(2)
    open_recipe(page)
    assert page.evaluate(MISSED) == []
    for path in (
        "/program/", "/program/duotone/", f"{address}reruns/", f"{address}films/",
        f"{address}recipe/use/", f"{address}draft/",
    ):  # fmt: skip
        page.goto(path)
        assert page.evaluate(MISSED) == [], path
    page.goto(address)
    for deed in ("form.composer button.go", ".quietly a >> nth=0", ".masking > summary"):
        box = page.locator(deed).bounding_box()
        assert box is not None
        assert box["height"] >= 44 or deed.endswith("summary"), deed


def test_these_screens_hold_on_every_size_and_for_everybody(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    """axe finds nothing, nothing sticks out, on a phone at night as on a desk by day."""
    ada = somebody("ada")
    address = derivative(ada, post, "snow at night, as a woodcut")
    looks = (
        {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
        {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
    )
    for look in looks:
        page = somebody("ada", **look)
        page.goto(address)
        for fold in ("#frames", "#films-fold"):
            page.click(f"{fold} > summary")
        open_recipe(page)
        page.locator("#films").scroll_into_view_if_needed()
        expect(page.locator("#films form.film-form")).to_be_visible()
        assert faults_of(page) == []
        assert wideness(page) == ""
        for path in (
            "/program/", "/program/duotone/", "/program/resonances/", "/program/files/engine/",
            f"{address}reruns/", f"{address}films/", f"{address}recipe/use/",
        ):  # fmt: skip
            page.goto(path)
            assert faults_of(page) == [], path
            assert wideness(page) == "", path
