"""Whatever is sent, the API answers as it says it does, and never with a 500."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as limits
from schemathesis import GenerationMode
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig

from tests.forum.api.conftest import PROBLEM


def description():
    """The OpenAPI document as schemathesis reads it."""
    from forum.api.v1 import api

    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    generation = GenerationConfig(modes=modes)
    projects = ProjectsConfig(default=ProjectConfig(generation=generation))
    config = SchemathesisConfig(projects=projects)
    return schemathesis.openapi.from_dict(api.get_openapi_schema(), config=config)


OPERATIONS = [result.ok() for result in description().get_all_operations()]


@pytest.mark.django_db
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda each: each.label)
def test_every_answer_is_as_described(operation, calls, hill, asked, lin, settings):
    settings.FORUM_API_PER_MINUTE = 10**6
    program = calls(lin)
    explore(operation, program, send)


def explore(operation, program, test) -> None:
    """Try generated calls, good and bad, one after the other."""
    strategy = operation.as_strategy(GenerationMode.POSITIVE) | operation.as_strategy(
        GenerationMode.NEGATIVE
    )
    quiet = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]

    @limits(
        max_examples=25, deadline=None, database=None, derandomize=True, suppress_health_check=quiet
    )
    @given(case=strategy)
    def run(case) -> None:
        test(case, program)

    run()


def send(case, program) -> None:
    """Send one case and hold the answer against the description."""
    words = case.as_transport_kwargs(base_url="http://localhost")
    answer = answered(program, words)
    assert answer.status_code < 500 or answer.status_code in {503, 507}, answer.content
    known = {str(status) for status in case.operation.definition.raw["responses"]}
    assert str(answer.status_code) in known, (answer.status_code, answer.content[:300])
    if answer.status_code >= 400:
        assert answer.headers["Content-Type"] == PROBLEM


def answered(program, words):
    """As Django's client sends what schemathesis would send over the wire."""
    import requests

    kept = {"method", "url", "params", "data", "json", "files", "headers", "cookies"}
    asked = {name: value for name, value in words.items() if name in kept and value is not None}
    ready = requests.Request(**asked).prepare()
    body = ready.body if ready.body is not None else b""
    body = body.encode() if isinstance(body, str) else body
    headers = {
        name: value if isinstance(value, str) else value.decode("latin-1")
        for name, value in ready.headers.items()
        if name.lower() not in {"content-length", "content-type", "host", "authorization", "cookie"}
    }
    return program.client.generic(
        ready.method,
        ready.path_url,
        body,
        content_type=str(ready.headers.get("Content-Type", "")),
        headers=program.headers(headers),
    )
