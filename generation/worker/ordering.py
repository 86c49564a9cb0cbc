"""Between a claimed job and the device host: the order as plain data, and its answer as a result.

`KINDS` says for each task how its order is built, which verb of the workshop (`verbs.VERBS`) carries
it out, and how the answer becomes a result.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from generation.jobs.files import Bench
from generation.jobs.publishing import Claim
from generation.models import Task
from generation.prompts import planning
from generation.requests import EditRequest, EmbedRequest, FilmRequest, LooksRequest
from generation.results import (
    EditResult,
    EmbedResult,
    FilmResult,
    LooksResult,
    RerunResult,
    Result,
    names_in,
    vectors,
)

__all__ = ["KINDS", "Kind", "names_in", "order_for", "result_of"]

Words = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of task goes to the host and comes back."""

    #: Plain data for the host, without "do" and "id". Raises `FileNotFoundError` for a source that
    #: is gone, `LookupError` for a preset that is.
    order: Callable[[Claim, Bench], Words]
    #: Name of the verb in `verbs.VERBS`.
    verb: str
    #: The answer as a result; moves its files to their final names.
    result: Callable[[Words, Bench], Result]


def order_for(held: Claim, bench: Bench) -> Words:
    """What the host is to do. Raises `FileNotFoundError` when a source is gone."""
    kind = KINDS[held.task]
    words = {"do": kind.verb, "id": bench.stem, **kind.order(held, bench)}
    if "folder" in words:
        bench.lay()
    return words


def result_of(held: Claim, answer: Words, bench: Bench) -> Result:
    """The host's answer as a result; files are moved to their final names."""
    return KINDS[held.task].result(answer, bench)


def edit_order(held: Claim, bench: Bench) -> Words:
    """A picture to be made from others."""
    request = EditRequest.from_json(held.request)
    return {
        "request": held.request,
        "preset": asdict(planning.preset(held.preset)),
        "sources": [bench.source(each.name) for each in request.sources],
        "mask": bench.source(request.mask.name) if request.mask else None,
        "folder": str(bench.folder),
        "stem": bench.stem,
        "compare_to": comparison(request, bench),
    }


def comparison(request: EditRequest, bench: Bench) -> dict[str, str] | None:
    """The stored picture of a rerun: its local path, and the hash its row has."""
    if request.compare_to is None:
        return None
    return {
        "path": bench.source(request.compare_to.name),
        "sha256": request.compare_to.sha256,
    }


def edited(answer: Words, bench: Bench) -> EditResult:
    """A picture with its strip."""
    file = bench.keep(answer["file"])
    strip = tuple(bench.keep(each) for each in answer["strip"])
    bench.flush()
    return EditResult(
        file=file,
        recipe={
            **answer["recipe"],
            "stages": answer["milliseconds"],
            "frames": answer.get("frames", []),
        },
        vectors=vectors(answer["vectors"]),
        pdq=answer["pdq"],
        pdq_quality=answer["pdq_quality"],
        strip=strip,
    )


def rerun(answer: Words, bench: Bench) -> RerunResult:
    """How a picture that was made again compares with the kept one."""
    return RerunResult.from_json(answer["comparison"])


def embed_order(held: Claim, bench: Bench) -> Words:
    """Vectors wanted of a stored picture."""
    wanted = EmbedRequest.from_json(held.request)
    return {"source": bench.source(wanted.source.name), "models": list(wanted.models)}


def embedded(answer: Words, bench: Bench) -> EmbedResult:
    """Vectors and hash."""
    return EmbedResult(vectors(answer["vectors"]), answer["pdq"], answer["pdq_quality"])


def film_order(held: Claim, bench: Bench) -> Words:
    """A film to be made of stored pictures."""
    request = FilmRequest.from_json(held.request)
    shots = [
        {"path": bench.source(each.picture.name), "title": each.title} for each in request.shots
    ]
    return {
        "film": {**request.as_json(), "shots": shots},
        "folder": str(bench.folder),
        "stem": bench.stem,
    }


def filmed(answer: Words, bench: Bench) -> FilmResult:
    """A film."""
    film = FilmResult(bench.keep(answer["file"]), answer["frames"], answer["seconds"])
    bench.flush()
    return film


def looks_order(held: Claim, bench: Bench) -> Words:
    """A sheet of looks to be made of a stored picture."""
    wanted = LooksRequest.from_json(held.request)
    return {
        "request": held.request,
        "preset": asdict(planning.preset(wanted.preset)),
        "source": bench.source(wanted.source.name),
        "folder": str(bench.folder),
        "stem": bench.stem,
    }


def looked(answer: Words, bench: Bench) -> LooksResult:
    """A sheet of looks."""
    looks = LooksResult(bench.keep(answer["file"]), tuple(answer["names"]))
    bench.flush()
    return looks


KINDS: dict[str, Kind] = {
    Task.EDIT: Kind(edit_order, "edit", edited),
    Task.RERUN: Kind(edit_order, "edit", rerun),
    Task.EMBED: Kind(embed_order, "embed", embedded),
    Task.FILM: Kind(film_order, "film", filmed),
    Task.LOOKS: Kind(looks_order, "looks", looked),
}
