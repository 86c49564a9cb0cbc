"""Hands on the keyboard, and pictures that are dropped and pasted."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.journeys.conftest import answer, send

MADE = 45_000
COMPOSER = "form.composer textarea"

#: Give the page a file the way a hand does: by drop or from the clipboard.
GIVE = """async ({ way, name, type, data }) => {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], name, { type }));
    if (way === "paste") {
        document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: files, bubbles: true, cancelable: true }));
        return;
    }
    const zone = way === "miss" ? document.querySelector("h1") : document.querySelector(".drop");
    for (const kind of ["dragover", "drop"]) {
        const deed = new DragEvent(kind, { dataTransfer: files, bubbles: true, cancelable: true });
        // What nobody takes, the browser opens in the place of the page.
        if (zone.dispatchEvent(deed)) throw new Error(`nobody took the ${kind}`);
    }
}"""


def give(
    page: Page, way: str, data: bytes, name: str = "picture.jpg", type_: str = "image/jpeg"
) -> None:
    """Drop or paste a file."""
    words = {"way": way, "name": name, "type": type_, "data": base64.b64encode(data).decode()}
    page.evaluate(GIVE, words)


def focused(page: Page) -> dict[str, str]:
    """What has the focus, and whether that can be seen."""
    found: dict[str, str] = page.evaluate(
        """() => {
            const one = document.activeElement, style = getComputedStyle(one);
            return { tag: one.tagName, id: one.id, text: one.textContent.trim().slice(0, 40),
                     ring: `${style.outlineStyle} ${style.outlineWidth} ${style.boxShadow}` };
        }"""
    )
    return found


def test_the_keyboard_reaches_all(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin = somebody("lin")
    post(lin, "By keys")
    first = lin.url
    # The first Tab offers a way past the bar; it leads into the content.
    lin.keyboard.press("Tab")
    assert focused(lin)["text"] == "To the content"
    lin.keyboard.press("Enter")
    expect(lin.locator("#main")).to_be_focused()
    reached = []
    for _ in range(40):
        lin.keyboard.press("Tab")
        reached.append(focused(lin))
        if reached[-1]["tag"] == "TEXTAREA":
            break
        assert not reached[-1]["ring"].startswith("none 0px none"), reached[-1]
    expect(lin.locator(COMPOSER)).to_be_focused()

    lin.keyboard.type("sepia")
    reply = send(lin, lambda: lin.keyboard.press("Control+Enter"))
    expect(reply.locator("a.pic img")).to_be_visible(timeout=MADE)
    # Who sent by keyboard can go on typing.
    expect(lin.locator(COMPOSER)).to_be_focused()
    lin.keyboard.press("Escape")
    expect(lin.locator(COMPOSER)).not_to_be_focused()

    lin.keyboard.press("j")
    lin.keyboard.press("Enter")
    expect(lin.locator("h1.said")).to_contain_text("sepia")
    assert lin.url != first
    lin.keyboard.press("a")
    expect(lin.locator(COMPOSER)).to_be_focused()
    # In a field keys are letters.
    lin.keyboard.type("?a")
    expect(lin.locator(COMPOSER)).to_have_value("?a")
    lin.fill(COMPOSER, "")
    lin.keyboard.press("Escape")

    lin.keyboard.press("?")
    expect(lin.locator("dialog .keys")).to_be_visible()
    keys = lin.locator("dialog .keys dt").all_inner_texts()
    assert {"a", "l", "r", "↑", "g s", "g w", "g b"} <= set(keys), keys
    names = lin.locator("dialog .keys dd").all_inner_texts()
    assert all(name.strip() for name in names), dict(zip(keys, names, strict=True))
    lin.keyboard.press("Escape")
    expect(lin.locator("dialog")).to_have_count(0)

    lin.keyboard.press("r")
    expect(lin.locator("#recipe dl")).to_be_visible()
    lin.keyboard.press("ArrowUp")
    lin.wait_for_url(first)
    lin.keyboard.press("g")
    lin.keyboard.press("w")
    lin.wait_for_url(re.compile("/waiting/$"))


def test_compare_by_keyboard(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    lin = somebody("lin")
    post(lin, "Before and after")
    reply = answer(lin, "pencil sketch")
    expect(reply.locator("a.pic img")).to_be_visible(timeout=MADE)
    reply.locator("a.pic").click()
    stage = lin.locator(".stage.compare.on")
    cut = "one => one.style.getPropertyValue('--cut')"
    assert stage.evaluate(cut) == "42%"
    lin.focus(".stage input[type=range]")
    lin.keyboard.press("ArrowLeft")
    assert stage.evaluate(cut) == "41%"
    lin.keyboard.down("c")
    assert stage.evaluate(cut) == "100%"
    lin.keyboard.up("c")
    assert stage.evaluate(cut) == "41%"


def test_drop_and_paste(
    somebody: Callable[..., Page], photograph: Path, shot: Callable[[Page, str], None]
) -> None:
    lin = somebody("lin")
    lin.goto("/post/?board=wall")
    give(lin, "drop", b"plain words", "notes.txt", "text/plain")
    expect(lin.locator(".error[data-upload]")).to_have_text("This is not a picture.")
    give(lin, "drop", photograph.read_bytes(), "dropped.jpg")
    expect(lin.locator(".drop img.picked")).to_be_visible()
    expect(lin.locator("[data-picked-name]")).to_have_text("dropped.jpg")
    expect(lin.locator(".error[data-upload]")).to_be_hidden()
    # Beside the field will do as well; the page is not left for the picture.
    give(lin, "miss", photograph.read_bytes(), "missed.jpg")
    expect(lin.locator("[data-picked-name]")).to_have_text("missed.jpg")
    give(lin, "paste", photograph.read_bytes(), "pasted.jpg")
    expect(lin.locator("[data-picked-name]")).to_have_text("pasted.jpg")

    lin.fill("input[name=title]", "Leaving")
    lin.fill("textarea[name=alt]", "A rocket on its pad, lit from below, shortly before dawn")
    lin.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    shot(lin, "post")
    slow = lin.context.new_cdp_session(lin)
    slow.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 80_000},
    )
    lin.click("main form button.go")
    bar = lin.locator(".sending progress")
    expect(bar).to_be_visible()
    expect(lin.locator("main form button.go")).to_be_disabled()
    lin.wait_for_function("() => (document.querySelector('.sending progress')?.value ?? 0) > 0")
    lin.wait_for_url(re.compile(r"/images/\d+/$"))
    expect(lin.locator("h1")).to_have_text("Leaving")


def test_a_refused_picture_keeps_what_was_said(somebody: Callable[..., Page]) -> None:
    lin = somebody("lin")
    lin.goto("/post/?board=wall")
    give(lin, "drop", b"not a picture at all" * 40)
    lin.fill("input[name=title]", "Broken")
    lin.click("main form button.go")
    expect(lin.locator("#file-error")).to_be_visible()
    expect(lin.locator("input[name=title]")).to_have_value("Broken")
    # The fresh form takes pictures as the first one did.
    expect(lin.locator(".drop.on")).to_be_visible()
