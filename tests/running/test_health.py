"""GET /healthz: 200 only while every part answers; and it never hangs or breaks."""

import json
from typing import Any

import pytest

from forum.running import health
from forum.running.health import Door


@pytest.fixture(autouse=True)
def _parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of this test's own, asked afresh."""
    monkeypatch.setattr(health, "_checks", {name: lambda: "" for name in health.EXPECTED})
    monkeypatch.setattr(health, "_last", (float("-inf"), {}))
    monkeypatch.setattr(health.connections, "close_all", lambda: None)


async def ask(path: str = "/healthz", method: str = "GET") -> tuple[int, Any, dict[str, str]]:
    """Through the door as a server would come."""
    sent: list[dict[str, Any]] = []

    async def behind(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": []})
        await send({"type": "http.response.body", "body": b"null"})

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b""}

    scope = {"type": "http", "path": path, "method": method, "headers": []}
    await Door(behind)(scope, receive, send)
    headers = {k.decode(): v.decode() for k, v in sent[0]["headers"]}
    return sent[0]["status"], json.loads(sent[1]["body"] or b"null"), headers


async def test_all_well() -> None:
    status, body, headers = await ask()
    assert (status, body["status"]) == (200, "ok")
    assert body["parts"] == {"database": "ok", "bus": "ok", "workers": "ok"}
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("part", ["bus", "workers"])
async def test_what_is_missing_is_named(part: str) -> None:
    health.register(part, lambda: "is silent")
    status, body, _ = await ask()
    assert (status, body["status"]) == (503, "unavailable")
    assert body["parts"][part] == "is silent"
    assert body["parts"]["database"] == "ok"


async def test_without_a_database_nothing_else_is_asked() -> None:
    def never() -> str:
        raise AssertionError("was asked")

    health.register("database", lambda: "the database does not answer")
    health.register("workers", never)
    status, body, _ = await ask()
    assert status == 503
    assert body["parts"]["workers"] == "unknown without the database"


async def test_a_part_that_breaks_is_a_missing_part() -> None:
    def broken() -> str:
        raise KeyError("secret")

    health.register("bus", broken)
    status, body, _ = await ask()
    assert (status, body["parts"]["bus"]) == (503, "could not be asked (KeyError)")


async def test_a_part_that_was_never_started_is_missing() -> None:
    del health._checks["bus"]
    assert (await ask())[1]["parts"]["bus"] == "has not been started"


async def test_many_who_ask_cost_one_look() -> None:
    looks: list[int] = []

    def look() -> str:
        looks.append(1)
        return ""

    health.register("database", look)
    for _ in range(20):
        await ask()
    assert len(looks) == 1


async def test_other_paths_go_through() -> None:
    assert (await ask("/"))[0] == 299
    assert (await ask("/healthz/"))[0] == 299


async def test_head_has_no_body_and_other_methods_are_refused() -> None:
    assert (await ask(method="HEAD"))[:2] == (200, None)
    status, _, headers = await ask(method="POST")
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_a_database_that_is_away_is_noticed_at_once(settings: Any, tmp_path: Any) -> None:
    assert health.database() == ""
    settings.DATABASE_URL = f"postgres://x@/x?host={tmp_path}"
    assert health.database() == "the database does not answer"


@pytest.mark.django_db
def test_only_a_worker_heard_of_lately_counts() -> None:
    from datetime import timedelta

    from django.utils import timezone

    from generation.models import Worker

    assert health.workers() == "no worker has been heard of lately"
    now = timezone.now()
    worker = Worker.objects.create(name="w", started_at=now, seen_at=now - timedelta(minutes=2))
    assert health.workers() == "no worker has been heard of lately"
    Worker.objects.filter(pk=worker.pk).update(seen_at=now)
    assert health.workers() == ""
