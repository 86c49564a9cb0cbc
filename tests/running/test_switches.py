"""A house that is wrongly set names the switch in one line and ends with exit code 2."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from forum.running.switches import Switches, WronglySet
from tests.running.test_supervisor import House

ROOT = Path(__file__).parents[2]
ADDRESS = "postgres://nobody@127.0.0.1:1/none"


def run(folder: Path, *command: str, **switches: str) -> subprocess.CompletedProcess[str]:
    """A program of the forum with these switches and no database."""
    settings = {"FORUM_DATA_DIR": str(folder), "DATABASE_URL": ADDRESS, **switches}
    return subprocess.run(
        [sys.executable, *command], cwd=ROOT, env={**os.environ, **settings},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("switches", "said"),
    [
        ({"FORUM_UPLOAD_MB": "abc"}, "FORUM_UPLOAD_MB is 'abc'; it must be a whole number."),
        ({"FORUM_DRAIN_SECONDS": "long"}, "FORUM_DRAIN_SECONDS is 'long'; it must be a number."),
        ({"FORUM_HTTPS": "perhaps"}, "FORUM_HTTPS is 'perhaps'; it must be yes or no."),
        ({"SIGNUP_MODE": "vip"}, "SIGNUP_MODE is 'vip'. Use one of: open, invite, closed."),
        ({"FORUM_UPLOAD_MB": "0"}, "FORUM_UPLOAD_MB is 0. Use a whole number, at least 1."),
        ({"DATABASE_URL": "postgres://a@b:port/c"}, "DATABASE_URL cannot be read: Port could"),
        (
            {"FORUM_DEFAULT_PRESET": "zz"},
            "FORUM_DEFAULT_PRESET is 'zz', which is no preset. Use one of: darkroom,",
        ),
        (
            {"FORUM_DEFAULT_GPU_PRESET": "zz"},
            "FORUM_DEFAULT_GPU_PRESET is 'zz'. Use one of: darkroom,",
        ),
        ({"SECRET_KEY": "geheim"}, "SECRET_KEY has 6 characters. Give it 32 random characters"),
    ],
)
def test_the_web_process_refuses_to_serve(tmp_path, switches, said):
    done = run(tmp_path, "-c", "import forum.asgi", **switches)
    assert done.returncode == 2
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["migrate", "worker", "owner", "demo"])
@pytest.mark.parametrize("name", ["FORUM_DEFAULT_PRESET", "SECRET_KEY"])
def test_so_do_commands_that_serve_or_prepare_for_it(tmp_path, command, name):
    done = run(tmp_path, "manage.py", command, **{name: "zz"})
    assert done.returncode == 2
    assert done.stderr.startswith(name) and len(done.stderr.splitlines()) == 1
    assert "'zz'" not in done.stderr or name != "SECRET_KEY", "a key is not repeated"


def test_a_short_key_will_do_for_those_who_develop(tmp_path):
    done = run(tmp_path, "-c", "import forum.asgi", SECRET_KEY="zz", DEBUG="yes")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_key_that_is_made_is_long_enough(tmp_path):
    done = run(tmp_path, "-c", "import forum.asgi", SECRET_KEY="")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("address", ["mysql://a/b", "sqlite:///x.db", "nonsense"])
@pytest.mark.parametrize("command", [("manage.py", "doctor"), ("-m", "forum.running")])
def test_another_database_is_refused(tmp_path, command, address):
    done = run(tmp_path, *command, DATABASE_URL=address, PORT="65001")
    assert done.returncode == 2
    assert done.stderr.startswith("DATABASE_URL must be the address of a PostgreSQL")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("word", ["yes", "TRUE", " 1 ", "on"])
def test_words_for_yes(monkeypatch, word):
    monkeypatch.setenv("FORUM_DEMO", word)
    assert Switches().bool("FORUM_DEMO", default=False)


@pytest.mark.parametrize("word", ["no", "False", "0", "off", ""])
def test_words_for_no(monkeypatch, word):
    monkeypatch.setenv("FORUM_DEMO", word)
    assert not Switches().bool("FORUM_DEMO", default=False)


def test_what_is_not_set_has_its_default(monkeypatch):
    monkeypatch.delenv("FORUM_DEMO", raising=False)
    assert Switches().bool("FORUM_DEMO", default=True)
    assert Switches().int("FORUM_NOTHING", default=7) == 7
    with pytest.raises(WronglySet):
        Switches().database("mysql://a/b")


def test_a_child_that_refuses_ends_the_house(tmp_path):
    house = House(tmp_path, "quiet", "refusing")
    assert house.process.wait(20) == 2
    assert house.lines("refusing refuses to start like this.")
    assert house.lines("all ended")
