"""`benchmarks/gpu` runs from its first line to its last: nobody has a GPU for long."""

import json
import subprocess
import sys

import pytest

torch = pytest.importorskip("torch")
measure = pytest.importorskip("benchmarks.gpu.measure")

from benchmarks.gpu import arrivals, models, reporting, timing  # noqa: E402
from benchmarks.gpu.bench import Bench  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def bench(monkeypatch, capsys):
    """Toy models, and few runs of each."""
    threads = torch.get_num_threads()
    monkeypatch.setattr(timing, "RUNS", 1)
    monkeypatch.setenv("FORUM_PRESETS", "")
    yield Bench(models.tiny_engine(), tiny=True)
    torch.set_num_threads(threads)


def test_every_part_runs_and_gives_its_ratios(bench, tmp_path, capsys):
    """Compiled code is left to a GPU: here it would take minutes."""
    out = tmp_path / "gpu.md"
    parts = [part for part in measure.ORDER if part != "compiled"]
    assert not measure.measured(bench, parts, out), [
        each for each in bench.said if each["what"] == "failed"
    ]
    assert set(bench.ratios) == set(reporting.GOALS) - {"share of the ceiling, compiled"}
    assert bench.ratios["same picture twice"] == 1
    assert bench.ratios["same picture beside other neighbours"] == 1
    assert all(json.loads(line) for line in capsys.readouterr().out.splitlines())
    text = out.read_text("utf-8")
    assert text.count("| not measured |") == 1 and "figures of a GPU are missing" in text


def test_a_part_that_fails_says_why_and_the_others_go_on(bench, tmp_path, monkeypatch, capsys):
    """A figure less is better than none, and what was measured is in the file."""

    def broken():
        raise RuntimeError("no kernel image is available")

    monkeypatch.setattr(bench, "overlap", broken)
    out = tmp_path / "gpu.md"
    assert measure.measured(bench, ["overlap", "outside"], out)
    assert "no kernel image is available" in out.read_text("utf-8")
    assert set(bench.ratios) == {"outside the denoiser"}


def test_without_a_gpu_true_sizes_are_refused_at_once():
    """Nobody builds eight billion numbers on a CPU by mistake."""
    if torch.cuda.is_available():
        pytest.skip("There is a GPU here.")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu.measure"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 2 and "no GPU here: --tiny" in done.stdout


def test_true_sizes_are_those_of_the_model():
    """Counted without building it: 3.88 billion numbers in the transformer, 8,704 tokens of 128."""
    with torch.device("meta"):
        transformer = models.transformer()
    assert round(sum(each.numel() for each in transformer.parameters()) / 1e9, 2) == 3.88
    assert transformer.config.in_channels == 128


def test_batches_go_as_far_as_they_pay():
    """A larger batch that adds less than a twentieth is not taken; what it costs is seen."""
    took = {1: 1.0, 2: 1.5, 4: 2.95}
    assert arrivals.worth(took) == 2
    found = arrivals.ratios(took)
    assert found["dynamic / best static batch"] == pytest.approx((2 / 1.5) / (4 / 2.95))
    assert found["dynamic / one at a time, 0.3 load"] >= 0.99
    assert arrivals.throughput([0, 0, 0], {1: 1.0}) == 1
