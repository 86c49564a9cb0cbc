"""Every screen in light and dark, English and Chinese, on a desk and on a phone."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.journeys.conftest import ROOT, House, answer

AXE = (ROOT / "tests" / "vendor" / "axe-core-4.14.1" / "axe.min.js").read_text()
MADE = 45_000
DESK, PHONE = {"width": 1440, "height": 900}, {"width": 360, "height": 740}
#: Size and scheme; axe looks at the first and the last, which between them hold all four.
LOOKS = [(DESK, "light"), (PHONE, "light"), (DESK, "dark"), (PHONE, "dark")]


@dataclass(frozen=True)
class Screen:
    """A page and who looks at it."""

    name: str
    path: str
    signed_in: bool = True


def screens(image: str, answered: str, thread: str) -> list[Screen]:
    """Every screen; a thread with two images stands behind three of them."""
    return [
        Screen("stream", "/"),
        Screen("waiting", "/waiting/"),
        Screen("boards", "/boards/"),
        Screen("board", "/boards/wall/"),
        Screen("board-threads", "/boards/wall/?view=threads"),
        Screen("original", image),
        Screen("answer", answered),
        Screen("thread", thread),
        Screen("lineage", f"{answered}lineage/"),
        Screen("resonances", f"{answered}resonances/"),
        Screen("answer-upload", f"{image}answer/upload/"),
        Screen("answer-link", f"{image}answer/link/"),
        Screen("describe", f"{image}edit/"),
        Screen("post", "/post/"),
        Screen("settings", "/settings/"),
        Screen("my-images", "/settings/images/"),
        Screen("tokens", "/settings/tokens/"),
        Screen("leave", "/settings/leave/"),
        Screen("member", "/members/lin/"),
        Screen("new-board", "/new-board/"),
        Screen("sign-in", "/account/login/", signed_in=False),
        Screen("sign-up", "/account/signup/", signed_in=False),
        Screen("seen-by-a-visitor", image, signed_in=False),
        Screen("nothing-here", "/images/999999/", signed_in=False),
        Screen("api", "/api/v1/docs", signed_in=False),
    ]


def faults_of(page: Page) -> list[str]:
    """What axe finds, one line for each rule with the first place."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE)
    # Contrast over photographs cannot be computed; axe leaves it undecided by itself.
    found: dict[str, Any] = page.evaluate(
        "() => axe.run(document, { resultTypes: ['violations'] })"
    )
    return [
        f"{one['id']}: {one['help']} ({len(one['nodes'])}) {one['nodes'][0]['html'][:160]}"
        f" {one['nodes'][0].get('failureSummary', '')[:200]}"
        for one in found["violations"]
    ]


def wideness(page: Page) -> str:
    """Empty, or what sticks out of the window."""
    found: str = page.evaluate(
        """() => {
            const root = document.documentElement;
            if (root.scrollWidth <= root.clientWidth) return "";
            const out = [...document.querySelectorAll("body *")]
                .filter(one => one.getBoundingClientRect().right > root.clientWidth + 1);
            return `${root.scrollWidth} > ${root.clientWidth}: ` + out.slice(0, 4)
                .map(one => `${one.tagName}.${one.className}`).join(" ");
        }"""
    )
    return found


def outline(page: Page) -> list[str]:
    """What is wrong with the order of headings."""
    levels: list[int] = page.locator("h1, h2, h3, h4, h5, h6").evaluate_all(
        "all => all.filter(one => one.checkVisibility()).map(one => Number(one.tagName[1]))"
    )
    wrong = [] if levels.count(1) == 1 else [f"{levels.count(1)} first headings"]
    jumps = zip(levels, levels[1:], strict=False)
    return wrong + [f"h{one} is followed by h{other}" for one, other in jumps if other > one + 1]


def settle(page: Page) -> None:
    """Until fragments have come and animations have ended."""
    page.wait_for_load_state("load")
    page.wait_for_function("() => !document.querySelector('.htmx-request')")
    page.evaluate(
        "() => Promise.all(document.getAnimations().map(one => one.finished.catch(() => 0)))"
    )


def look_at(page: Page, screen: Screen) -> list[str]:
    """All that is wrong with one screen, in four looks of one loaded page."""
    page.set_viewport_size(DESK)
    page.goto(screen.path)
    settle(page)
    wrong = [f"{screen.name}: {line}" for line in outline(page)]
    for size, scheme in LOOKS:
        page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        settle(page)
        where = f"{screen.name} {scheme} {size['width']}"
        if wide := wideness(page):
            wrong.append(f"{where}: {wide}")
        if (size, scheme) in (LOOKS[0], LOOKS[-1]):
            wrong += [f"{where}: {line}" for line in faults_of(page)]
    return wrong


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_screen(
    language: str,
    house: House,
    somebody: Callable[..., Page],
    post: Callable[..., str],
    shot: Callable[[Page, str], None],
) -> None:
    spoken = {"locale": "zh-CN" if language != "en" else "en-US"}
    lin, visitor = somebody("lin", **spoken), somebody(**spoken)
    # Lin has a language of her own; the one chosen on this machine is stronger.
    lin.context.add_cookies([{"name": "django_language", "value": language, "url": house.url}])
    # Something of somebody else's waits for an answer.
    post(somebody("ada"), "Unanswered")
    place = post(lin, "The pad")
    reply = answer(lin, "sepia")
    expect(reply.locator("a.pic img")).to_be_visible(timeout=MADE)
    answered = reply.locator("a.pic").get_attribute("href") or ""
    thread = lin.locator(".in-thread a").get_attribute("href") or ""
    path = re.sub(r"^https?://[^/]+", "", place)

    wrong: list[str] = []
    for screen in screens(path, answered, thread):
        page = lin if screen.signed_in else visitor
        wrong += look_at(page, screen)
        tongue = page.locator("html").get_attribute("lang") or ""
        assert tongue.lower().startswith(language[:2]), f"{screen.name} speaks {tongue}"
        assert page.troubles == [], f"{screen.name}: {page.troubles}"  # type: ignore[attr-defined]
    assert wrong == [], "\n".join(wrong)

    if language != "en":
        lin.set_viewport_size({"width": 390, "height": 844})
        lin.emulate_media(color_scheme="dark")
        lin.goto(answered)
        settle(lin)
        shot(lin, "phone-zh")
