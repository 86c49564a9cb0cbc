"""What is encoded once and used again: never a bit differently, never more than a bound, never a word."""

import numpy as np
import pytest
import torch

from generation.engines.diffusion import remembering
from generation.engines.diffusion.remembering import Memory, Shelf, Strange, digest
from tests.generation.diffusion.asking import ask, four, made, picture_of, pixels

#: One preset of each class of pipelines.
ALL = [
    "klein",
    "sdxl-structure",
    "sd-turbo",
    "z-image",
    "longcat",
    "qwen-edit",
    "wan-moving",
    "instruct-pix2pix",
]


@pytest.fixture
def forgetful(load):
    """`forgetful("klein")`: the engine, remembering nothing yet."""

    def engine(name):
        loaded = load(name)
        loaded.memory.clear()
        for shelf in (loaded.memory.prompts, loaded.memory.sources):
            shelf.hits = shelf.misses = 0
        return loaded

    return engine


def without_memory(engine, items, monkeypatch):
    """The same items by an engine that remembers nothing."""
    with monkeypatch.context() as patch:
        patch.setitem(engine.loaded.settings.optimise, "remember", False)
        return made(engine, items)


@pytest.mark.parametrize("name", ALL)
def test_what_is_remembered_gives_the_same_bits(forgetful, monkeypatch, name):
    engine = forgetful(name)
    one = [ask(name, "at night, lamps lit", picture_of("rings"), seed=3)]
    first, again = made(engine, one)[0], made(engine, one)[0]
    memory = engine.memory
    assert memory.prompts.hits and memory.sources.hits >= 1, memory.about()
    before = (memory.prompts.hits, memory.prompts.misses, memory.sources.hits)
    anew = without_memory(engine, one, monkeypatch)[0]
    assert (memory.prompts.hits, memory.prompts.misses, memory.sources.hits) == before
    assert np.array_equal(pixels(first), pixels(again))
    assert np.array_equal(pixels(first), pixels(anew))


@pytest.mark.parametrize("name", ["klein", "sdxl-structure", "sd-turbo", "instruct-pix2pix"])
def test_a_batch_of_things_old_and_new_gives_the_same_bits(forgetful, monkeypatch, name):
    engine = forgetful(name)
    items = four(name)
    anew = without_memory(engine, items, monkeypatch)
    made(engine, items[1:3])
    half, whole = made(engine, items), made(engine, items)
    for known in (half, whole):
        for one, other in zip(known, anew, strict=True):
            assert np.array_equal(pixels(one), pixels(other))
    # Two of the four pictures are one, and all were there the second time.
    assert engine.memory.sources.misses == 3 and engine.memory.sources.hits >= 5
    assert engine.memory.prompts.misses == 4 and engine.memory.prompts.hits == 6


@pytest.mark.parametrize("name", ["klein", "instruct-pix2pix"])
def test_eight_seeds_of_one_source_encode_it_once(forgetful, name):
    engine = forgetful(name)
    source = picture_of("rings")
    different = [made(engine, [ask(name, "", source, seed=n)])[0] for n in range(8)]
    assert len({pixels(each).tobytes() for each in different}) == 8
    assert (engine.memory.sources.misses, engine.memory.sources.hits) == (1, 7)
    assert (engine.memory.prompts.misses, engine.memory.prompts.hits) == (1, 7)


def test_padding_costs_no_encoding(forgetful):
    engine = forgetful("klein")
    made(engine, [ask("klein", "rain", picture_of("rings"), bucket=4)])
    assert (engine.memory.sources.misses, engine.memory.prompts.misses) == (1, 1)


def test_another_prompt_source_or_setting_is_another_thing(forgetful):
    engine = forgetful("klein")
    rings, fog = picture_of("rings"), picture_of("fog")
    first = pixels(made(engine, [ask("klein", "rain", rings)])[0])
    for item in (ask("klein", "snow", rings), ask("klein", "rain", fog)):
        assert not np.array_equal(first, pixels(made(engine, [item])[0]))
    assert engine.memory.prompts.misses == 2 and engine.memory.sources.misses == 2
    engine.loaded.tiled = True  # tiles encode differently
    try:
        made(engine, [ask("klein", "rain", rings)])
        assert engine.memory.sources.misses == 3
    finally:
        engine.loaded.tiled = False


def test_what_must_not_be_seen_is_remembered_with_what_must(forgetful):
    """InstructPix2Pix encodes both together, each row with its unguided twins."""
    engine = forgetful("instruct-pix2pix")
    source = picture_of("rings")
    for negative in ("", "fog", "rain", "fog"):
        made(engine, [ask("instruct-pix2pix", "stone", source, negative=negative)])
    assert (engine.memory.prompts.misses, engine.memory.prompts.hits) == (3, 1)


