"""`manage.py engines pull`: whole, checked, pinned, and going on where it was cut off."""

import contextlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from forum.running.processes import until
from generation.engines.sources import sources
from generation.prompts import planning
from generation.weights import manifest
from tests.generation.weights.asking import LARGE, WORDS, folder, refused, run
from tests.generation.weights.hub import MODEL, NEWER, SHA, Hub, safetensors

pulling = pytest.importorskip("generation.weights.pulling", reason="needs the extra diffusers")

ROOT = Path(__file__).resolve().parents[3]


def test_pull_fetches_names_and_pins(hub: Hub, tmp_path: Path) -> None:
    """Weights and words only; the newest commit is pinned; every hash is written down."""
    said = run("pull", "tiny")
    assert "Apache-2.0" in said and "4 files" in said and "pinned" in said
    here = folder(tmp_path)
    there = {path.relative_to(here).as_posix() for path in here.rglob("*") if path.is_file()}
    assert there == {"weights.json", "model_index.json", LARGE, "transformer/config.json",
                     "tokenizer/merges.txt"}  # fmt: skip
    kept = json.loads((here / "weights.json").read_text())
    assert (kept["model"], kept["revision"], kept["licence"]) == (MODEL, NEWER, "Apache-2.0")
    assert kept["files"][LARGE]["sha256"] == manifest.digest(here / LARGE)
    source = sources(planning.preset("tiny"))[0]
    assert source.revision == NEWER and source.folder == here
    words = (tmp_path / "own.toml").read_text()
    assert "and this comment stays" in words and "# not pinned yet" in words


def test_pulling_again_fetches_nothing(hub: Hub) -> None:
    """What is here is here."""
    run("pull", "tiny")
    before = len(hub.fetched)
    assert "pinned" in run("pull", "tiny")
    assert len(hub.fetched) == before


def test_a_pinned_commit_is_the_one_fetched(hub: Hub, tmp_path: Path) -> None:
    """Unless the newest is asked for."""
    (tmp_path / "own.toml").write_text(WORDS + f'revision = "{SHA}"\n')
    run("pull", "tiny")
    assert folder(tmp_path, SHA).is_dir()
    run("pull", "tiny", "--newest")
    assert sources(planning.preset("tiny"))[0].revision == NEWER


def test_a_cut_connection_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    """Within one run: the second request asks for the rest."""
    hub.repositories[MODEL][LARGE] = safetensors(25_000_000)
    hub.cuts = [12_000_000]
    run("pull", "tiny")
    # The client writes in pieces of 10 MiB.
    assert hub.ranges == ["", "bytes=10485760-"]
    assert run("verify", "tiny").startswith("Nothing is wrong")


def test_a_mirror_that_knows_no_ranges_begins_anew(hub: Hub, tmp_path: Path) -> None:
    """It sends the whole file where the rest was asked for; the two must not be glued together."""
    hub.repositories[MODEL][LARGE] = safetensors(25_000_000)
    hub.ranged, hub.cuts = False, [12_000_000, 24_000_000]
    run("pull", "tiny")
    assert len(hub.ranges) == 3
    assert (folder(tmp_path) / LARGE).read_bytes() == hub.repositories[MODEL][LARGE]
    assert run("verify", "tiny").startswith("Nothing is wrong")


