"""Every shipped preset and task on every path: batches, replay, leaving, the end of memory.

That each loads, previews and makes the same twice is in test_every_preset.
"""

import contextlib

import numpy as np
import pytest
import torch

from generation.engines.base import Cancelled, Failed
from generation.engines.diffusers_ import OutOfMemory
from generation.engines.diffusion.watching import denoisers
from tests.generation.diffusion.asking import levels_apart, made, run
from tests.generation.diffusion.everything import ASKED, BATCHED, job, last


def four(name, task):
    """Four members' jobs that may share a batch."""
    words = [("rings", "at night"), ("chequers", "snow"), ("chequers", "雪"), ("rings", "")]
    return [job(name, task, *each, seed=50 + n) for n, each in enumerate(words)]


def denoiser(engine):
    """What is called in every step, a ControlNet beside it left out."""
    return list(denoisers(engine.loaded.first))[-1]


def rows_in(words, more):
    """How many rows a denoiser is asked for at once, unguided twins included."""
    for each in (*words, *more.values()):
        if isinstance(each, torch.Tensor) and each.ndim > 1:
            return each.shape[0]
        if isinstance(each, (list, tuple)) and each:
            return len(each)
    raise AssertionError("a denoiser sees something")


@contextlib.contextmanager
def memory(engine, enough):
    """A device whose memory ends in the denoiser unless `enough(rows)`; the rows of each call."""
    seen = []

    def room(_, words, more):
        seen.append(rows_in(words, more))
        if not enough(seen[-1]):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate a lot")

    hook = denoiser(engine).register_forward_pre_hook(room, with_kwargs=True)
    try:
        yield seen
    finally:
        hook.remove()
        engine.loaded.tiled = False
        engine.loaded.first.vae.disable_tiling()
        engine._ceilings._lowered.clear()


def test_all_that_batches_is_tried():
    from generation import presets

    shipped = presets.completed(presets.parsed(presets.SHIPPED))
    batch = {name for name, words in shipped.items() if max(words["buckets"]) > 1}
    assert batch == {name for name, _ in BATCHED}


@pytest.mark.parametrize(("name", "task"), BATCHED)
def test_in_a_batch_neighbours_change_nothing_and_a_recipe_is_enough_to_replay(load, name, task):
    engine = load(name)
    items = four(name, task)
    together = made(engine, items)
    others = [job(name, task, "chequers", "x" * 60, seed=9) for _ in range(3)]
    beside = made(engine, [items[0], *others])[0]
    assert np.array_equal(last(together[0]), last(beside))
    recipe = together[2].recipe
    again = made(engine, [job(
        name, task, "chequers", recipe["prompt"], seed=recipe["seed"], bucket=recipe["bucket"],
        size=tuple(recipe["size"]), steps=recipe["steps"],
    )])[0]  # fmt: skip
    assert recipe["bucket"] == 4
    assert np.array_equal(last(together[2]), last(again))
    alone = made(engine, items[1:2])[0]
    assert levels_apart(together[1], alone) <= 2


@pytest.mark.parametrize(("name", "task"), ASKED)
def test_who_leaves_ends_it_within_a_step_and_the_next_run_is_as_if_nothing_had_been(
    load, name, task
):
    engine = load(name)
    fresh = made(engine, [job(name, task, seed=4)])[0]
    steps, decoded = [], []
    hook = engine.loaded.first.vae.decoder.register_forward_pre_hook(lambda *_: decoded.append(1))
    try:
        item = job(name, task, seed=5)
        answer = run(engine, [item], steps.append, lambda _: any(each.step for each in steps))
    finally:
        hook.remove()
    assert isinstance(answer[item.id], Failed)
    assert isinstance(answer[item.id].error, Cancelled)
    assert [each.step for each in steps if each.step] == [1] and decoded == []
    assert np.array_equal(last(fresh), last(made(engine, [job(name, task, seed=4)])[0]))


@pytest.mark.parametrize(("name", "task"), ASKED)
def test_where_memory_ends_there_are_tiles_then_a_word_then_all_is_well_again(load, name, task):
    engine = load(name)
    item = job(name, task, seed=6)
    plain = made(engine, [item])[0]
    with memory(engine, lambda _: engine.loaded.tiled):
        tiled = made(engine, [job(name, task, seed=6)])[0]
    assert (plain.recipe["tiled"], tiled.recipe["tiled"]) == (False, True)
    assert tiled.picture.size == plain.picture.size and last(tiled).std() > 1
    with memory(engine, lambda _: False) as calls:
        failed = run(engine, [item])[item.id]
    assert isinstance(failed, Failed) and isinstance(failed.error, OutOfMemory)
    assert failed.error.reason == "out_of_memory" and len(calls) == 2
    assert np.array_equal(last(plain), last(made(engine, [job(name, task, seed=6)])[0]))


@pytest.mark.parametrize(("name", "task"), BATCHED)
def test_a_batch_too_large_for_the_memory_is_halved_to_the_same_bits(load, name, task):
    engine = load(name)
    items = four(name, task)
    with memory(engine, lambda _: True) as calls:
        halves = [*made(engine, items[:2]), *made(engine, items[2:])]
    most = max(calls)
    with memory(engine, lambda rows: rows <= most) as calls:
        answers = made(engine, items)
    assert calls[0] == 2 * most and set(calls[1:]) == {most}
    assert [each.recipe["bucket"] for each in answers] == [2] * 4
    for one, other in zip(halves, answers, strict=True):
        assert np.array_equal(last(one), last(other))
