"""Everything can be read, said and stopped without scripts."""

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.conftest import House, answer, press

#: How often somebody looks again before the darkroom must be done.
PATIENCE = 60


def submit(page: Page, prompt: str) -> str:
    """Send a prompt the plain way; gives the fragment that names the reply."""
    page.fill("form.composer textarea", prompt)
    press(page, "form.composer button.go")
    found = re.search(r"#(reply-\d+)$", page.url)
    assert found, page.inner_text("main")
    return found[1]


def test_the_main_job(somebody: Callable[..., Page], photograph: Path) -> None:
    page = somebody("nell", java_script_enabled=False)
    page.goto("/")
    press(page, ".bar .button:has-text('Post an image')")
    page.set_input_files("input[type=file]", photograph)
    page.fill("input[name=title]", "By hand")
    press(page, "main form button.go")
    expect(page.locator("h1")).to_have_text("By hand")
    place = page.url

    # A chip adds its words by way of the server, and what cannot be read is said.
    page.fill("form.composer textarea", "a dragon")
    press(page, "form.composer button.go")
    expect(page.locator("form.composer .errors")).to_be_visible()
    press(page, "form.composer .chips button.tag >> nth=0")
    assert page.input_value("form.composer textarea").startswith("a dragon, ")

    page.goto(place)
    name = submit(page, "sepia")
    page.click(f"#{name} a:has-text('look again')")
    for _ in range(PATIENCE):
        if page.locator(".sheet.single a.pic img").count():
            break
        page.wait_for_timeout(500)
        press(page, "main a:has-text('Look again')")
    press(page, "main a:has-text('Open the image')")
    expect(page.locator("h1.said")).to_contain_text("sepia")
    expect(page.locator(".lineage li")).to_have_count(2)
    # Both pictures stand side by side, and the recipe opens.
    expect(page.locator(".stage img")).to_have_count(2)
    page.click("#recipe summary")
    expect(page.locator("#recipe dl")).to_be_visible()

    page.click("#readings summary")
    page.fill("#readings textarea", "It looks older than it is.")
    press(page, "#readings form.form button.button")
    expect(page.locator("#readings blockquote")).to_contain_text("older than it is")
    press(page, "#readings li button")
    expect(page.locator("#readings blockquote")).to_have_count(0)

    press(page, "#resonances a")
    expect(page.locator("h1")).to_contain_text("Resonances")
    page.goto(place)
    press(page, ".in-thread a")
    expect(page.locator(".tree .pic").first).to_be_visible()


def test_stop_and_try_again(house: House, somebody: Callable[..., Page], photograph: Path) -> None:
    page = somebody("nell", java_script_enabled=False)
    page.goto("/post/?board=wall")
    page.set_input_files("input[type=file]", photograph)
    page.fill("input[name=title]", "On second thoughts")
    press(page, "main form button.go")
    place = page.url
    # The operator lets the darkroom rest, or it would be done before one can press a button.
    house.manage("shell", "-c", "from generation import queue; queue.pause('darkroom')")
    try:
        name = submit(page, "pencil sketch")
        press(page, f"#{name} button:has-text('Stop')")
    finally:
        house.manage("shell", "-c", "from generation import queue; queue.resume('darkroom')")
    expect(page.locator(f"#{name}")).to_contain_text("stopped")
    press(page, f"#{name} a:has-text('Edit and run again')")
    assert page.input_value("form.composer textarea") == "pencil sketch"
    page.goto(place)
    press(page, f"#{name} button:has-text('Try again')")
    expect(page.locator(f"#{name}.forming, #{name} a.pic")).to_have_count(1)


def test_everything_is_reachable(somebody: Callable[..., Page]) -> None:
    # Signs out at the end, which ends the session that others of this name would share.
    page = somebody("otto", java_script_enabled=False)
    page.goto("/")
    for link in ("Stream", "Waiting", "Boards"):
        press(page, f".bar nav a:has-text('{link}')")
        expect(page.locator(".bar nav a[aria-current]")).to_have_text(link)
    for link in ("My images", "Settings"):
        page.click("details.menu summary")
        press(page, f"details.menu a:has-text('{link}')")
        expect(page.locator("h1")).to_be_visible()
    press(page, ".languages button[lang=zh-Hans]")
    expect(page.locator("html")).to_have_attribute("lang", re.compile("^zh"))
    press(page, ".languages button[lang=en]")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    # Nothing that needs a script pretends to work.
    expect(page.locator(".needs-script:visible")).to_have_count(0)
    page.click("details.menu summary")
    press(page, "details.menu button")
    if "/account/logout" in page.url:
        press(page, "main form button")
    expect(page.locator(".bar a:has-text('Sign in')")).to_be_visible()


def test_a_visitor_reads(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin = somebody("lin")
    place = post(lin, "For everybody")
    stopped = answer(lin, "oil painting")
    stopped.get_by_role("button", name="Stop").click()
    expect(stopped).to_contain_text("stopped")
    page = somebody(java_script_enabled=False)
    page.goto(place)
    expect(page.locator(".stage img")).to_be_visible()
    expect(page.locator(".reply.stopped")).to_be_visible()
    expect(page.locator(".for-author:visible")).to_have_count(0)
    press(page, "#composer a.button")
    assert "/account/login/" in page.url
    page.goto("/post/")
    assert "/account/login/" in page.url
