"""A whole house, started as a newcomer starts it, and browsers that walk through it."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, StorageState

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "open sesame 7"
#: Where screenshots of the journeys go: into the docs when asked for, else aside.
SHOTS = Path(os.environ.get("GEGENBILD_SCREENSHOTS", ROOT / "test-results" / "screenshots"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a journey."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)


@pytest.fixture(autouse=True)
def _own_media() -> None:
    """The house under test writes into its own data folder."""


def chromium() -> str | None:
    """The browser that Debian packages; None lets Playwright take its own."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    """Headless, without the sandbox that root may not have, and silent towards the network."""
    quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    args = ["--no-sandbox", "--disable-gpu", "--no-first-run", *quiet]
    # Playwright switches the back/forward cache off; people have it.
    cache = ["--disable-back-forward-cache"]
    return {"executable_path": chromium(), "args": args, "ignore_default_args": cache}


@dataclass
class House:
    """A running instance with its address and the owner it printed on first start."""

    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    owner: tuple[str, str] = ("", "")

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.url.rpartition(":")[2])

    def manage(self, *words: str) -> str:
        """Run one of the operator's commands beside it."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    env: dict[str, str] = field(default_factory=dict)
    #: Cookies of those who have signed up, by name.
    members: dict[str, StorageState] = field(default_factory=dict)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """`manage.py up` in a data folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="gegenbild-house-"))
    folder.chmod(0o755)
    port = free_port()
    env = {
        **{k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "SECRET_KEY"}},
        "FORUM_DATA_DIR": str(folder / "var"),
        "PORT": str(port),
        "FORUM_DEMO": "no",
        "FORUM_EDITS_PER_HOUR": "1000",
        "FORUM_EDITS_AT_ONCE": "50",
        "FORUM_SIGNUPS_PER_HALF_HOUR": "1000",
        "FORUM_UPLOADS_PER_HALF_HOUR": "1000",
    }
    process = subprocess.Popen(
        [sys.executable, "-u", "manage.py", "up"],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    made = House(f"http://127.0.0.1:{port}", process, env=env)
    try:
        await_start(made)
        open_board(made)
        yield made
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(40)
        assert process.stdout is not None
        process.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)


def await_start(house: House) -> None:
    """Read what the house prints until it names its address."""
    ready = threading.Event()

    def listen() -> None:
        assert house.process.stdout is not None
        for line in house.process.stdout:
            house.lines.append(line.rstrip())
            if f"Gegenbild is at http://localhost:{house.port}/" in line:
                ready.set()

    threading.Thread(target=listen, daemon=True).start()
    assert ready.wait(120), "It did not start:\n" + "\n".join(house.lines[-40:])
    house.owner = credentials("\n".join(house.lines))


def open_board(house: House) -> None:
    """A public board, made as a program would make it."""
    words = json.dumps({"slug": "wall", "title": "The wall", "visibility": "public"}).encode()
    token = house.manage("token", house.owner[0]).split()[-1]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urlopen(Request(f"{house.url}/api/v1/boards", words, headers), timeout=20) as response:
        assert response.status == 201


def credentials(printed: str) -> tuple[str, str]:
    """User name and password as the first start prints them, once."""
    name = re.search(r"user name:?\s+(\S+)", printed, re.I)
    password = re.search(r"password:?\s+(\S+)", printed, re.I)
    assert name and password, f"No credentials in:\n{printed}"
    return name.group(1), password.group(1)


@pytest.fixture
def somebody(house: House, browser: Browser) -> Iterator[Callable[..., Page]]:
    """A new browser of somebody: `somebody("lin")` is signed up and in; `somebody()` is a visitor."""
    contexts: list[BrowserContext] = []

    def arrive(name: str = "", **options: object) -> Page:
        words: dict[str, object] = {
            "base_url": house.url,
            "viewport": {"width": 1440, "height": 900},
            "storage_state": house.members.get(name),
        }
        context = browser.new_context(**{**words, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.troubles = watch_troubles(page)  # type: ignore[attr-defined]
        if name and name not in house.members:
            sign_up(page, name)
            house.members[name] = context.storage_state()
        return page

    yield arrive
    for context in contexts:
        for page in context.pages:
            assert getattr(page, "troubles", []) == [], "The browser complained."
        context.close()


def watch_troubles(page: Page) -> list[str]:
    """What the browser complains of: policy violations and errors in scripts."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda message: (
            found.append(f"{message.text} {message.location}")
            if "Content Security Policy" in message.text
            else None
        ),
    )
    return found


