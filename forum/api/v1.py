"""The API, version 1: put together, described, and shown at /api/v1/docs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI

from forum.api import (
    beginnings,
    boards,
    drafts,
    images,
    masks,
    plans,
    problems,
    replies,
    reruns,
    schemas,
    threads,
)
from forum.api.reading import operations

DESCRIPTION = """\
Everything a member does on the pages, a program does here, through the same verbs and with the same
rights. Send `Authorization: Bearer gb_…` with a token from your settings; what is public can be read
without. Every error is a problem document (RFC 9457, `application/problem+json`) with a stable `code`.
Lists come in pages: give `next` back as `cursor`. A POST with an `Idempotency-Key` may be repeated: it
is done once, and the same key for something else is 409. Over the limit the answer is 429, and
`Retry-After` says for how many seconds.
"""
#: What any operation may answer when it refuses.
REFUSALS = (400, 401, 403, 404, 405, 408, 409, 413, 422, 429, 503, 507)
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Any text of your own, at most 255 characters; a repetition is done once.",
    "schema": {"type": "string", "maxLength": 255},
}


class Api(NinjaAPI):
    """Describes what every operation has in common, once."""

    def get_openapi_schema(self, **words: Any) -> Any:
        """The OpenAPI document, with refusals and the key for repetitions."""
        document = super().get_openapi_schema(**words)
        shapes = document["components"]["schemas"]
        shapes["Problem"] = schemas.Problem.model_json_schema(
            ref_template="#/components/schemas/{model}"
        )
        refusal = {
            "description": "Refused.",
            "content": {problems.MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for path in document["paths"].values():
            for method, operation in path.items():
                operation["responses"].update(dict.fromkeys(REFUSALS, refusal))
                if method == "post":
                    operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
        return document


api = Api(
    title="Gegenbild",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url=None,
)
for room in (boards, images, masks, reruns, replies, drafts, beginnings, threads, plans):
    api.add_router("", room.router)
problems.register(api)


@api.get("/docs", auth=None, include_in_schema=False, url_name="docs")
def docs(request: HttpRequest) -> HttpResponse:
    """The description, as a page: from the schema, without scripts of others."""
    document = api.get_openapi_schema()
    groups = operations(document)
    base = request.build_absolute_uri("/api/v1")
    words = {"api": document["info"], "groups": groups, "base": base}
    return render(request, "api/docs.html", words)
