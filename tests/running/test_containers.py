"""The container files say what `manage.py up` does. (Docker itself is not needed for that.)"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from forum.running.address import Address
from forum.running.house import BASE, House
from forum.running.postgres import LEAST_VECTOR

DOCKER = Path(__file__).parents[2] / "docker"


@pytest.fixture
def services() -> dict[str, Any]:
    loaded = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    return {**loaded, **yaml.safe_load((DOCKER / "compose.gpu.yaml").read_text())["services"]}


def last_command(name: str) -> list[str]:
    """What CMD says in a Dockerfile."""
    text = (DOCKER / name).read_text().replace("\\\n", "")
    return list(json.loads(re.findall(r"^CMD (\[.*\])$", text, re.M)[-1]))


def test_the_web_container_runs_what_up_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FORUM_BEHIND_PROXY", "yes")
    house = House(tmp_path, Address("0.0.0.0", 8000), print)
    ours = [word for word in house.web().command[1:] if word not in {"--app-dir", str(BASE)}]
    assert last_command("web.Dockerfile") == ["python", *ours]


@pytest.mark.parametrize("name", ["worker", "studio"])
def test_workers_are_management_commands(services: dict[str, Any], name: str) -> None:
    python, manage, command = services[name]["command"]
    assert (python, manage) == ("python", "manage.py")
    assert command in get_commands()


def test_the_first_start_makes_tables_and_owner(services: dict[str, Any]) -> None:
    said = services["prepare"]["command"][-1]
    assert [part.split()[2] for part in said.split(" && ")] == ["migrate", "owner"]
    for name in ("web", "worker", "studio"):
        condition = services[name]["depends_on"]["prepare"]["condition"]
        assert condition == "service_completed_successfully"


def test_everyone_who_serves_is_always_started_again(services: dict[str, Any]) -> None:
    """A worker that lost its database ends with exit code 0: on-failure would leave it dead."""
    assert {name for name, each in services.items() if each["restart"] != "always"} == {"prepare"}


def test_grace_covers_what_the_processes_ask_for(services: dict[str, Any], tmp_path: Path) -> None:
    house = House(tmp_path, Address("127.0.0.1", 8000), print)
    for child in (house.web(), house.worker()):
        said = services[child.name]["stop_grace_period"]
        assert int(said[:-1]) * {"s": 1, "m": 60}[said[-1]] >= child.grace


def test_the_database_image_has_a_vector_extension_that_is_new_enough(
    services: dict[str, Any],
) -> None:
    found = re.search(r"pgvector:([\d.]+)-pg(\d+)$", services["postgres"]["image"])
    assert found is not None
    assert tuple(int(n) for n in found[1].split(".")) >= LEAST_VECTOR
    assert int(found[2]) >= 16


def test_no_password_is_written_down(services: dict[str, Any]) -> None:
    for each in services.values():
        for name, value in each["environment"].items():
            assert "PASSWORD" not in name or value.startswith("${POSTGRES_PASSWORD:?")


def test_nobody_runs_as_root_and_nothing_private_is_copied() -> None:
    for kind in ("web", "studio"):
        text = (DOCKER / f"{kind}.Dockerfile").read_text()
        assert text.rindex("USER forum") < text.rindex("CMD [")
        ignored = (DOCKER / f"{kind}.Dockerfile.dockerignore").read_text().split()
        assert {".env", ".git", "var", ".venv"} <= set(ignored)
