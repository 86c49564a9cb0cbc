"""`manage.py engines bench`: measured, not guessed."""

from dataclasses import replace
from pathlib import Path

import pytest

from generation.engines import buckets
from generation.prompts import planning
from tests.generation.weights.asking import refused, run
from tests.generation.weights.hub import Hub

pytest.importorskip("generation.weights.pulling", reason="needs the extra diffusers")


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
