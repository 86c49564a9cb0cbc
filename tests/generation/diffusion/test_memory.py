"""Where memory ends: half the batch, then tiles, then a kind word; and nobody loses a picture."""

import contextlib

import numpy as np
import pytest
import torch

from generation.engines.diffusers_ import OutOfMemory
from tests.generation.diffusion.asking import ask, four, made, picture_of, pixels, run


@contextlib.contextmanager
def memory_for(engine, rows, tiles=True):
    """A denoiser that has room for so many rows; for none, not even with tiles if so asked."""
    denoiser = engine.loaded.first.transformer
    seen = []

    def room(module, words, more):
        asked = more["hidden_states"].shape[0]
        seen.append(asked)
        enough = asked <= rows or (rows == 0 and tiles and engine.loaded.tiled)
        if not enough:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate a lot")

    hook = denoiser.register_forward_pre_hook(room, with_kwargs=True)
    try:
        yield seen
    finally:
        hook.remove()
        engine.loaded.tiled = False
        engine.loaded.first.vae.disable_tiling()
        engine._ceilings._lowered.clear()


def test_a_batch_that_is_too_large_is_halved(load):
    engine = load("klein")
    items = four("klein")
    with memory_for(engine, 2) as seen:
        answers = made(engine, items)
    assert [each.recipe["bucket"] for each in answers] == [2] * 4
    assert seen[0] == 4 and set(seen[1:]) == {2}
    halves = made(engine, [items[0], items[1]])
    assert np.array_equal(pixels(answers[0]), pixels(halves[0]))


def test_the_smaller_size_is_remembered_for_a_while(load, monkeypatch):
    engine = load("klein")
    with memory_for(engine, 1) as seen:
        made(engine, four("klein"))
        seen.clear()
        made(engine, four("klein"))
        assert max(seen) == 1, "nobody tries again what has just failed"
        seen.clear()
        for size, (bucket, until) in engine._ceilings._lowered.items():
            engine._ceilings._lowered[size] = (bucket, until - 601)
        made(engine, four("klein"))
        assert max(seen) == 4, "ten minutes later it is tried again"


def test_a_replay_too_large_for_the_memory_is_the_same_whether_that_is_known_or_not(load):
    """One picture in a batch of four: halved when memory ends, and at once when it has ended before."""
    engine = load("klein")
    item = ask("klein", "at night", picture_of("rings"), bucket=4)
    with memory_for(engine, 2) as seen:
        ended = made(engine, [item])[0]
        seen.clear()
        known = made(engine, [item])[0]
        assert set(seen) == {2}
    assert ended.recipe["bucket"] == known.recipe["bucket"] == 2
    assert np.array_equal(pixels(ended), pixels(known))


def test_a_single_picture_is_then_decoded_in_tiles(load):
    engine = load("klein")
    item = ask("klein", "at night", picture_of("rings"))
    with memory_for(engine, 0):
        answer = made(engine, [item])[0]
    assert answer.recipe["tiled"] is True
    assert answer.picture.size == (64, 64)


def test_what_does_not_fit_at_all_fails_with_a_reason(load):
    engine = load("klein")
    items = four("klein")
    with memory_for(engine, 0, tiles=False):
        answers = run(engine, items)
    assert {type(each.error) for each in answers.values()} == {OutOfMemory}
    assert {each.error.reason for each in answers.values()} == {"out_of_memory"}
    assert "memory" in str(answers[items[0].id].error)
    assert made(engine, items[:1])[0].recipe["tiled"] is False


def test_any_other_trouble_is_not_taken_for_the_end_of_memory(load):
    engine = load("klein")

    def broken(*_):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    hook = engine.loaded.first.transformer.register_forward_pre_hook(broken)
    try:
        with pytest.raises(RuntimeError, match="illegal"):
            run(engine, [ask("klein", "at night", picture_of("rings"))])
    finally:
        hook.remove()
