"""`optimise.compile`: blocks traced whole, for each shape or for all, and to the same bits every time.

Machine code takes a minute to make for the smallest model, so one test makes some; the others trace
blocks just as it does, and run what was traced.
"""

from dataclasses import replace

import numpy as np
import pytest
import torch

from generation import engines, presets
from generation.engines.diffusion import placing
from generation.engines.diffusion.refusals import NotLoaded
from tests.generation.diffusion.asking import ask, four, levels_apart, made, picture_of, pixels
from tests.generation.diffusion.everything import job, last
from tests.generation.diffusion.tiny import KINDS

CPU = torch.device("cpu")


@pytest.fixture
def compiled(tiny_file, monkeypatch):
    """`compiled("klein", "regional")`: an engine of its own whose blocks are compiled."""
    monkeypatch.setenv("FORUM_PRESETS", str(tiny_file))
    torch._dynamo.reset()

    def engine(name, way):
        preset = presets.presets()[name]
        wishes = {**preset.settings["optimise"], "compile": way, "warm": "none"}
        made = engines.editor("diffusers")
        made.load(replace(preset, settings={**preset.settings, "optimise": wishes}))
        return made

    yield engine
    torch._dynamo.reset()


@pytest.fixture
def traced(compiled, monkeypatch):
    """The same, without making machine code of what was traced; and how often something was."""
    graphs = []

    def backend(graph, inputs):
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(placing, "BACKEND", backend)
    return compiled, graphs


@pytest.mark.timeout(1500)
def test_machine_code_makes_the_same_picture(load, compiled):
    """With the compiler that is here; what was made once lies in torch's folder for the next run."""
    if wanted := placing.lacks_compiler(CPU):
        pytest.skip(f"There is no compiler of C++ here, such as {wanted}.")
    engine = compiled("sd-turbo", "regional")
    item = ask("sd-turbo", "rain", picture_of("rings"))
    plain = made(load("sd-turbo"), [item])[0]
    first, again = made(engine, [item])[0], made(engine, [item])[0]
    assert first.recipe["compiled"] is True and plain.recipe["compiled"] is False
    assert levels_apart(first, plain) <= 2
    assert np.array_equal(pixels(first), pixels(again))
    counters = torch._dynamo.utils.counters
    assert counters["inductor"], "inductor was at work"
    assert not counters["graph_break"]


#: Those like another one have its models.
ALL = sorted(set(KINDS) - {"sdxl-depth", "sdxl-pose"})


@pytest.mark.parametrize("name", ALL)
def test_blocks_of_every_preset_can_be_traced_whole(load, traced, name):
    """A block that could not would be an error: nothing is left out in silence."""
    compiled, graphs = traced
    item = job(name, "create" if name == "z-image" else "edit", seed=8)
    first = made(compiled(name, "regional"), [item])[0]
    assert graphs and first.recipe["compiled"] is True
    plain = made(load(name), [item])[0]
    assert np.abs(last(first).astype(int) - last(plain).astype(int)).max() <= 1


def test_each_shape_is_traced_for_itself_and_what_came_before_changes_nothing(traced):
    """Left to itself, torch would go over to one code for all shapes after the second."""
    compiled, graphs = traced
    engine = compiled("klein", "regional")
    items = four("klein")
    whole = made(engine, items)
    each = len(graphs)
    for size in ((96, 64), (64, 96), (64, 64)):
        for bucket in (1, 2, 4):
            made(engine, [ask("klein", "x", picture_of("fog", size), bucket=bucket)])
    assert each == 2 and len(graphs) == 6 * each, "both kinds of blocks, for all numbers of tokens"
    for one, other in zip(whole, made(engine, items), strict=True):
        assert np.array_equal(pixels(one), pixels(other))
    assert len(graphs) == 6 * each


def test_more_shapes_than_torch_allows_by_itself_are_no_error(traced):
    compiled, graphs = traced
    engine = compiled("klein", "regional")
    sizes = [(64 + 16 * n, 64) for n in range(10)]
    pipe = engine.loaded.first
    for width, height in sizes:
        pipe(
            prompt=["x"], image=[picture_of("fog", (width, height))], width=width, height=height,
            generator=[torch.Generator().manual_seed(1)], num_inference_steps=1,
            max_sequence_length=64, text_encoder_out_layers=(1, 2, 3), output_type="latent",
        )  # fmt: skip
    assert len(graphs) == 20


def test_one_code_for_all_shapes_where_prompts_have_any_length(traced):
    compiled, graphs = traced
    engine = compiled("z-image", "dynamic")
    for prompt in ("a", "a hill", "a hill under stars, at night", "雪" * 9):
        made(engine, [ask("z-image", prompt)])
    few = len(graphs)
    made(engine, [ask("z-image", "and yet another one, a little longer than all others")])
    assert len(graphs) == few <= 4, "one for each kind of block and what it is given"


def test_without_a_compiler_an_operator_is_told(compiled, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    assert placing.lacks_compiler(CPU) == "g++"
    assert placing.lacks_compiler(torch.device("cuda")) == "gcc"
    with pytest.raises(NotLoaded, match=r"needs a compiler here, such as g\+\+"):
        compiled("klein", "regional")


def test_a_model_without_blocks_is_refused_with_a_sentence(compiled):
    class Plain(torch.nn.Linear):
        def compile_repeated_blocks(self, **_):
            raise ValueError("`_repeated_blocks` attribute is empty.")

    with pytest.raises(NotLoaded, match="Plain cannot be compiled"):
        placing.compile_blocks(Plain(1, 1), CPU, "regional")
