"""`manage.py engines`, against a hub of our own."""

import contextlib
import io
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from forum.running.processes import until
from generation import queue
from generation.engines import buckets
from generation.engines.sources import absent, lacking, sources
from generation.prompts import planning
from generation.weights import manifest
from tests.generation.weights.hub import MODEL, NEWER, SHA, Hub, open_hub, safetensors

pulling = pytest.importorskip("generation.weights.pulling", reason="needs the extra diffusers")

ROOT = Path(__file__).resolve().parents[3]
WORDS = f"""# Mine, and this comment stays.
[tiny]
engine = "darkroom"
titles = {{ en = "Tiny", zh-hans = "小" }}
licence = "Apache-2.0"
commercial = true
max_side = 640
source_type = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicMedia"
vram_gb = 1
model = "{MODEL}"  # not pinned yet
"""
LARGE = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub, an operator's file with the preset "tiny", and a folder for weights."""
    (tmp_path / "own.toml").write_text(WORDS)
    monkeypatch.setenv("FORUM_PRESETS", str(tmp_path / "own.toml"))
    monkeypatch.setenv("FORUM_MODELS_DIR", str(tmp_path / "models"))
    monkeypatch.setattr(pulling, "SPARE", 0)
    with open_hub() as opened:
        monkeypatch.setenv("HF_ENDPOINT", opened.endpoint)
        yield opened


def run(*words: str) -> str:
    """What the command says."""
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command("engines", *words, stdout=out, stderr=err)
    except SystemExit as end:
        return f"exit {end.code}\n{err.getvalue()}"
    return out.getvalue()


def refused(*words: str) -> str:
    """The one line with which the command refuses; its exit code is 2."""
    with pytest.raises(CommandError) as caught:
        call_command("engines", *words, stdout=io.StringIO(), stderr=io.StringIO())
    assert caught.value.returncode == 2
    assert "\n" not in str(caught.value)
    return str(caught.value)


def folder(tmp_path: Path, sha: str = NEWER) -> Path:
    """Where the weights of "tiny" lie."""
    return tmp_path / "models" / "tiny--model" / sha


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


@pytest.mark.django_db
def test_list_says_what_is_here(hub: Hub) -> None:
    """Engine, weights, licence, memory and switches of every preset."""

    def rows() -> dict[str, str]:
        return {line.split()[0]: line for line in run("list").splitlines()}

    assert "missing" in rows()["tiny"] and "1 GB" in rows()["tiny"]
    assert "not needed" in rows()["darkroom"]
    run("pull", "tiny")
    queue.disable("tiny")
    assert "here" in rows()["tiny"] and rows()["tiny"].endswith("no")


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
    assert ["eye", "missing", "MIT"] in lines
    assert "tiny/eye at cdcdcdcdcdcd: 2 files, 0.0 MB, MIT" in run("pull", "tiny")
    assert ["eye", "here", "MIT"] in [line.split() for line in run("list").splitlines()]
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


def test_bench_measures_and_writes_limits(hub: Hub, tmp_path: Path) -> None:
    """With the darkroom, whose only bucket is one."""
    said = run("bench", "darkroom", "--runs", "1")
    assert "1280 x 960, 1 at once:" in said and "images/s" in said
    after = planning.preset("darkroom")
    assert after.buckets == (1,)
    assert after.settings["batch"]["tokens_in_flight"] == 80 * 60 * 2
    assert after.settings["seconds"] > 0
    assert (tmp_path / "own.toml").read_text().startswith("# Mine")


def test_bench_refuses_what_is_not_here(hub: Hub) -> None:
    """And names the command that helps."""
    assert "engines pull tiny" in refused("bench", "tiny")