def test_presets_do_not_share_what_they_remember(forgetful):
    """Two presets of one shape of text encoder, one memory."""
    turbo, structure = forgetful("sd-turbo"), forgetful("sdxl-structure")
    item = ask("sd-turbo", "rain", picture_of("rings"))
    first = pixels(made(turbo, [item])[0])
    structure.memory, kept = turbo.memory, structure.memory
    try:
        made(structure, [ask("sdxl-structure", "rain", picture_of("rings"))])
        assert turbo.memory.prompts.hits == 0
        assert np.array_equal(first, pixels(made(turbo, [item])[0]))
    finally:
        structure.memory = kept


def test_no_word_of_a_prompt_is_kept(forgetful):
    engine = forgetful("klein")
    made(engine, [ask("klein", "xyzzyplover", picture_of("rings"))])
    kept = engine.memory.prompts
    assert "xyzzy" not in repr(kept) and "xyzzy" not in repr(engine.about())
    assert all(isinstance(key, bytes) and len(key) == 32 for key in kept._kept)
    engine.memory.clear()
    assert engine.about()["remembered"]["prompts"]["mb"] == 0


def test_rows_with_twins_are_laid_together_as_a_batch_has_them():
    """Prompts of all rows first, then the twins of all."""
    rows = [torch.tensor([[n], [10 + n], [10 + n]]) for n in range(3)]
    wanted = [0, 1, 2, 10, 11, 12, 10, 11, 12]
    assert remembering.joined(rows).flatten().tolist() == wanted
    plain = [torch.full((1, 2), float(n)) for n in range(3)]
    assert torch.equal(remembering.joined(plain), torch.cat(plain))


# --- the shelf ------------------------------------------------------------------------------------


def test_a_shelf_keeps_to_its_bytes_and_lets_the_least_used_go():
    shelf = Shelf(most=1000)
    for key in (b"a", b"b"):
        shelf.put(key, torch.zeros(100, dtype=torch.float32))
    assert shelf.size == 800 and shelf.get(b"a") is not None
    shelf.put(b"c", (torch.ones(50), None, [torch.ones(50)]))
    assert shelf.size == 800 and shelf.get(b"b") is None
    one, nothing, [other] = shelf.get(b"c")
    assert nothing is None and torch.equal(one, other)
    shelf.put(b"large", torch.zeros(1000))
    assert shelf.get(b"large") is None and shelf.size == 800
    shelf.put(b"a", torch.zeros(10))
    assert shelf.size == 440, "what is put again takes the place of what was there"


def test_who_changes_what_they_got_changes_nothing_on_the_shelf():
    shelf, given = Shelf(), torch.zeros(4)
    shelf.put(b"a", given)
    given.add_(1)
    shelf.get(b"a").add_(1)
    assert torch.equal(shelf.get(b"a"), torch.zeros(4))


def test_digests_tell_apart_what_differs():
    zeros = torch.zeros(4)
    words = [
        "a", ["a"], ("a",), "b", ["a", "b"], ["ab"], 1, True, 1.0, None, {"a": "b"}, zeros,
        zeros.view(2, 2), zeros.bfloat16(), zeros + 1, picture_of("rings"), picture_of("fog"),
    ]  # fmt: skip
    assert len({digest(each) for each in words}) == len(words)
    assert digest(zeros) == digest(torch.zeros(4))


def test_what_has_no_digest_is_made_each_time():
    made_so_far = []
    with pytest.raises(Strange):
        digest(object())
    shelf = Shelf()
    for _ in range(2):
        remembering.looked_up(shelf, object(), lambda: made_so_far.append(1))
    assert len(made_so_far) == 2 and shelf.size == 0


def test_an_engine_that_unloads_forgets():
    memory = Memory()
    memory.prompts.put(b"a", torch.zeros(4))
    memory.clear()
    assert memory.prompts.get(b"a") is None


# --- where the time goes --------------------------------------------------------------------------


def test_an_engine_says_where_its_time_went_and_begins_anew(forgetful):
    engine = forgetful("klein")
    engine.spent()
    [answer] = made(engine, [ask("klein", "rain", picture_of("rings"), steps=6)])
    spent = engine.spent()
    assert set(spent) == {"encode", "denoise", "decode"} and min(spent.values()) > 0
    stages = answer.recipe["stages"]
    for stage, took in spent.items():
        assert stages[stage] == pytest.approx(1000 * took, abs=1)
    assert engine.spent() == {}


def test_the_first_step_counts_as_denoising(load, monkeypatch):
    """It begins with the denoiser's first call, not when that is over."""
    engine = load("klein")
    denoiser = engine.loaded.first.transformer
    engine.spent()
    slow = denoiser.register_forward_hook(lambda *_: __import__("time").sleep(0.2))
    try:
        made(engine, [ask("klein", "rain", picture_of("rings"), steps=1)])
    finally:
        slow.remove()
    assert engine.spent()["denoise"] >= 0.2
