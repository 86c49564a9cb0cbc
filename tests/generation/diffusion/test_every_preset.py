"""Every shipped preset, with tiny weights, through the real loader and all it can be asked."""

import numpy as np
import pytest
from diffusers.pipelines.qwenimage import pipeline_qwenimage_edit_plus

from generation import presets
from generation.engines.base import SourceRefused
from generation.engines.diffusion.settings import settings
from tests.generation.diffusion.asking import ask, made, picture_of, pixels, run
from tests.generation.diffusion.everything import ASKED, job, last
from tests.generation.diffusion.tiny import KINDS


def test_every_shipped_preset_is_built_small_and_asked_everything():
    shipped = {
        name: words
        for name, words in presets.completed(presets.parsed(presets.SHIPPED)).items()
        if words["engine"] == "diffusers"
    }
    assert set(shipped) == set(KINDS)
    can = {(name, task) for name, words in shipped.items() for task in words["pipelines"]}
    assert can == set(ASKED)


@pytest.mark.parametrize(("name", "task"), ASKED)
def test_it_makes_the_same_picture_twice_and_another_for_another_seed(load, name, task):
    engine = load(name)
    items = [job(name, task, seed=seed) for seed in (1, 1, 2)]
    steps = []
    first = made(engine, items[:1], on_progress=steps.append)[0]
    again, other = made(engine, items[1:2])[0], made(engine, items[2:])[0]
    assert np.array_equal(last(first), last(again))
    assert not np.array_equal(last(first), last(other))
    assert pixels(first).std() > 1, "a picture, not a plain surface"
    assert first.recipe["task"] == task
    steps = [each for each in steps if each.step]
    assert [each.step for each in steps] == list(range(1, steps[-1].total + 1))
    assert steps[0].frame is not None and steps[-1].frame is not None
    assert max(steps[0].frame.size) <= 256


@pytest.mark.parametrize("name", ["longcat", "qwen-edit", "instruct-pix2pix", "wan-moving"])
def test_what_cannot_begin_from_nothing_says_so(load, name):
    item = ask(name, "a hill")
    answer = run(load(name), [item])[item.id]
    assert isinstance(answer.error, SourceRefused)
    assert "needs an image" in str(answer.error)


@pytest.mark.parametrize("name", ["klein", "qwen-edit"])
def test_further_sources_are_seen(load, name, monkeypatch):
    monkeypatch.setattr(pipeline_qwenimage_edit_plus, "VAE_IMAGE_SIZE", 256 * 256)
    engine = load(name)
    two = made(engine, [ask(name, "both", picture_of("rings"), picture_of("fog"), seed=3)])[0]
    other = made(engine, [ask(name, "both", picture_of("rings"), picture_of("chequers"), seed=3)])
    assert not np.array_equal(pixels(two), pixels(other[0]))
    assert len(two.recipe["sources"]) == 2


def test_more_sources_than_a_preset_takes_are_refused(load):
    item = ask("longcat", "both", picture_of("rings"), picture_of("fog"))
    answer = run(load("longcat"), [item])[item.id]
    assert isinstance(answer.error, SourceRefused)


def test_a_film_comes_with_all_its_frames(load):
    film = made(load("wan-moving"), [ask("wan-moving", "leaves", picture_of("rings"))])[0]
    assert len(film.frames) == 5
    assert film.fps == 24
    assert film.picture.size == film.frames[-1].size == (64, 64)
    assert not np.array_equal(np.asarray(film.frames[0]), np.asarray(film.frames[-1]))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_shipped_settings_hold_together(name):
    words = presets.completed(presets.parsed(presets.SHIPPED))
    preset = presets.preset_from(name, words[name])
    found = settings(preset)
    assert found.sizes[0][0] == found.sizes[0][1], "the first size is square: the usual one"
    assert all(max(size) <= preset.max_side for size in found.sizes)
    assert preset.settings["revision"] == "", "nobody could check a commit when this was written"
