"""`manage.py engines list`, `verify` and `remove`, against a hub of our own."""

import json
import re
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from generation import queue
from generation.engines.sources import absent, lacking
from generation.prompts import planning
from generation.weights import manifest
from generation.worker.serving import served
from generation.worker.supervisor import queues_for
from tests.generation.weights.asking import LARGE, folder, refused, run
from tests.generation.weights.hub import MODEL, NEWER, SHA, Hub, safetensors

pytest.importorskip("generation.weights.pulling", reason="needs the extra diffusers")


@pytest.mark.django_db
def test_list_says_what_is_here(hub: Hub) -> None:
    """Engine, weights, licence, memory and switches of every preset."""

    def rows() -> dict[str, str]:
        return {line.split()[0]: line for line in run("list").splitlines()}

    assert "missing, not pinned" in rows()["tiny"] and "1 GB" in rows()["tiny"]
    assert "not needed" in rows()["darkroom"]
    run("pull", "tiny")
    queue.disable("tiny")
    assert f"here, @ {NEWER[:12]}" in rows()["tiny"] and rows()["tiny"].endswith("no")


EYES = """
[tiny.parts]
eye = { model = "tiny/eye", licence = "MIT", files = ["config.json", "model.safetensors"] }
[like-tiny]
like = "tiny"
titles = { en = "Like tiny", zh-hans = "也小" }
"""


@pytest.mark.django_db
def test_parts_are_listed_fetched_and_looked_into(hub: Hub, tmp_path: Path) -> None:
    """With a licence of their own; a preset like another has the same, at the same commit."""
    with (tmp_path / "own.toml").open("a") as file:
        file.write(EYES)
    hub.repositories["tiny/eye"] = {
        "model.safetensors": safetensors(100),
        "model_spare.safetensors": safetensors(200),
        "config.json": b"{}",
    }
    lines = [line.split() for line in run("list").splitlines()]
    assert ["eye", "missing,", "not", "pinned", "MIT"] in lines
    assert "tiny/eye at cdcdcdcdcdcd: 2 files, 0.0 MB, MIT" in run("pull", "tiny")
    lines = [line.split() for line in run("list").splitlines()]
    assert ["eye", "here,", "@", NEWER[:12], "MIT"] in lines
    eye = tmp_path / "models" / "tiny--eye" / NEWER
    assert json.loads((eye / "weights.json").read_text())["licence"] == "MIT"
    assert manifest.present(planning.preset("like-tiny"))
    (eye / "config.json").write_text("{ }")
    said = run("verify", "like-tiny")
    assert said.startswith("exit 1") and "tiny/eye: config.json has 3 bytes instead of 2" in said


def test_verify_names_each_wrong_and_missing_file(hub: Hub, tmp_path: Path) -> None:
    """Exit code 1."""
    run("pull", "tiny")
    here = folder(tmp_path)
    content = bytearray((here / LARGE).read_bytes())
    content[-1] ^= 1
    (here / LARGE).write_bytes(content)
    (here / "transformer/config.json").unlink()
    (here / "model_index.json").write_text("{}")
    (here / "extra.bin").write_text("x")
    said = run("verify", "tiny")
    assert said.startswith("exit 1\n")
    assert f"{LARGE} has other content" in said
    assert "transformer/config.json is missing" in said
    assert "model_index.json has 2 bytes instead of 23" in said
    assert "extra.bin does not belong to it" in said


