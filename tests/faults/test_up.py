"""`manage.py up`: from nothing to a living house, through kills, and to an end that leaves nothing."""

import os
import signal
import socket

import psycopg
import pytest

from forum.running.processes import runs, until
from tests.faults.house import NAMES, House, busy

pytestmark = pytest.mark.fault

SECOND_START = 8.0  # seconds, on a machine that does nothing else


def all_gone(pids: dict[str, int], seconds: float = 0) -> bool:
    return until(lambda: not any(runs(pid) for pid in pids.values()), seconds)


def test_from_nothing_to_an_end_that_leaves_nothing(house: House) -> None:
    house.start()
    said = house.log.read_text()
    assert said.count("Shown this once") == 1
    assert f"http://localhost:{house.port}/" in said or until(
        lambda: f"http://localhost:{house.port}/" in house.log.read_text(), 5
    )
    pids = house.pids()
    assert set(pids) == set(NAMES)
    assert house.manage("doctor").returncode == 0
    assert house.end(signal.SIGINT) == 0
    assert all_gone(pids)

    took = house.start()
    assert took < SECOND_START * busy()
    assert house.log.read_text().count("Shown this once") == 1
    pids = house.pids()
    assert house.end(signal.SIGTERM) == 0
    assert all_gone(pids)


def test_killing_the_supervisor_ends_all_and_the_next_start_recovers(house: House) -> None:
    house.start()
    pids = house.pids()
    house.end(signal.SIGKILL)
    assert all_gone(pids, 40)
    house.start()
    assert set(house.pids()) == set(NAMES)


@pytest.mark.parametrize("name", ["web", "worker"])
def test_a_killed_process_comes_back(standing_house: House, name: str) -> None:
    old = standing_house.signal(name, signal.SIGKILL)
    standing_house.wait_for_another(name, old)
    standing_house.wait_until_well()


def test_a_killed_database_comes_back_with_its_rows(standing_house: House) -> None:
    rows = standing_house.ask("SELECT count(*) FROM forum_member")
    old = standing_house.signal("database", signal.SIGKILL)
    standing_house.wait_for_another("database", old)
    standing_house.wait_until_well()
    assert standing_house.ask("SELECT count(*) FROM forum_member") == rows


def test_a_killed_backend_is_healed(standing_house: House) -> None:
    with pytest.raises(psycopg.OperationalError), standing_house.connect() as connection:
        pid = connection.info.backend_pid
        os.kill(pid, signal.SIGKILL)
        connection.execute("SELECT 1")
    standing_house.wait_until_well()


def test_a_second_house_on_the_same_data_is_refused(standing_house: House) -> None:
    second = standing_house.manage("up")
    assert second.returncode == 2
    assert "already runs with the data" in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    standing_house.wait_until_well()


def test_a_port_in_use_is_one_line_and_code_2(house: House) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", house.port))
        taken.listen()
        refused = house.manage("up")
    assert refused.returncode == 2
    assert refused.stderr.strip().splitlines() == [
        f"Port {house.port} on 127.0.0.1 is in use. End what uses it, or choose another: "
        f"PORT={house.port + 1} make run"
    ]
    assert house.pids() == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("HOST", "203.0.113.77"),
        ("FORUM_DATABASE_OS_USER", "no-such-user"),
        ("FORUM_DATABASE_SETTINGS", "plenty"),
        ("DATABASE_URL", "postgres://x@127.0.0.1:1/x"),
    ],
)
def test_a_switch_that_cannot_be_is_one_line_and_code_2(
    house: House, name: str, value: str
) -> None:
    house.environment[name] = value
    refused = house.manage("up")
    assert refused.returncode == 2
    assert "Traceback" not in refused.stderr
    assert len(refused.stderr.strip().splitlines()) <= 2
    assert house.pids() == {}