def sign_up(page: Page, name: str) -> None:
    """A new member, by the form; one who is known signs in."""
    page.goto("/account/signup/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password1]", PASSWORD)
    page.fill("input[name=password2]", PASSWORD)
    press(page, "main form button.go")
    if "/account/signup" in page.url:
        sign_in(page, name, PASSWORD)


def sign_in(page: Page, name: str, password: str) -> None:
    """Somebody who is known already."""
    page.goto("/account/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password)
    press(page, "main form button.go")
    assert "/account/login" not in page.url, page.inner_text("main")


def press(page: Page, button: str) -> None:
    """Press what leads to another page, and be there."""
    with page.expect_navigation(wait_until="load"):
        page.click(button)


@pytest.fixture(scope="session")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real photograph; one in the public domain where screenshots are kept for the docs."""
    folder = Path(os.environ.get("GEGENBILD_IMAGES", ROOT.parent / "shared" / "images"))
    if "GEGENBILD_SCREENSHOTS" in os.environ:
        return packaged_photograph("rocket.jpg")
    found = folder / "akranes.jpg"
    return found if found.exists() else packaged_photograph("rocket.jpg")


def packaged_photograph(name: str) -> Path:
    """A photograph that the scikit-image package carries."""
    root = find_spec("skimage")
    assert root is not None and root.origin is not None
    return Path(root.origin).parent / "data" / name


@pytest.fixture
def post(house: House, photograph: Path) -> Callable[..., str]:
    """Post a picture through the form, on the wall; gives the address of its page."""

    def posted(page: Page, title: str, picture: Path = photograph) -> str:
        page.goto("/post/?board=wall")
        page.set_input_files("input[type=file]", picture)
        page.fill("input[name=title]", title)
        page.fill("textarea[name=alt]", f"{title}, seen from afar")
        press(page, "main form button.go")
        assert re.search(r"/images/\d+/$", page.url), page.inner_text("main")
        return page.url

    return posted


def answer(page: Page, prompt: str) -> Locator:
    """Send a prompt from the page of an image; gives the new reply, as its author sees it."""
    page.fill("form.composer textarea", prompt)
    return send(page, lambda: page.click("form.composer button.go"))


def send(page: Page, deed: Callable[[], None]) -> Locator:
    """Do what sends the composer, and find the reply that came of it once the fresh composer is there."""
    link = page.locator("form.composer [role=status] a")
    before = link.get_attribute("href") if link.count() else ""
    deed()
    page.wait_for_function(
        "before => ![null, undefined, before].includes("
        "document.querySelector('form.composer [role=status] a')?.getAttribute('href'))",
        arg=before,
    )
    href = link.get_attribute("href") or ""
    return page.locator(f"#{href.partition('#')[2]}")


def never_reloaded(page: Page) -> Callable[[], bool]:
    """Mark this document; the call later says whether it is still the same one."""
    page.evaluate("() => { window.marked = true; }")
    return lambda: bool(page.evaluate("() => window.marked === true"))


def listening(page: Page) -> None:
    """Wait until the page's socket is open and has brought its first pieces."""
    page.wait_for_function(
        "() => document.getElementById('wire')?._htmx?.ws?.connection?.socket?.readyState === 1"
    )


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keep a screenshot of this moment for the docs."""
    SHOTS.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.evaluate("() => document.fonts.ready.then(() => 0)")
        # One page dissolves into the next for a moment.
        page.wait_for_timeout(700)
        # Hiding the caret would put a style element into the page, which its policy forbids.
        page.screenshot(path=SHOTS / f"{name}.jpg", type="jpeg", quality=82, caret="initial")

    return take
