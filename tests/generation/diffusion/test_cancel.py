"""Who no longer waits is not made to: within a step, and without harm to the others."""

import numpy as np
import pytest

from generation.engines.base import Cancelled, Failed, Made
from tests.generation.diffusion.asking import ask, four, made, picture_of, pixels, run


@pytest.mark.parametrize(
    "name", ["klein", "longcat", "instruct-pix2pix", "sdxl-structure", "wan-moving"]
)
def test_it_stops_within_one_step_and_decodes_nothing(load, name):
    engine = load(name)
    item = ask(name, "at night", picture_of("rings"))
    steps, decoded = [], decodings(engine)
    answer = run(engine, [item], steps.append, lambda _: len(steps) >= 1)[item.id]
    assert isinstance(answer, Failed) and isinstance(answer.error, Cancelled)
    assert len(steps) == 1
    assert decoded == []


def test_the_next_run_is_as_if_nothing_had_been(load):
    engine = load("klein")
    items = [ask("klein", "at night", picture_of("rings")) for _ in range(3)]
    fresh = made(engine, items[:1])[0]
    steps = []
    run(engine, items[1:2], steps.append, lambda _: len(steps) >= 2)
    assert np.array_equal(pixels(fresh), pixels(made(engine, items[2:])[0]))


def test_one_of_four_rides_along_and_is_not_decoded(load):
    engine = load("klein")
    items = four("klein")
    whole = made(engine, items)
    gone, steps, decoded = items[1].id, [], decodings(engine)
    answers = run(engine, items, steps.append, lambda each: each == gone and len(steps) >= 4)
    assert isinstance(answers[gone].error, Cancelled)
    assert len(decoded) == 3
    for item, before in zip(items, whole, strict=True):
        if item.id != gone:
            assert isinstance(answers[item.id], Made)
            assert np.array_equal(pixels(answers[item.id]), pixels(before))
    assert not [each for each in steps if each.id == gone and each.step > 1]


def test_who_left_before_it_began_costs_no_step(load):
    engine = load("klein")
    item, steps = ask("klein", "at night", picture_of("rings")), []
    answer = run(engine, [item], steps.append, lambda _: True)[item.id]
    assert isinstance(answer.error, Cancelled)
    assert steps == []


def decodings(engine):
    """Grows by one for each row that the VAE decodes from now on."""
    vae, seen = engine.loaded.first.vae, []
    if hasattr(vae, "_seen"):
        vae._seen.remove()
    vae._seen = vae.decoder.register_forward_pre_hook(lambda *_: seen.append(1))
    return seen