def test_bench_measures_a_model_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tiny pipeline through the real engine: every size, every bucket, and limits that are read back."""
    tiny = pytest.importorskip("tests.generation.diffusion.tiny", reason="needs torch")
    file = tiny.write_tiny(tmp_path / "tiny", ("klein",))
    file.write_text(file.read_text() + "\nbuckets = [1, 2]\n")
    monkeypatch.setenv("FORUM_PRESETS", str(file))
    said = run("bench", "klein", "--runs", "1", "--buckets", "1,2")
    assert "64 x 64, 1 at once:" in said and "96 x 64, 2 at once:" in said
    after = planning.preset("klein")
    assert after.buckets[0] == 1 and set(after.buckets) <= {1, 2}
    # 96 x 64 and a source of that size are 48 tokens; one or two of them fly.
    assert after.settings["batch"]["tokens_in_flight"] in (48, 96)


def test_bench_notices_what_does_not_fit() -> None:
    """Batches that ran out of memory limit the buckets; a batch that is not worth it is left out."""
    benching = pytest.importorskip("generation.weights.benching")
    figure = benching.Figure
    kept = benching.limits(
        [
            figure((512, 512), 1, 1.0),
            figure((512, 512), 2, 1.2),
            figure((512, 512), 4, 2.39),
            figure((1024, 1024), 1, 4.0),
            figure((1024, 1024), 2, None),
        ]
    )
    assert kept.buckets == [1, 2]
    assert (kept.tokens_in_flight, kept.seconds) == (8192, 1.0)
    with pytest.raises(benching.CannotBench):
        benching.limits([figure((512, 512), 1, None)])


@pytest.mark.parametrize("name", ["klein", "sdxl-structure", "z-image", "instruct-pix2pix"])
def test_bench_and_batches_count_tokens_alike(name: str) -> None:
    """The limit that a measured batch gives lets batches be as large as that one, and no larger."""
    benching = pytest.importorskip("generation.weights.benching")
    preset = planning.preset(name)
    for size in benching.sizes_of(preset):
        for bucket in (1, 2, 4):
            [item, *_] = benching.items(preset, size, bucket, 0)
            request = replace(item.request, bucket=None)
            figure = benching.Figure(size, bucket, 1.0, len(request.sources))
            limit = {**preset.settings, "batch": {"tokens_in_flight": figure.tokens}}
            limited = replace(preset, buckets=(1, 2, 4), settings=limit)
            assert buckets.most_for(request, limited) == bucket


def test_bench_tries_again_what_a_smaller_machine_left_out() -> None:
    """The buckets that it wrote are not the only ones it tries the next time."""
    benching = pytest.importorskip("generation.weights.benching")
    limited = replace(planning.preset("klein"), buckets=(1,))
    assert benching.candidates(limited) == (1, 2, 4)
    assert benching.candidates(limited, "8, 2") == (1, 2, 8)
    for wrong in ("0", "x", "1,,2", "65", "-2"):
        with pytest.raises(benching.CannotBench):
            benching.candidates(limited, wrong)


def test_bench_measures_what_makes_new_images_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a source, whose tokens do not count then."""
    tiny = pytest.importorskip("tests.generation.diffusion.tiny", reason="needs torch")
    file = tiny.write_tiny(tmp_path / "tiny", ("klein",))
    file.write_text(file.read_text() + '\npipelines = { edit = "" }\n')
    monkeypatch.setenv("FORUM_PRESETS", str(file))
    said = run("bench", "klein", "--runs", "1", "--buckets", "1", "--dry-run")
    assert "64 x 64, 1 at once:" in said and "tokens in flight 24" in said
    assert "Batch sizes are numbers" in refused("bench", "klein", "--buckets", "many")


def test_a_batch_that_was_run_in_halves_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine whose memory ended goes on with less, and its recipes say so."""
    benching = pytest.importorskip("generation.weights.benching")
    from PIL import Image

    from generation.engines.base import Made

    class Halves:
        def edit(self, batch, on_progress, cancelled):
            for item in batch:
                yield Made(item.id, Image.new("RGB", (8, 8)), {"bucket": min(2, len(batch))})

    preset = planning.preset("klein")
    for bucket, fits in ((1, True), (2, True), (4, False)):
        assert benching.fits(Halves(), benching.items(preset, (64, 64), bucket, 0)) is fits


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
