"""Paint what may change, with mouse, finger and keyboard; tap a look; what was not painted stays."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import CDPSession, Page, expect

from tests.journeys.conftest import send
from tests.journeys.test_pages import faults_of, wideness

#: Milliseconds within which the darkroom has answered on a busy machine.
MADE = 60_000
PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True}
CANVAS = ".board canvas"
SHARE = ".easel output"


@pytest.fixture
def small(photograph: Path, tmp_path: Path) -> Path:
    """A picture that the darkroom works on at its own size, so that pixels can be compared."""
    made = tmp_path / "small.png"
    with Image.open(photograph) as whole:
        picture = whole.convert("RGB")
        picture.thumbnail((480, 480))
        picture.save(made)
    return made


def easel(page: Page) -> dict[str, float]:
    """Open the easel by its key and give the place of its canvas in the window."""
    page.keyboard.press("m")
    expect(page.locator(CANVAS)).to_be_visible()
    page.locator(CANVAS).scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelector('.board img').complete")
    return page.locator(CANVAS).bounding_box()  # type: ignore[return-value]


def stroke(page: Page, box: dict[str, float], *points: tuple[float, float]) -> None:
    """Paint with the mouse through points given in shares of the picture."""
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=12)
    page.mouse.up()


def share(page: Page) -> float:
    """How many per cent may change, as the easel says."""
    found = re.search(r"\d+", page.inner_text(SHARE))
    return float(found[0]) if found else 0.0


def picture(page: Page, address: str) -> np.ndarray:
    """A picture of the house as int16 of shape (height, width, 3)."""
    answer = page.request.get(address)
    assert answer.ok, address
    return np.asarray(Image.open(io.BytesIO(answer.body())).convert("RGB")).astype("int16")


def test_paint_undo_send_and_only_what_was_painted_changes(
    somebody: Callable[..., Page],
    post: Callable[..., str],
    shot: Callable[[Page, str], None],
    small: Path,
) -> None:
    lin = somebody("lin")
    place = post(lin, "Only the sky", small)
    box = easel(lin)
    expect(lin.locator(SHARE)).to_contain_text("whole image may change")
    stroke(lin, box, (0.2, 0.2), (0.4, 0.2))
    first = share(lin)
    assert first > 0
    stroke(lin, box, (0.7, 0.8), (0.9, 0.8))
    assert share(lin) > first
    lin.keyboard.press("Control+z")
    assert share(lin) == first
    lin.keyboard.press("Control+Shift+z")
    assert share(lin) > first
    lin.keyboard.press("Control+z")
    # The eraser takes away, inversion turns it round and back.
    lin.keyboard.press("e")
    stroke(lin, box, (0.2, 0.2), (0.25, 0.2))
    assert share(lin) < first
    lin.keyboard.press("Control+z")
    lin.keyboard.press("i")
    assert share(lin) == pytest.approx(100 - first, abs=1)
    lin.keyboard.press("i")
    lin.keyboard.press("b")
    stroke(lin, box, (0.2, 0.25), (0.4, 0.25))
    shot(lin, "mask")
    lin.evaluate("() => document.activeElement.blur()")

    # A refusal of something else loses nothing.
    painted = share(lin)
    lin.fill("form.composer textarea", "qwertyuiop")
    lin.click("form.composer button.go")
    expect(lin.locator("textarea[aria-invalid=true]")).to_be_visible()
    assert share(lin) == painted
    lin.fill("form.composer textarea", "make it night")
    reply = send(lin, lambda: lin.click("form.composer button.go"))
    assert lin.locator(".masking").get_attribute("open") is None
    expect(reply.locator("a.pic img")).to_be_visible(timeout=MADE)

    reply.locator("a.pic").click()
    lin.wait_for_url(lambda url: url != place and re.search(r"/images/\d+/$", url) is not None)
    # The engine works on the display, our own bytes; its result is kept without loss.
    before = picture(lin, f"{place}files/display")
    after = picture(lin, f"{lin.url}files/original")
    mask = picture(lin, f"{lin.url}mask/")[..., 0]
    assert before.shape == after.shape
    grown = np.asarray(
        Image.fromarray((mask > 0).astype("uint8") * 255).resize(before.shape[1::-1])
    )
    changed = np.abs(before - after).max(axis=2) > 0
    rows, columns = np.nonzero(changed)
    assert changed.mean() > 0.01
    near = np.zeros_like(changed)
    for row, column in zip(*np.nonzero(grown > 0), strict=True):
        near[max(0, row - 16) : row + 17, max(0, column - 16) : column + 17] = True
    assert near[rows, columns].all(), "something outside of the mask changed"
    lin.click("#recipe summary")
    expect(lin.locator("#recipe img.mask")).to_be_visible()


def test_a_finger_paints_and_two_do_not(
    somebody: Callable[..., Page], post: Callable[..., str], small: Path
) -> None:
    lin = somebody("lin", **PHONE)
    post(lin, "By finger", small)
    lin.locator(".masking > summary").tap()
    lin.locator(CANVAS).scroll_into_view_if_needed()
    assert wideness(lin) == ""
    box = lin.locator(CANVAS).bounding_box()
    assert box is not None
    wire = lin.context.new_cdp_session(lin)
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch(wire, "touchStart", middle)
    for step in range(1, 8):
        touch(wire, "touchMove", (middle[0] + 6 * step, middle[1]))
    touch(wire, "touchEnd")
    painted = share(lin)
    assert painted > 0
    # The second finger takes the begun stroke away; nothing is painted until both are gone.
    touch(wire, "touchStart", (middle[0] - 60, middle[1] - 40))
    touch(wire, "touchMove", (middle[0] - 50, middle[1] - 40))
    touch(wire, "touchStart", (middle[0] - 50, middle[1] - 40), (middle[0] + 50, middle[1] + 40))
    for step in range(1, 6):
        touch(
            wire, "touchMove",
            (middle[0] - 50 - 4 * step, middle[1] - 40), (middle[0] + 50 + 4 * step, middle[1] + 40),
        )  # fmt: skip
    touch(wire, "touchEnd")
    lin.wait_for_timeout(200)
    assert share(lin) == painted
    lin.evaluate("() => scrollTo(0, 0)")
    assert faults_of(lin) == []


def touch(wire: CDPSession, kind: str, *places: tuple[float, float]) -> None:
    """Fingers at these places."""
    points = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(places)]
    wire.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_what_is_painted_lies_where_it_is_seen(
    somebody: Callable[..., Page], post: Callable[..., str], small: Path, tmp_path: Path
) -> None:
    """In a low window and on a turned phone the picture is narrow; a small one is made large."""
    tiny = tmp_path / "tiny.png"
    with Image.open(small) as seen:
        seen.resize((60, 90)).save(tiny)
    lin = somebody("lin", viewport={"width": 1280, "height": 420})
    post(lin, "Tiny and tall", tiny)
    easel(lin)
    for size in ({"width": 1280, "height": 420}, {"width": 390, "height": 844}):
        lin.set_viewport_size(size)
        canvas, seen_at = (
            lin.locator(CANVAS).bounding_box(),
            lin.locator(".board img").bounding_box(),
        )
        assert canvas == seen_at
        assert canvas is not None
        assert canvas["width"] / canvas["height"] == pytest.approx(2 / 3, rel=0.02)
        assert canvas["height"] > 250, "large enough to paint on"
        assert wideness(lin) == ""


def test_a_long_composer_does_not_jump_on_a_phone(
    somebody: Callable[..., Page], post: Callable[..., str], small: Path
) -> None:
    """With the easel open it is higher than the window: scrolling to its button must not float it."""
    lin = somebody("lin", **PHONE)
    post(lin, "A long composer", small)
    form = lin.locator("form.composer")
    lin.fill("form.composer textarea", "snow at night")
    expect(lin.locator(".part")).to_have_count(2)
    lin.locator(".masking > summary").tap()
    expect(lin.locator(CANVAS)).to_be_visible()
    assert form.evaluate("one => one.offsetHeight > innerHeight")
    go = lin.locator("form.composer button.go")
    go.scroll_into_view_if_needed()
    lin.wait_for_timeout(300)
    assert "afloat" not in (form.get_attribute("class") or "")
    # Once it is gone upwards, it floats folded, although its button had the focus.
    lin.locator(".masking > summary").focus()
    lin.evaluate(
        "() => { const room = document.createElement('div'); room.style.height = '300vh';"
        " document.querySelector('main').append(room); scrollTo(0, document.body.scrollHeight); }"
    )
    expect(form).to_have_class(re.compile("afloat"))
    box = form.bounding_box()
    assert box is not None and box["height"] < 200
    # Unfolded it leaves room above, and begins with what is being written.
    lin.focus("form.composer textarea")
    box, field = form.bounding_box(), lin.locator("form.composer textarea").bounding_box()
    assert box is not None and field is not None
    assert 0 < box["y"] <= field["y"] < 300
    lin.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    expect(form).not_to_have_class(re.compile("afloat"))
    reply = send(lin, go.tap)
    expect(reply.locator("a.pic img")).to_be_visible(timeout=MADE)


def test_without_a_pointer_a_rectangle_is_given_in_numbers(
    somebody: Callable[..., Page], post: Callable[..., str], small: Path
) -> None:
    lin = somebody("lin")
    post(lin, "By numbers", small)
    easel(lin)
    for name, value in {"x": "0", "y": "0", "w": "50", "h": "100"}.items():
        lin.focus(f"input[name=mask_{name}]")
        lin.keyboard.type(value)
    lin.keyboard.press("Enter")
    assert share(lin) == pytest.approx(50, abs=1)
    expect(lin.locator("#polite")).to_contain_text("50 %")
    expect(lin.locator("input[name=mask_x]")).to_have_value("")
    # Undo by key, to the end: the button that has nothing left to do keeps the focus.
    lin.focus("[data-do=undo]")
    lin.keyboard.press("Enter")
    assert share(lin) == 0
    expect(lin.locator("[data-do=undo]")).to_be_focused()
    expect(lin.locator("[data-do=undo]")).to_have_attribute("aria-disabled", "true")
    lin.focus("[data-do=redo]")
    lin.keyboard.press("Enter")
    assert share(lin) == pytest.approx(50, abs=1)
    lin.focus(".look[tabindex='0']")
    lin.keyboard.press("ArrowRight")
    lin.keyboard.press("Enter")
    words = lin.input_value("form.composer textarea")
    assert words == lin.locator(".look[aria-pressed=true]").get_attribute("data-word")
    lin.focus("form.composer textarea")
    reply = send(lin, lambda: lin.keyboard.press("Control+Enter"))
    expect(reply.locator("a.pic img")).to_be_visible(timeout=MADE)
    reply.locator("a.pic").click()
    lin.click("#recipe summary")
    expect(lin.locator("#recipe img.mask")).to_be_visible()


def test_a_look_is_tapped_and_taken_back(
    somebody: Callable[..., Page],
    post: Callable[..., str],
    shot: Callable[[Page, str], None],
    photograph: Path,
) -> None:
    lin = somebody("lin")
    post(lin, "Looks", photograph)
    field = lin.locator("form.composer textarea")
    looks = lin.locator(".look")
    # Words are there at once; thumbnails of this very image come by themselves.
    expect(looks.nth(1)).to_be_visible()
    looks.first.scroll_into_view_if_needed()
    expect(lin.locator(".look svg").first).to_be_visible(timeout=MADE)
    expect(lin.locator(".look svg")).to_have_count(looks.count())
    shot(lin, "looks")
    looks.nth(1).click()
    expect(field).to_have_value(looks.nth(1).get_attribute("data-word") or "")
    expect(looks.nth(1)).to_have_attribute("aria-pressed", "true")
    expect(lin.locator(".understood em").first).to_be_visible()
    lin.keyboard.press("Control+z")
    expect(field).to_have_value("")
    expect(looks.nth(1)).to_have_attribute("aria-pressed", "false")
    field.fill("sepia")
    looks.nth(2).click()
    looks.nth(1).click()
    looks.nth(2).click()
    expect(field).to_have_value(f"sepia, {looks.nth(1).get_attribute('data-word')}")
    # What other words ask for is seen on its look too, and goes and comes by its chip.
    night = lin.locator(".look[data-operation=night]")
    field.fill("a nocturne in the snow")
    expect(lin.locator(".part")).to_have_count(2)
    expect(night).to_have_attribute("aria-pressed", "true")
    night.click()
    expect(lin.locator(".part.off")).to_have_count(1)
    expect(night).to_have_attribute("aria-pressed", "false")
    expect(field).to_have_value("a nocturne in the snow")
    night.click()
    expect(night).to_have_attribute("aria-pressed", "true")
    expect(lin.locator(".part.off")).to_have_count(0)
    field.fill("")
    expect(night).to_have_attribute("aria-pressed", "false")
    assert faults_of(lin) == []


def test_a_file_and_a_rectangle_will_do_without_scripts(
    somebody: Callable[..., Page], small: Path, tmp_path: Path
) -> None:
    nell = somebody("nell", java_script_enabled=False)
    nell.goto("/post/?board=wall")
    nell.set_input_files("input[type=file]", small)
    nell.fill("input[name=title]", "By file")
    nell.click("main form button.go")
    nell.wait_for_load_state()
    place = nell.url
    with Image.open(small) as seen:
        mask = Image.new("L", seen.size)
        mask.paste(255, (0, 0, seen.width // 2, seen.height))
    mask.rotate(90, expand=True).save(tmp_path / "wrong.png")
    mask.save(tmp_path / "mask.png")
    expect(nell.locator(".look .small").first).to_be_hidden()
    nell.click(".masking > summary")
    expect(nell.locator(CANVAS)).to_be_hidden()
    nell.fill("form.composer textarea", "make it night")
    nell.set_input_files("input[name=mask]", tmp_path / "wrong.png")
    nell.click("form.composer button.go")
    expect(nell.locator(".masking .errors")).to_contain_text("another shape")
    # Something else is amiss: the mask that was sent is kept, for a file cannot be sent back.
    nell.set_input_files("input[name=mask]", tmp_path / "mask.png")
    nell.fill("form.composer textarea", "qwertyuiop")
    nell.click("form.composer button.go")
    expect(nell.locator(".masking .kept img")).to_be_visible()
    nell.fill("form.composer textarea", "make it night")
    nell.click("form.composer button.go")
    nell.wait_for_url(re.compile(r"#reply-\d+$"))
    assert nell.url.startswith(place)
