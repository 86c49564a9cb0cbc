"""Uploads, images and the folder they lie in."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from forum.boards.models import Board
from forum.images import actions
from forum.images.ingest import Ingested, ingest
from forum.images.models import Image
from forum.members.models import Member
from forum.threads.models import Thread
from generation.results import EditResult, StoredFile
from tests.forum.images.odd import encoded, photograph, quarters

WORDS = {
    "title": "", "alt": "", "licence": "CC-BY-4.0", "allow_derivatives": True,
    "origin": "unknown", "language": "", "key": "",
}  # fmt: skip


@pytest.fixture
def media(settings) -> Path:
    """The folder of this test's files."""
    return Path(settings.MEDIA_ROOT)


@pytest.fixture
def left_behind(media: Path) -> Callable[[], list[str]]:
    """Every file under media and aside, by name; slots are no files of anybody."""

    def files() -> list[str]:
        folders = (media, media.parent / "incoming")
        return [str(p) for folder in folders for p in folder.rglob("*")]

    return files


@pytest.fixture
def take(lin: Member) -> Callable[..., Ingested]:
    """Ingest bytes as Lin."""

    def ingest_bytes(data: bytes, member: Member | None = None) -> Ingested:
        return ingest(io.BytesIO(data), member=member or lin)

    return ingest_bytes


@pytest.fixture
def original(take) -> Callable[..., Image]:
    """Post a picture in a board: `original(board, author, title=…)`."""

    def post(board: Board, author: Member, data: bytes | None = None, **words: object) -> Image:
        taken = take(data or encoded(photograph(), "JPEG"), author)
        thread = Thread.objects.create(board=board)
        image = actions.add_original(
            ingested=taken, thread=thread, board=board, author=author, **{**WORDS, **words}
        )
        if image.thread_id == thread.pk:  # a repeated form is the first image, in its own thread
            thread.first_image = image
            thread.save()
        return image

    return post


JOBS = iter(range(1, 10_000))


def a_result(name: str = "", size: tuple[int, int] = (160, 120), strip: int = 0) -> EditResult:
    """A finished derivative whose files really lie in the storage."""
    files = [
        stored(name or f"results/{next(JOBS)}/{number}.webp", size) for number in range(strip + 1)
    ]
    return EditResult(
        file=files[0], recipe={"prompt": "make it night", "seed": 7}, strip=tuple(files[1:])
    )


def stored(name: str, size: tuple[int, int]) -> StoredFile:
    """A WebP file in the storage."""
    import hashlib

    data = encoded(quarters(size), "WEBP", quality=90)
    name = default_storage.save(name, ContentFile(data))
    return StoredFile(name, "image/webp", len(data), hashlib.sha256(data).hexdigest(), *size)


@pytest.fixture
def derivative(db) -> Callable[..., Image]:
    """Take in a derivative of some sources: `derivative(source, further, author=…)`."""

    def make(*sources: Image, author: Member | None = None, **more: object) -> Image:
        return actions.add_derivative(
            job_id=more.pop("job_id", next(JOBS)),
            result=more.pop("result", None) or a_result(),
            thread=more.pop("thread", sources[0].thread),
            author=author,
            sources=sources,
            alt="",
            language="en",
        )

    return make
