"""/images/{id}/reruns and /films: making again and comparing; films of an image."""

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from ninja import Field, Path, Router, Schema, Status
from pydantic import ConfigDict

from forum.api import schemas, showing
from forum.api.images import Id, find
from forum.api.keys import Caller, once, reader, writer
from forum.api.problems import reason_of
from forum.films import actions as films
from forum.films import views as doors
from forum.films.cards import cards_for as film_cards
from forum.films.models import Film, FilmState
from forum.reruns import actions
from forum.reruns.models import Rerun
from forum.web import MemberRequest, Request

router = Router(tags=["reruns and films"])
FilmId = Annotated[int, Path(ge=1, le=2**63 - 1)]
#: How many reruns a list holds.
WINDOW = 100


class Difference(Schema):
    """One thing that is not as it was the first time."""

    what: str = Field(
        description="A library, a field of the recipe, `weights` and which, `file` or `unknown`."
    )
    then: str
    now: str


class RerunOut(Schema):
    """One time that a derivative was made again."""

    id: int
    image: int
    asker: str | None
    state: Literal["waiting", "done", "failed"]
    verdict: Literal["identical", "same", "different"] | None
    error: schemas.Reason | None
    because: list[Difference] = Field(description="What is not as it was; empty when identical.")
    pdq_distance: int | None = Field(description="Bits of 256 in which the PDQ hashes differ.")
    largest: int | None = Field(description="Largest difference of a channel, 0 to 255.")
    mean: float | None
    differing: float | None = Field(description="Share of pixels that differ, 0 to 1.")
    versions_then: dict[str, str]
    versions_now: dict[str, str]
    created_at: datetime
    ended_at: datetime | None


class FilmIn(Schema):
    """A film that is wanted."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["lineage", "strip"] = "lineage"
    format: Literal["webp", "mp4"] = "webp"
    titled: bool = Field(default=False, description="Whether what was said stands below.")


class FilmOut(Schema):
    """A film of an image."""

    id: int
    url: str
    page: str
    image: int
    kind: Literal["lineage", "strip"]
    format: Literal["webp", "mp4"]
    titled: bool
    maker: str | None
    state: Literal["waiting", "done", "failed", "cancelled"]
    progress: float
    error: schemas.Reason | None
    file: str | None = Field(description="Where its bytes are; null until it is done.")
    bytes: int
    seconds: float
    created_at: datetime


@router.post(
    "/images/{int:image}/reruns",
    auth=writer,
    response={202: RerunOut},
    url_name="reruns",
)
@once
def post_rerun(request: MemberRequest, response: HttpResponse, image: Id) -> Status[RerunOut]:
    """Have a derivative made once more from its recipe and compared. One that waits is that one."""
    made = actions.run_again(image=find(request, image), by=request.member)
    address = reverse("api:reruns", args=[image])
    response.headers["Location"] = request.build_absolute_uri(address)
    return Status(202, rerun(made))


@router.get(
    "/images/{int:image}/reruns",
    auth=reader,
    response=list[RerunOut],
    url_name="reruns",
)
def list_reruns(request: Request, image: Id) -> list[RerunOut]:
    """How often a derivative was made again, and how that came out; newest first."""
    return [rerun(each) for each in Rerun.objects.of(find(request, image))[:WINDOW]]


def rerun(row: Rerun) -> RerunOut:
    """A rerun as the API shows it."""
    return RerunOut(
        id=row.pk,
        image=row.image_id,
        asker=showing.name_of(row.asker),
        state=row.state,  # type: ignore[arg-type]
        verdict=row.verdict or None,  # type: ignore[arg-type]
        error=schemas.Reason(**found) if (found := reason_of(row.reason)) else None,
        because=[Difference(**each) for each in row.because],
        pdq_distance=row.pdq_distance,
        largest=row.largest,
        mean=row.mean,
        differing=row.differing,
        versions_then=row.versions_then,
        versions_now=row.versions_now,
        created_at=row.created_at,
        ended_at=row.ended_at,
    )


@router.post(
    "/images/{int:image}/films",
    auth=writer,
    response={202: FilmOut},
    url_name="films",
)
@once
def post_film(
    request: MemberRequest, response: HttpResponse, image: Id, words: FilmIn
) -> Status[FilmOut]:
    """Have a film made of an image's lineage or strip, or get the one there is."""
    film = films.make(
        image=find(request, image),
        kind=words.kind,
        form=words.format,
        titled=words.titled,
        by=request.member,
    )
    shown = film_out(request, film)
    response.headers["Location"] = shown.url
    return Status(202, shown)


@router.get("/films/{int:film}", auth=reader, response=FilmOut, url_name="film")
def get_film(request: Request, film: FilmId) -> FilmOut:
    """How a film stands; `file` is where its bytes are once it is done."""
    rows = Film.objects.visible_to(request.member).select_related("maker")
    return film_out(request, get_object_or_404(rows, pk=film))


@router.get(
    "/films/{int:film}/file",
    auth=reader,
    url_name="film-file",
    openapi_extra={"responses": {200: {"description": "A film.", "content": {"image/webp": {}}}}},
)
def get_film_file(request: Request, film: FilmId) -> HttpResponse:
    """The bytes of a film, WebP or MP4, for those who may look at every image in it."""
    return doors.film_file(request, film)


def film_out(request: Caller, film: Film) -> FilmOut:
    """A film as the API shows it."""
    [card] = film_cards([film])
    step, total = (card.standing.step, card.standing.total) if card.standing else (0, 0)
    done = film.state == FilmState.DONE
    file = request.build_absolute_uri(reverse("api:film-file", args=[film.pk])) if done else None
    return FilmOut(
        id=film.pk,
        url=request.build_absolute_uri(reverse("api:film", args=[film.pk])),
        page=request.build_absolute_uri(film.get_absolute_url()),
        image=film.image_id,
        kind=film.kind,  # type: ignore[arg-type]
        format=film.format,  # type: ignore[arg-type]
        titled=film.titled,
        maker=showing.name_of(film.maker),
        state=film.state,  # type: ignore[arg-type]
        progress=1.0 if done else round(min(step / total, 0.99), 3) if total else 0.0,
        error=schemas.Reason(**found) if (found := reason_of(film.reason)) else None,
        file=file,
        bytes=film.bytes,
        seconds=film.seconds,
        created_at=film.created_at,
    )
