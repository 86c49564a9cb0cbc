"""The cast and the places. Who they are is the permission model, so tests can be short."""

import itertools
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from forum.boards.models import Board, Membership, Visibility
from forum.members.models import Member, Role
from tests.studio import _workshop, studio  # noqa: F401  fixtures
from tests.workers import gate, workers  # noqa: F401  fixtures

NUMBERS = itertools.count(1)
PHOTOGRAPHS = Path(__file__).resolve().parents[1].parent / "shared" / "images"


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Journeys come last, the first dialogue before the others.

    Playwright keeps an event loop running in this thread until the session ends, beside which no
    asynchronous test can run. And the dialogue looks for a resonance: in a house into which others
    have posted the same photograph, it would find theirs.
    """
    items.sort(key=lambda item: ("journeys" in item.path.parts, "dialogue" not in item.name))


@pytest.fixture(autouse=True)
def _own_media(tmp_path: Path, settings) -> None:
    """Every test writes its files into a folder of its own."""
    storages = {**settings.STORAGES}
    storages["default"] = {
        **storages["default"],
        "OPTIONS": {**storages["default"].get("OPTIONS", {}), "location": str(tmp_path / "media")},
    }
    settings.STORAGES = storages
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.FORUM_FREE_MB = 0


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Before the test database is dropped, hang up whoever a killed or sleeping thread left behind."""
    yield
    with django_db_blocker.unblock(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def a_member(username: str = "", role: str = Role.MEMBER, **more: object) -> Member:
    """Somebody new, with the password "open sesame 7"."""
    return Member.objects.create_user(
        username=username or f"member{next(NUMBERS)}", password="open sesame 7", role=role, **more
    )


@pytest.fixture
def owner(db: None) -> Member:
    """Runs the instance."""
    return a_member("olga", Role.OWNER)


@pytest.fixture
def moderator(db: None) -> Member:
    """Moderates the whole house."""
    return a_member("moss", Role.MODERATOR)


@pytest.fixture
def lin(db: None) -> Member:
    """A member who belongs to the private board 'Rivers'."""
    return a_member("lin", name="Lin")


@pytest.fixture
def ada(db: None) -> Member:
    """A second member of 'Rivers'."""
    return a_member("ada", name="Ada")


@pytest.fixture
def wen(db: None) -> Member:
    """A member who speaks Chinese and belongs to no private board."""
    return a_member("wen", name="文", language="zh-hans")


@pytest.fixture
def plaza(owner: Member) -> Board:
    """A public board."""
    return Board.objects.create(slug="plaza", title="Plaza", made_by=owner)


@pytest.fixture
def salon(owner: Member) -> Board:
    """A board for signed-in members."""
    return Board.objects.create(
        slug="salon", title="Salon", made_by=owner, visibility=Visibility.MEMBERS
    )


@pytest.fixture
def rivers(owner: Member, lin: Member, ada: Member) -> Board:
    """A private board of Lin and Ada."""
    board = Board.objects.create(
        slug="rivers", title="Rivers", made_by=owner, visibility=Visibility.PRIVATE
    )
    for member in (lin, ada):
        Membership.objects.create(board=board, member=member)
    return board


@pytest.fixture
def browse(db: None):
    """A client signed in as somebody, or as nobody: `browse(lin).get(...)`."""

    def as_(member: Member | None = None) -> Client:
        client = Client()
        if member is not None:
            client.force_login(member, backend=settings.AUTHENTICATION_BACKENDS[0])
        return client

    return as_


@pytest.fixture(scope="session")
def photographs() -> list[Path]:
    """Openly licensed photographs beside the checkout; skips with a word where they are missing."""
    found = sorted(p for p in PHOTOGRAPHS.glob("*") if p.suffix in {".jpg", ".png", ".webp"})
    if not found:
        pytest.skip(f"no photographs in {PHOTOGRAPHS.name}/")
    return found
