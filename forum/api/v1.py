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
    methods,
    moderation,
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
`Retry-After` says for how many seconds. HEAD answers whatever GET does; OPTIONS says `Allow`; a body of
another type than described is 415. `Accept` is not weighed: answers are JSON, or the file's own type.
"""
#: What any operation may answer when it refuses.
REFUSALS = (400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 503, 507)
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

    @property
    def urls(self) -> Any:
        """Its addresses, each behind what it takes."""
        patterns, app, name = super().urls
        methods.guard(patterns, methods.addresses([*ROUTERS, self.default_router]))
        return patterns, app, name


ROUTERS = [
    room.router
    for room in (
        boards,
        images,
        masks,
        reruns,
        replies,
        drafts,
        beginnings,
        threads,
        plans,
        moderation,
    )
]
api = Api(
    title="Gegenbild",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    docs_url=None,
)
for router in ROUTERS:
    api.add_router("", router)
problems.register(api)


@api.get("/docs", auth=None, include_in_schema=False, url_name="docs")
def docs(request: HttpRequest) -> HttpResponse:
    """The description, as a page: from the schema, without scripts of others."""
    document = api.get_openapi_schema()
    groups = operations(document)
    base = request.build_absolute_uri("/api/v1")
    kinds = [(code, title, about) for code, (title, about) in problems.KINDS.items()]
    words = {"api": document["info"], "groups": groups, "base": base, "problems": kinds}
    return render(request, "api/docs.html", words)
