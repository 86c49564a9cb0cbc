"""A whole house, started as a newcomer starts it, and browsers that walk through it."""

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
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

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
    return {"executable_path": chromium(), "args": args}


@dataclass
class House:
    """A running instance with its address and the owner it printed on first start."""

    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    owner: tuple[str, str] = ("", "")

    def manage(self, *words: str) -> str:
        """Run one of the operator's commands beside it."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=self.env, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    env: dict[str, str] = field(default_factory=dict)


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
        "FORUM_UPLOADS_PER_HALF_HOUR": "1000",
    }
    process = subprocess.Popen(
        [sys.executable, "-u", "manage.py", "up"],
        cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    made = House(f"http://127.0.0.1:{port}", process, env=env)
    ready = threading.Event()

    def listen() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            made.lines.append(line.rstrip())
            if made.url.removeprefix("http://") in line:
                ready.set()

    threading.Thread(target=listen, daemon=True).start()
    assert ready.wait(90), "It did not start:\n" + "\n".join(made.lines[-40:])
    made.owner = credentials("\n".join(made.lines))
    yield made
    process.send_signal(signal.SIGINT)
    process.wait(40)
    shutil.rmtree(folder, ignore_errors=True)


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
        }
        context = browser.new_context(**{**words, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.troubles = watch_troubles(page)  # type: ignore[attr-defined]
        if name:
            sign_up(page, name)
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
            found.append(message.text) if "Content Security Policy" in message.text else None
        ),
    )
    return found


def sign_up(page: Page, name: str) -> None:
    """A new member, by the form; one who is known signs in."""
    page.goto("/account/signup/")
    page.fill("input[name=username]", name)
    page.fill("input[name=password1]", PASSWORD)
    page.fill("input[name=password2]", PASSWORD)
    page.click("main button[type=submit]")
    if "/account/signup" in page.url:
        sign_in(page, name, PASSWORD)


def sign_in(page: Page, name: str, password: str) -> None:
    """Somebody who is known already."""
    page.goto("/account/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password)
    page.click("main button[type=submit]")
    page.wait_for_url(re.compile(r"(?<!login/)$"))


@pytest.fixture
def shot() -> Callable[[Page, str], None]:
    """Keep a screenshot of this moment for the docs."""
    SHOTS.mkdir(parents=True, exist_ok=True)

    def take(page: Page, name: str) -> None:
        page.screenshot(path=SHOTS / f"{name}.png")

    return take
