"""Members whose jobs share a batch never see one another's pictures, nor does anything change."""

import numpy as np
import pytest

from generation import presets
from tests.generation.diffusion.asking import ask, four, levels_apart, made, picture_of, pixels

BATCHED = [
    "klein",
    "sdxl-structure",
    "sdxl-depth",
    "sdxl-pose",
    "instruct-pix2pix",
    "sd-turbo",
]


def test_all_presets_that_batch_are_tried(load, tiny_file):
    load("klein")
    shipped = presets.presets().values()
    assert {each.name for each in shipped if max(each.buckets) > 1} == set(BATCHED)


@pytest.mark.parametrize("name", BATCHED)
def test_neighbours_do_not_change_a_picture(load, name):
    engine = load(name)
    item = four(name)[0]
    some = [ask(name, f"neighbour {n}", picture_of("fog"), seed=n) for n in range(3)]
    others = [ask(name, prompt, picture_of("chequers"), seed=9) for prompt in ("", "x" * 60, "雪")]
    first = pixels(made(engine, [item, *some])[0])
    assert np.array_equal(first, pixels(made(engine, [item, *others])[0]))
    assert np.array_equal(first, pixels(made(engine, [item, some[0], others[1]])[0]))


@pytest.mark.parametrize("name", BATCHED)
def test_a_batch_gives_what_single_runs_give(load, name):
    engine = load(name)
    items = four(name)
    together = made(engine, items)
    alone = [made(engine, [item])[0] for item in items]
    assert [levels_apart(*pair) <= 2 for pair in zip(together, alone, strict=True)] == [True] * 4


@pytest.mark.parametrize("name", BATCHED)
def test_every_row_has_its_own_source_prompt_and_seed(load, name):
    engine = load(name)
    item = ask(name, "rain", picture_of("rings"), seed=5)
    changed = [
        ask(name, "rain", picture_of("fog"), seed=5),
        ask(name, "a heavy snowfall", picture_of("rings"), seed=5),
        ask(name, "rain", picture_of("rings"), seed=6),
    ]
    first, *others = made(engine, [item, *changed])
    for other in others:
        assert not np.array_equal(pixels(first), pixels(other))
    twin = made(engine, [item, item, changed[0], item])
    assert levels_apart(twin[0], twin[3]) <= 1


@pytest.mark.parametrize("name", BATCHED)
def test_run_again_in_the_bucket_of_its_recipe_is_identical(load, name):
    engine = load(name)
    items = four(name)
    first = made(engine, items)[0]
    recipe = first.recipe
    again = made(engine, [ask(
        name, recipe["prompt"], *items[0].sources, seed=recipe["seed"], bucket=recipe["bucket"],
        size=tuple(recipe["size"]), steps=recipe["steps"],
    )])[0]  # fmt: skip
    assert np.array_equal(pixels(first), pixels(again))
    assert same(again.recipe) == same(recipe)


def same(recipe):
    """A recipe without what a clock says."""
    return {key: value for key, value in recipe.items() if key not in ("stages", "milliseconds")}
