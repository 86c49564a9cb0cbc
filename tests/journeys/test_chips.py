"""What was read stands as chips: changed by mouse, by keys, and without scripts, and sent as they stand."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.journeys.conftest import press, send

PARTS = "form.composer .part"


def titles(page: Page) -> list[str]:
    return page.locator(f"{PARTS}:not(.off) .what").all_inner_texts()


def test_chips_are_changed_and_sent(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    page = somebody("lin")
    post(page, "Chips")
    field = page.locator("form.composer textarea")
    field.fill("a dragon in the snow at night, the sky in teal")
    expect(page.locator(PARTS)).to_have_count(3)
    expect(page.locator(".understood .unknown")).to_have_text("dragon")
    assert titles(page) == ["Tint", "Night", "Snow"]

    # The focus stays with the chip that moves, so that keys go on with it.
    page.locator(f"{PARTS} button[value='down:0']").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"{PARTS} .what").first).to_have_text("Night")
    assert "Tint" in (page.locator(":focus").get_attribute("aria-label") or "")

    page.click(f"{PARTS} button[value='off:0']")
    expect(page.locator(f"{PARTS}.off")).to_have_count(1)
    page.locator(f"{PARTS} select[name=chip_where]").last.select_option("left")
    field.press("End")
    field.press_sequentially(", glitch")
    expect(page.locator(PARTS)).to_have_count(4)
    assert titles(page) == ["Tint", "Snow", "Glitch"]
    expect(page.locator(f"{PARTS} select[name=chip_where]").nth(1)).to_have_value("left")

    card = send(page, lambda: page.click("form.composer button.go"))
    expect(card.locator("a.pic img")).to_be_visible(timeout=60_000)
    card.locator("a.pic").first.click()
    page.click("#recipe summary")
    expect(page.locator("#recipe .steps li")).to_have_count(3)
    page.click("#recipe a:has-text('Edit and run again')")
    expect(page.locator(PARTS)).to_have_count(3)
    assert titles(page) == ["Tint", "Snow", "Glitch"]
    expect(page.locator(f"{PARTS} select[name=chip_where]").nth(1)).to_have_value("left")


def test_chips_without_scripts(somebody: Callable[..., Page], post: Callable[..., str]) -> None:
    place = post(somebody("lin"), "Plain chips")
    page = somebody("nell", java_script_enabled=False)
    page.goto(place)
    page.fill("form.composer textarea", "snow at night")
    press(page, "form.composer button:has-text('Read it')")
    assert titles(page) == ["Night", "Snow"]
    press(page, f"{PARTS} button[value='off:0']")
    assert titles(page) == ["Snow"]
    page.locator(f"{PARTS} select[name=chip_much]").select_option("strong")
    press(page, "form.composer button.go")
    expect(page.locator(".reply").first).to_contain_text("snow at night")


def test_nothing_typed_and_surprised(
    somebody: Callable[..., Page], post: Callable[..., str]
) -> None:
    page = somebody("lin")
    post(page, "Surprise")
    page.fill("form.composer textarea", "qwertz")
    page.click("form.composer button[value=surprise]")
    expect(page.locator(PARTS).first).to_be_visible()
