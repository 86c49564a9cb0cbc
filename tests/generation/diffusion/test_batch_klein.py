"""Jobs of several members in one batch of FLUX.2 klein: everybody gets their own picture."""

import numpy as np
import pytest

from generation.engines.diffusers_ import MixedBatch
from tests.generation.diffusion.asking import ask, four, levels_apart, made, picture_of, pixels


def test_everyone_gets_an_answer_to_their_own_picture(load):
    klein = load("klein")
    items = four("klein")
    together = made(klein, items)
    assert [each.recipe["bucket"] for each in together] == [4] * 4
    alone = [made(klein, [item])[0] for item in items]
    for one, other in zip(together, alone, strict=True):
        assert levels_apart(one, other) <= 2
    different = made(klein, [ask("klein", "雪", picture_of("rings"), seed=101)])[0]
    assert levels_apart(alone[1], different) > 2, "another source must give another picture"


def test_neighbours_never_change_a_picture(load):
    klein = load("klein")
    item = four("klein")[0]
    neighbours = [ask("klein", f"neighbour {n}", picture_of("fog"), seed=n) for n in range(3)]
    others = [ask("klein", "something else", picture_of("chequers"), seed=50 + n) for n in range(3)]
    first = pixels(made(klein, [item, *neighbours])[0])
    assert np.array_equal(first, pixels(made(klein, [item, *others])[0]))
    assert np.array_equal(first, pixels(made(klein, [item, others[0], neighbours[0]])[0]))


def test_a_recipes_bucket_is_kept_when_it_runs_alone(load):
    klein = load("klein")
    items = four("klein")
    first = made(klein, items)[0]
    again = made(
        klein, [ask("klein", items[0].request.prompt, *items[0].sources, seed=100, bucket=4)]
    )
    assert again[0].recipe["bucket"] == 4
    assert np.array_equal(pixels(first), pixels(again[0]))


@pytest.mark.parametrize(
    "other",
    [{"steps": 2}, {"size": (96, 64)}, {"negative": "rain"}],
    ids=lambda words: next(iter(words)),
)
def test_items_that_cannot_share_a_call_are_refused(load, other):
    klein = load("klein")
    one = ask("klein", "at night", picture_of("rings"))
    two = ask("klein", "at night", picture_of("rings"), **other)
    with pytest.raises(MixedBatch, match=next(iter(other))):
        made(klein, [one, two])


def test_a_batch_with_and_without_sources_is_refused(load):
    klein = load("klein")
    with pytest.raises(MixedBatch, match="sources"):
        made(klein, [ask("klein", "a hill"), ask("klein", "a hill", picture_of("rings", (64, 64)))])


def test_more_items_than_a_batch_holds_run_in_turns(load):
    klein = load("klein")
    items = [ask("klein", f"number {n}", picture_of("fog"), seed=n) for n in range(5)]
    answers = made(klein, items)
    assert [each.recipe["bucket"] for each in answers] == [4] * 4 + [1]
