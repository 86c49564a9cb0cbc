"""Between a claimed job and the device host: the order as plain data, and its answer as a result."""

from dataclasses import asdict
from typing import Any

from generation import planning
from generation.files import Bench
from generation.models import Task
from generation.publishing import Claim
from generation.requests import EditRequest, EmbedRequest
from generation.results import EditResult, EmbedResult, vectors


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
    }


def result_of(answer: dict[str, Any], bench: Bench) -> EditResult | EmbedResult:
    """The host's answer as a result; files of an edit are moved to their final names."""
    if answer["say"] == "embedded":
        return EmbedResult(vectors(answer["vectors"]), answer["pdq"], answer["pdq_quality"])
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


def names_in(result: EditResult | EmbedResult) -> list[str]:
    """Names of the files of a result, the picture first."""
    if isinstance(result, EmbedResult):
        return []
    return [result.file.name, *(each.name for each in result.strip)]