def test_remove_asks_and_says_what_it_freed(
    hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a yes nothing goes; with it the folder and the space it took."""
    run("pull", "tiny")
    size = manifest.size_of(folder(tmp_path))
    monkeypatch.setattr("builtins.input", lambda _: "")
    assert "Nothing was removed" in refused("remove", "tiny")
    assert folder(tmp_path).is_dir()
    assert f"({size} bytes) freed" in run("remove", "tiny", "--yes")
    assert not folder(tmp_path).parent.exists()
    assert "nothing to remove" in run("remove", "tiny", "--yes")


def test_weights_that_another_preset_needs_stay(hub: Hub, tmp_path: Path) -> None:
    """Two presets share a repository."""
    run("pull", "tiny")
    words = (tmp_path / "own.toml").read_text()
    shared = words[words.index("[tiny]") :].replace("[tiny]", "[twin]")
    (tmp_path / "own.toml").write_text(words + "\n" + shared)
    assert "nothing to remove" in run("remove", "tiny", "--yes")
    assert run("remove", "tiny", "twin", "--yes")
    assert not folder(tmp_path).exists()


def test_an_unknown_preset_is_one_line(hub: Hub) -> None:
    """With those that there are."""
    assert "darkroom" in refused("pull", "nothing")


def test_broken_presets_are_one_line(hub: Hub, tmp_path: Path) -> None:
    """As everywhere."""
    (tmp_path / "own.toml").write_text("[tiny]\n")
    assert "engine is missing" in refused("list")


def test_verify_says_what_it_cannot_know(hub: Hub, tmp_path: Path) -> None:
    """Nothing here is not "nothing wrong"; and a folder of one's own has no hashes."""
    assert "No weights are on this machine." in run("verify")
    (tmp_path / "mine").mkdir()
    words = (tmp_path / "own.toml").read_text().replace(MODEL, str(tmp_path / "mine"))
    (tmp_path / "own.toml").write_text(words)
    assert "no hashes to compare" in run("verify", "tiny")


def test_remove_takes_commits_that_were_pinned_before(hub: Hub, tmp_path: Path) -> None:
    """`pull --newest` leaves the old one for recipes; `remove` leaves nothing."""
    words = (tmp_path / "own.toml").read_text()
    (tmp_path / "own.toml").write_text(words + f'revision = "{SHA}"\n')
    run("pull", "tiny")
    run("pull", "tiny", "--newest")
    assert folder(tmp_path, SHA).is_dir() and folder(tmp_path, NEWER).is_dir()
    run("remove", "tiny", "--yes")
    assert not folder(tmp_path, SHA).exists() and not folder(tmp_path, NEWER).exists()


@pytest.mark.django_db
def test_a_folder_that_nobody_checked_is_not_served(hub: Hub, tmp_path: Path) -> None:
    """A copy by hand under the name of a commit has no manifest: list, worker and bench agree on it."""
    own = tmp_path / "own.toml"
    own.write_text(own.read_text() + f'revision = "{SHA}"\n')
    folder(tmp_path, SHA).mkdir(parents=True)
    preset = planning.preset("tiny")
    assert absent(preset) and lacking(preset)
    assert "missing" in next(line for line in run("list").splitlines() if line.startswith("tiny"))
    run("pull", "tiny")
    assert not absent(preset)


@pytest.mark.parametrize(
    ("model", "revision", "said"),
    [
        (MODEL, "", f"needs {MODEL}, which is not pinned to a commit: manage.py engines pull tiny"),
        (MODEL, SHA, f"needs {MODEL}: manage.py engines pull tiny"),
        ("/nowhere/tiny", "", "needs the folder /nowhere/tiny, which is not there"),
    ],
)
def test_a_studio_refuses_what_it_could_not_make(
    hub: Hub, tmp_path: Path, model: str, revision: str, said: str
) -> None:
    """Named on the command line: one sentence and exit code 2. Not named: it is left out, and said."""
    own = tmp_path / "own.toml"
    own.write_text(own.read_text().replace(MODEL, model) + f'revision = "{revision}"\n')
    with pytest.raises(CommandError, match=re.escape(said)) as caught:
        call_command("studio", "--queues", "edit:tiny", "--check")
    assert caught.value.returncode == 2
    assert "edit:tiny" not in queues_for(["edit"])
    [line] = [each for each in served(["embed"]) if "tiny" in each]
    assert line.startswith("not tiny: ") and said in line
