"""Between a claimed job and the device host: the order as plain data, and its answer as a result."""

from dataclasses import asdict
from typing import Any

from generation import planning
from generation.files import Bench
from generation.models import Task
from generation.publishing import Claim
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

__all__ = ["names_in", "order_for", "result_of"]


def order_for(held: Claim, bench: Bench) -> dict[str, Any]:
    """What the host is to do. Raises `FileNotFoundError` when a source is gone."""
    if held.task == Task.EMBED:
        wanted = EmbedRequest.from_json(held.request)
        return {
            "do": "embed",
            "id": bench.stem,
            "source": bench.source(wanted.source.name),
            "models": list(wanted.models),
        }
    if held.task == Task.FILM:
        return film_order(FilmRequest.from_json(held.request), bench)
    if held.task == Task.LOOKS:
        return looks_order(held.request, bench)
    request = EditRequest.from_json(held.request)
    return {
        "do": "edit",
        "id": bench.stem,
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


def film_order(request: FilmRequest, bench: Bench) -> dict[str, Any]:
    """A film to be made. Raises `FileNotFoundError` when one of its pictures is gone."""
    shots = [
        {"path": bench.source(each.picture.name), "title": each.title} for each in request.shots
    ]
    words = {**request.as_json(), "shots": shots}
    return {
        "do": "film",
        "id": bench.stem,
        "film": words,
        "folder": str(bench.folder),
        "stem": bench.stem,
    }


def looks_order(request: dict[str, Any], bench: Bench) -> dict[str, Any]:
    """A sheet of looks to be made. Raises `FileNotFoundError` when the picture is gone."""
    wanted = LooksRequest.from_json(request)
    return {
        "do": "looks",
        "id": bench.stem,
        "request": request,
        "preset": asdict(planning.preset(wanted.preset)),
        "source": bench.source(wanted.source.name),
        "folder": str(bench.folder),
        "stem": bench.stem,
    }


def result_of(answer: dict[str, Any], bench: Bench) -> Result:
    """The host's answer as a result; files are moved to their final names."""
    if answer["say"] == "embedded":
        return EmbedResult(vectors(answer["vectors"]), answer["pdq"], answer["pdq_quality"])
    if answer["say"] == "compared":
        return RerunResult.from_json(answer["comparison"])
    if answer["say"] == "filmed":
        film = FilmResult(bench.keep(answer["file"]), answer["frames"], answer["seconds"])
        bench.flush()
        return film
    if answer["say"] == "looked":
        looks = LooksResult(bench.keep(answer["file"]), tuple(answer["names"]))
        bench.flush()
        return looks
    file = bench.keep(answer["file"])
    strip = tuple(bench.keep(each) for each in answer["strip"])
    bench.flush()
    return EditResult(
        file=file,
        recipe={**answer["recipe"], "stages": answer["milliseconds"]},
        vectors=vectors(answer["vectors"]),
        pdq=answer["pdq"],
        pdq_quality=answer["pdq_quality"],
        strip=strip,
    )