def test_a_killed_run_goes_on_where_it_was(hub: Hub, tmp_path: Path) -> None:
    """In a run of its own, after the first gave up: the half file is kept, and only the rest comes."""
    hub.repositories[MODEL][LARGE] = safetensors(25_000_000)
    hub.cuts = [22_000_000, *[0] * 9]
    environment = {**os.environ, "HF_ENDPOINT": hub.endpoint}
    first = subprocess.run(
        [sys.executable, "manage.py", "engines", "pull", "tiny"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert first.returncode == 2, first.stdout + first.stderr
    assert "connection broke" in first.stderr and first.stderr.count("\n") == 1
    assert not folder(tmp_path).exists()
    hub.cuts = []
    asked = len(hub.ranges)
    run("pull", "tiny")
    assert hub.ranges[asked:] == ["bytes=20971520-"]
    assert (folder(tmp_path) / LARGE).read_bytes() == safetensors(25_000_000)


@contextlib.contextmanager
def a_run_in_mid_file(hub: Hub) -> Iterator["subprocess.Popen[bytes]"]:
    """Another `engines pull tiny`, stopped in the middle of the large file until `hub.goes_on`."""
    hub.goes_on.clear()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "engines", "pull", "tiny"],
        cwd=ROOT, env={**os.environ, "HF_ENDPOINT": hub.endpoint},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert until(lambda: LARGE in hub.fetched, 60)
        yield process
    finally:
        hub.goes_on.set()
        process.kill()
        process.wait()


def test_two_runs_at_once_do_not_fetch_the_same(hub: Hub, tmp_path: Path) -> None:
    """The second says who is at it; the first is not disturbed, and leaves nothing half."""
    with a_run_in_mid_file(hub) as first:
        said = refused("pull", "tiny")
        assert f"{MODEL} is being fetched or removed by process {first.pid}" in said
        assert hub.fetched.count(LARGE) == 1
        hub.goes_on.set()
        assert first.wait(60) == 0
    assert run("verify", "tiny").startswith("Nothing is wrong")
    assert not list(tmp_path.rglob("*.part"))
    assert "pinned" in run("pull", "tiny")


def test_what_is_being_fetched_is_not_removed(hub: Hub, tmp_path: Path) -> None:
    """Half a repository is somebody's work."""
    (tmp_path / "own.toml").write_text(WORDS + f'revision = "{SHA}"\n')
    with a_run_in_mid_file(hub):
        assert "is being fetched" in refused("remove", "tiny", "--yes")
        assert list((tmp_path / "models" / "tiny--model").iterdir())


def test_a_killed_run_leaves_no_lock(hub: Hub) -> None:
    """The system frees it; the half file is gone on with."""
    with a_run_in_mid_file(hub) as first:
        first.kill()
        first.wait()
        hub.goes_on.set()
        assert "pinned" in run("pull", "tiny")
    assert run("verify", "tiny").startswith("Nothing is wrong")


def test_pins_of_two_runs_are_both_kept(hub: Hub, tmp_path: Path) -> None:
    """Two runs of different presets rewrite one file at the same time."""
    from generation.weights import pinning

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: pinning.pin("tiny", f"part{n}", SHA), range(24)))
    words = tomllib.loads((tmp_path / "own.toml").read_text())
    assert len(words["tiny"]["parts"]) == 24


def test_what_comes_damaged_is_refused_and_removed(hub: Hub, tmp_path: Path) -> None:
    """And fetched anew by the next run."""
    hub.damage = True
    assert "came damaged" in refused("pull", "tiny")
    assert not folder(tmp_path).exists()
    hub.damage = False
    assert "pinned" in run("pull", "tiny")


def test_a_file_that_is_no_safetensors_is_refused(hub: Hub) -> None:
    """The suffix alone proves nothing."""
    hub.repositories[MODEL][LARGE] = b"\x80\x04 a pickle in disguise" * 1000
    assert "came damaged" in refused("pull", "tiny")


def test_a_repository_of_pickles_is_refused(hub: Hub) -> None:
    """Before anything is fetched."""
    hub.repositories[MODEL] = {"config.json": b"{}", "model.bin": b"pickle"}
    assert "no safetensors" in refused("pull", "tiny")
    assert not hub.fetched


def test_names_that_lead_outside_are_not_fetched(hub: Hub, tmp_path: Path) -> None:
    """A repository cannot write beside its folder, nor write its own manifest."""
    hub.repositories[MODEL] |= {"../../evil.json": b"{}", "weights.json": b"{}"}
    run("pull", "tiny")
    assert not list(tmp_path.rglob("evil.json"))
    assert run("verify").startswith("Nothing is wrong")


@pytest.mark.parametrize(
    ("refuse", "said"),
    [
        ((401, "RepoNotFound"), "There is no tiny/model"),
        ((401, ""), "answered 401 for tiny/model; HF_TOKEN"),
        ((403, "GatedRepo"), "is gated"),
        ((403, ""), "answered 403"),
        ((404, "RevisionNotFound"), "no such revision"),
        ((500, ""), "answered 500"),
    ],
)
def test_a_refusal_of_the_hub_is_one_line(hub: Hub, refuse: tuple[int, str], said: str) -> None:
    """And exit code 2."""
    hub.refuse = refuse
    assert said in refused("pull", "tiny")


def test_no_network_is_one_line(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A closed port."""
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached" in refused("pull", "tiny")


def test_a_full_disk_is_seen_before_anything_is_fetched(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By what is needed and what must stay free."""
    monkeypatch.setattr(pulling, "SPARE", 10**18)
    assert "no room" in refused("pull", "tiny")
    assert not hub.fetched


def test_a_disk_that_fills_up_is_one_line(hub: Hub, tmp_path: Path) -> None:
    """A folder that cannot be written to says so."""
    (tmp_path / "models").write_text("a file where a folder should be")
    assert "cannot be written" in refused("pull", "tiny")


def test_a_restricted_licence_must_be_accepted(hub: Hub, tmp_path: Path) -> None:
    """By a word of the operator's, each time."""
    (tmp_path / "own.toml").write_text(WORDS.replace("commercial = true", "commercial = false"))
    assert "--accept-licence" in refused("pull", "tiny")
    assert "not for commercial use" in run("pull", "tiny", "--accept-licence")
