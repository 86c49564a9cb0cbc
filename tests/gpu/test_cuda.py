"""On a GPU: what tests on the CPU promise holds there too. Skipped where there is none."""

import numpy as np
import pytest

from tests.generation.diffusion.asking import ask, four, levels_apart, made, picture_of, pixels, run
from tests.generation.diffusion.conftest import engines_by_preset, load, tiny_file  # noqa: F401

torch = pytest.importorskip("torch")
pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="There is no GPU here."),
    pytest.mark.filterwarnings("ignore"),
]
BATCHED = [
    "klein",
    "sdxl-structure",
    "sdxl-depth",
    "sdxl-pose",
    "instruct-pix2pix",
    "sd-turbo",
]


@pytest.mark.parametrize("name", BATCHED)
def test_neighbours_do_not_change_a_picture(load, name):  # noqa: F811
    engine = load(name)
    item = four(name)[0]
    some = [ask(name, f"neighbour {n}", picture_of("fog"), seed=n) for n in range(3)]
    others = [ask(name, prompt, picture_of("chequers"), seed=9) for prompt in ("", "x" * 60, "雪")]
    first = pixels(made(engine, [item, *some])[0])
    assert np.array_equal(first, pixels(made(engine, [item, *others])[0]))


@pytest.mark.parametrize("name", BATCHED)
def test_the_same_twice_is_the_same(load, name):  # noqa: F811
    engine = load(name)
    one, two = (made(engine, four(name)) for _ in range(2))
    assert [levels_apart(*pair) for pair in zip(one, two, strict=True)] == [0] * 4


def test_leaving_ends_the_run_within_two_steps(load):  # noqa: F811
    """One step runs ahead of Python's knowledge, so that the device never waits."""
    steps = []
    item = ask("klein", "rain", picture_of("rings"), steps=40)
    run(load("klein"), [item], steps.append, lambda _: len(steps) >= 3)
    assert len(steps) == 3


def test_frames_come_although_they_are_copied_aside(load):  # noqa: F811
    steps = []
    item = ask("klein", "rain", picture_of("rings"), steps=20)
    made(load("klein"), [item], on_progress=steps.append)
    assert sum(each.frame is not None for each in steps) >= 2
