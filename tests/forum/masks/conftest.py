"""An image to paint on, and masks as people send them."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from PIL import Image as Pictures

from forum.boards.models import Board
from forum.images.models import Image
from forum.masks.models import Mask
from forum.members.models import Member
from tests.factories import a_thread

#: The shape of the images that factories make.
SIZE = (48, 32)


@pytest.fixture
def hill(plaza: Board, lin: Member) -> Image:
    """An image on the public board."""
    return a_thread(plaza, lin).first_image


@pytest.fixture
def river(rivers: Board, lin: Member) -> Image:
    """An image on the private board of Lin and Ada."""
    return a_thread(rivers, lin).first_image


@pytest.fixture
def media(settings) -> Callable[[], set[str]]:
    """Every file in the storage, by name."""
    root = Path(settings.MEDIA_ROOT)
    return lambda: {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}


def half(size: tuple[int, int] = SIZE, mode: str = "L") -> Pictures.Image:
    """White on the left, black on the right."""
    picture = Pictures.new("L", size)
    picture.paste(255, (0, 0, size[0] // 2, size[1]))
    return picture.convert(mode)


def sent(picture: Pictures.Image, kind: str = "PNG", **options: object) -> io.BytesIO:
    """A picture as it comes with a form."""
    out = io.BytesIO()
    picture.save(out, kind, **options)
    out.seek(0)
    out.name = f"mask.{kind.lower()}"
    return out


def pixels(mask: Mask) -> Pictures.Image:
    """What was stored."""
    with default_storage.open(mask.name) as file:
        picture = Pictures.open(file)
        picture.load()
    assert (picture.format, picture.mode) == ("PNG", "L")
    return picture
