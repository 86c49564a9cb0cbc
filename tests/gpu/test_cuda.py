"""On a GPU: what tests on the CPU promise holds there too. Skipped where there is none."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from generation import engines, presets
from tests.generation.diffusion.asking import ask, four, levels_apart, made, picture_of, pixels, run
from tests.generation.diffusion.conftest import engines_by_preset, load, tiny_file  # noqa: F401

torch = pytest.importorskip("torch")
placing = pytest.importorskip("generation.engines.diffusion.placing")
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


def left_half():
    plane = Image.new("L", (64, 64), 0)
    plane.paste(255, (0, 0, 32, 64))
    return plane


@pytest.mark.parametrize("name", ["klein", "instruct-pix2pix", "sd-turbo"])
def test_outside_a_mask_nothing_changes(load, name):  # noqa: F811
    source = picture_of("rings", (64, 64))
    answer = made(load(name), [ask(name, "at night", source, mask=left_half())])[0]
    assert np.array_equal(pixels(answer)[:, 32:], np.asarray(source)[:, 32:])
    assert not np.array_equal(pixels(answer)[:, :16], np.asarray(source)[:, :16])


@pytest.mark.parametrize("name", ["klein", "instruct-pix2pix"])
def test_what_is_remembered_gives_the_same_bits(load, name):  # noqa: F811
    engine = load(name)
    item = ask(name, "lamps lit", picture_of("rings"), seed=3)
    engine.memory.clear()
    anew, again = made(engine, [item])[0], made(engine, [item])[0]
    assert engine.memory.prompts.hits and np.array_equal(pixels(anew), pixels(again))


def own(tiny_file, monkeypatch, name, **wishes):  # noqa: F811
    """An engine of its own with other wishes than its preset's."""
    monkeypatch.setenv("FORUM_PRESETS", str(tiny_file))
    preset = presets.presets()[name]
    optimise = {**preset.settings["optimise"], **wishes}
    engine = engines.editor("diffusers")
    engine.load(replace(preset, settings={**preset.settings, "optimise": optimise}))
    return engine


@pytest.mark.parametrize("way", ["model", "sequential"])
def test_weights_may_wait_in_the_computers_memory(tiny_file, monkeypatch, load, way):  # noqa: F811
    item = ask("klein", "rain", picture_of("rings"))
    engine = own(tiny_file, monkeypatch, "klein", offload=way)
    waiting = made(engine, [item])[0]
    assert waiting.recipe["offload"] == way
    assert levels_apart(waiting, made(load("klein"), [item])[0]) <= 2
    assert next(engine.loaded.first.transformer.parameters()).device.type != "cuda"


def test_compiled_blocks_give_the_same_bits_each_time(tiny_file, monkeypatch, load):  # noqa: F811
    if wanted := placing.lacks_compiler(torch.device("cuda")):
        pytest.skip(f"There is no compiler here, such as {wanted}.")
    engine = own(tiny_file, monkeypatch, "klein", compile="regional", warm="none")
    items = four("klein")
    first = made(engine, items)
    made(engine, items[:1])  # another shape between
    for one, other in zip(first, made(engine, items), strict=True):
        assert np.array_equal(pixels(one), pixels(other))
    assert first[0].recipe["compiled"] is True
    plain = made(load("klein"), items)
    assert max(levels_apart(*pair) for pair in zip(first, plain, strict=True)) <= 8


def test_memory_comes_back_when_an_engine_goes(tiny_file, monkeypatch):  # noqa: F811

    def taken():
        # Room that libraries keep for themselves.
        getattr(torch._C, "_cuda_clearCublasWorkspaces", lambda: None)()
        torch.cuda.empty_cache()
        return torch.cuda.memory_allocated()

    before = taken()
    engine = own(tiny_file, monkeypatch, "sd-turbo")
    made(engine, [ask("sd-turbo", "rain", picture_of("rings"))])
    assert taken() > before
    engine.unload()
    assert taken() <= before + 2**20
