"""Who no longer waits is not made to, without harm to the others. Every preset: see test_every_path."""

import numpy as np

from generation.engines.base import Cancelled, Made
from tests.generation.diffusion.asking import ask, four, made, picture_of, pixels, run


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
