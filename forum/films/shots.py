"""Which pictures a film shows, in order, as one person may see them."""

from dataclasses import dataclass

from forum.films.models import FilmKind
from forum.images.lineage import ancestors
from forum.images.models import File, FileRole, Image, ImageState
from forum.members.models import Member
from generation.requests import FilmRequest, ImageRef, Shot

#: Longer side in pixels, seconds a picture stays, seconds it takes to become the next; by kind.
#: Kept frames are small and many, so they pass quickly.
MANNER = {FilmKind.LINEAGE: (720, 1.6, 0.7), FilmKind.STRIP: (512, 0.35, 0.25)}
#: Ancestors at most; the studio takes 48 pictures.
MOST = 40
#: Longest title in characters.
LONGEST = 90


@dataclass(frozen=True, slots=True)
class Cut:
    """The pictures of a film with the images they are of."""

    images: tuple[Image, ...]
    shots: tuple[Shot, ...]

    @property
    def is_film(self) -> bool:
        """Whether anything moves."""
        return len(self.shots) > 1

    def request(self, kind: str, form: str) -> FilmRequest:
        """What the studio is asked for."""
        side, hold, fade = MANNER[FilmKind(kind)]
        return FilmRequest(shots=self.shots, format=form, side=side, hold=hold, fade=fade)


def cut(image: Image, kind: str, viewer: Member | None, *, titled: bool = False) -> Cut:
    """The pictures for a film of this kind; `image` comes with its files."""
    return strip(image) if kind == FilmKind.STRIP else line(image, viewer, titled=titled)


def line(image: Image, viewer: Member | None, *, titled: bool = False) -> Cut:
    """From the oldest ancestor to `image`; grey places drop out."""
    older = [each.image for each in ancestors(image, viewer, MOST) if each.image is not None]
    shown = [each for each in [*older, image] if each.state == ImageState.READY]
    pairs = [(each, each.file(FileRole.DISPLAY)) for each in shown]
    found = [(each, file) for each, file in pairs if file is not None]
    return Cut(
        tuple(each for each, _ in found),
        tuple(Shot(ref(file), title(each) if titled else "") for each, file in found),
    )


def strip(image: Image) -> Cut:
    """The kept frames of its coming into being, and the finished picture."""
    kept = sorted(
        (file for file in image.files.all() if file.role == FileRole.STRIP),
        key=lambda file: file.position,
    )
    finished = image.file(FileRole.DISPLAY)
    if not kept or finished is None:
        return Cut((image,), ())
    return Cut((image,), tuple(Shot(ref(file)) for file in [*kept, finished]))


def title(image: Image) -> str:
    """What was said with it."""
    prompt = str(image.recipe.get("prompt", "")) if image.recipe else ""
    said = " ".join((prompt or image.title).split())
    return said if len(said) <= LONGEST else said[: LONGEST - 1] + "…"


def ref(file: File) -> ImageRef:
    """A stored file as the studio takes it."""
    return ImageRef(sha256=file.sha256, name=file.name, size=(file.width, file.height))
