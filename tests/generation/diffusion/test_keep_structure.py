"""What is kept of a source: edges, depth and pose, alone and together, through the real loader."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from transformers.models.vitpose.modeling_vitpose import VitPoseEstimatorOutput

from generation import engines, presets
from generation.engines.diffusion import estimating, exchanging, loading
from generation.engines.diffusion.maps import grey_of, kept
from generation.engines.diffusion.refusals import NotLoaded
from tests.generation.diffusion.asking import ask, made, picture_of, pixels
from tests.generation.diffusion.eyes import SEEN, UNSEEN

EDGES = {"kind": "canny", "mode": 3, "scale": 0.4}
DEPTH = {"kind": "depth", "mode": 1, "scale": 0.6}
POSE = {"kind": "pose", "mode": 0, "scale": 0.9}


@pytest.fixture
def several(load, monkeypatch):
    """An engine that keeps everything at once, over pipelines that are loaded."""
    load("sdxl-structure")
    known = presets.presets()
    parts = known["sdxl-pose"].settings["parts"] | known["sdxl-depth"].settings["parts"]
    base = known["sdxl-pose"]

    def engine(*control, **more):
        words = {**base.settings, "control": list(control), "parts": parts, **more}
        made_of = engines.editor("diffusers")
        made_of.load(replace(base, settings=words))
        return made_of

    return engine


def answer(engine, name, preset="sdxl-pose", **more):
    return made(engine, [ask(preset, "a statue", picture_of(name, (64, 64)), seed=4, **more)])[0]


# --- depth ----------------------------------------------------------------------------------------


def test_the_nearest_is_white_and_the_farthest_black():
    plane = np.array([[2.0, 4.0], [3.0, 2.5]], np.float32)
    assert grey_of(plane).tolist() == [[0, 255], [128, 64]]


def test_the_scale_of_depth_does_not_matter():
    plane = np.linspace(-3, 5, 256, dtype=np.float32).reshape(16, 16)
    assert np.array_equal(grey_of(plane), np.arange(256).reshape(16, 16))
    assert np.array_equal(grey_of(plane * 1000 + 70), grey_of(plane))


@pytest.mark.parametrize("value", [0.0, 7.0, float("nan"), float("inf")])
def test_where_nothing_is_nearer_there_is_no_depth(value):
    assert grey_of(np.full((4, 4), value, np.float32)) is None


def test_depth_is_seen_by_a_model_at_the_size_of_the_picture(load):
    by = load("sdxl-depth").loaded.estimators
    plane = estimating.depth(picture_of("rings", (96, 64)), by)
    assert plane.shape == (64, 96) and plane.dtype == np.float32 and plane.std() > 0


# --- people ---------------------------------------------------------------------------------------


def test_people_are_seen_with_all_their_joints(load):
    by = load("sdxl-pose").loaded.estimators
    found = estimating.people(picture_of(SEEN, (64, 64)), by)
    assert len(found) >= 1 and found.shape[1:] == (17, 3)
    assert np.isfinite(found).all()


def test_boxes_end_where_the_picture_ends():
    corners = np.array([[-5, 10, 30, 90], [50, 50, 50.5, 60], [70, 0, 90, 20]], np.float32)
    assert estimating.within(corners, (64, 80)).tolist() == [[0, 10, 30, 70]]


@pytest.mark.parametrize("place", [(0.5, 0.5), (0.25, 0.8), (0.7, 0.1)])
def test_a_joint_comes_back_to_where_it_was_in_the_picture(load, place):
    """A peak in the map of a joint, through the processor that the pose is read with."""
    processor = load("sdxl-pose").loaded.estimators["pose"].processor
    box = np.array([[100, 50, 120, 160]], np.float32)  # as high to wide as what the model sees
    rows, columns = np.mgrid[0:64, 0:48]
    x, y = round(place[0] * 47), round(place[1] * 63)
    peak = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8)
    heat = torch.from_numpy(np.broadcast_to(peak, (1, 17, 64, 48)).astype(np.float32))
    out = VitPoseEstimatorOutput(heatmaps=heat)
    found = processor.post_process_pose_estimation(out, boxes=[box])[0][0]
    # The model sees a quarter more than the box, around its middle.
    wanted = (160 + 150 * (x / 47 - 0.5), 130 + 200 * (y / 63 - 0.5))
    assert found["keypoints"][0].tolist() == pytest.approx(wanted, abs=0.5)


def test_a_picture_of_nobody_has_no_people(load):
    by = load("sdxl-pose").loaded.estimators
    assert estimating.people(picture_of(UNSEEN, (64, 64)), by).shape == (0, 17, 3)


# --- in the recipe --------------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [False, True])
def test_pose_is_kept_and_told(load, masked):
    mask = Image.new("L", (64, 64), 255) if masked else None
    found = answer(load("sdxl-pose"), SEEN, mask=mask).recipe
    assert found["task"] == ("inpaint" if masked else "edit")
    (told,) = found["control"]
    assert told.pop("people") >= 1
    assert told == {"kind": "pose", "mode": 0, "scale": 0.9}
    assert found["stages"]["maps"] >= 0


def test_where_nobody_is_seen_edges_are_kept_and_told(load):
    told = answer(load("sdxl-pose"), UNSEEN).recipe["control"]
    assert told == [{"kind": "canny", "mode": 3, "scale": 0.5, "instead_of": "pose"}]


def test_depth_is_kept_and_told(load):
    found = answer(load("sdxl-depth"), "rings", preset="sdxl-depth").recipe
    assert found["control"] == [{"kind": "depth", "mode": 1, "scale": 0.7}]
    assert found["parts"]["depth"]["licence"] == "Apache-2.0"
    assert "depth" in found["weights"]


def test_first_images_have_nothing_to_keep(load):
    item = ask("sdxl-structure", "a hill")
    assert made(load("sdxl-structure"), [item])[0].recipe["control"] is None


def test_what_is_kept_is_seen_before_the_first_step(load):
    steps = []
    item = ask("sdxl-pose", "a statue", picture_of(SEEN, (64, 64)), steps=2)
    made(load("sdxl-pose"), [item], on_progress=steps.append)
    first = steps[0]
    assert (first.step, first.total, first.stage) == (0, 2, "pose")
    colours = {tuple(each) for each in np.asarray(first.frame).reshape(-1, 3).tolist()}
    assert (0, 0, 0) in colours and len(colours) > 3
    assert {each.stage for each in steps[1:]} == {"denoising"}


# --- several at once ------------------------------------------------------------------------------


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("controls", [(EDGES, DEPTH), (POSE, EDGES), (POSE, DEPTH, EDGES)])
def test_several_are_kept_together(several, controls, masked):
    mask = Image.new("L", (64, 64), 255) if masked else None
    told = answer(several(*controls), SEEN, mask=mask).recipe["control"]
    assert [each["kind"] for each in told] == [each["kind"] for each in controls]
    assert [each["scale"] for each in told] == [each["scale"] for each in controls]


def test_each_of_several_makes_a_difference(several):
    all_of = answer(several(POSE, DEPTH, EDGES), SEEN, strength=1.0)
    for left in ((DEPTH, EDGES), (POSE, EDGES)):
        fewer = answer(several(*left), SEEN, strength=1.0)
        assert not np.array_equal(pixels(all_of), pixels(fewer))
    louder = answer(several({**POSE, "scale": 0.2}, DEPTH, EDGES), SEEN, strength=1.0)
    assert not np.array_equal(pixels(all_of), pixels(louder))


def test_what_is_not_found_is_left_out_where_something_else_is_kept(several):
    instead = {**POSE, "otherwise": {"kind": "canny", "mode": 3}}
    told = answer(several(instead, EDGES), UNSEEN).recipe["control"]
    assert told == [{"kind": "pose", "found": False}, EDGES]


def test_neighbours_in_a_batch_may_show_nobody(load):
    """Those of whom other things are kept run in a call of their own; no picture changes by it."""
    engine = load("sdxl-pose")
    items = [
        ask("sdxl-pose", "a statue", picture_of(name, (64, 64)), seed=seed, bucket=2)
        for seed, name in enumerate((SEEN, UNSEEN, SEEN, UNSEEN))
    ]
    together = made(engine, items)
    kinds = [each.recipe["control"][0]["kind"] for each in together]
    assert kinds == ["pose", "canny", "pose", "canny"]
    apart = made(engine, [items[0], items[2]]) + made(engine, [items[1], items[3]])
    for one, other in zip([together[n] for n in (0, 2, 1, 3)], apart, strict=True):
        assert np.array_equal(pixels(one), pixels(other))


# --- loading --------------------------------------------------------------------------------------


def test_presets_over_the_same_weights_are_exchanged_without_loading_them(load, monkeypatch):
    known = presets.presets()
    engine = engines.editor("diffusers")
    engine.load(known["sdxl-structure"])
    first = engine.loaded.first
    before = answer(load("sdxl-depth"), "rings", preset="sdxl-depth")
    monkeypatch.setattr(loading, "pipeline", lambda *_: pytest.fail("loaded again"))
    engine.load(known["sdxl-depth"])
    assert engine.loaded.first is first and set(engine.loaded.estimators) == {"depth"}
    assert set(engine.loaded.pipelines) == {"edit", "inpaint"}
    assert np.array_equal(pixels(answer(engine, "rings", preset="sdxl-depth")), pixels(before))
    engine.load(known["sdxl-structure"])
    assert not engine.loaded.estimators and engine.loaded.preset.name == "sdxl-structure"


def test_other_weights_are_loaded(load):
    load("sdxl-structure")
    known = presets.presets()
    pose = known["sdxl-pose"]
    assert exchanging.alike(known["sdxl-structure"], pose)
    assert not exchanging.alike(known["sd-turbo"], pose)
    faster = replace(pose, settings={**pose.settings, "call": {"num_inference_steps": 2}})
    assert not exchanging.alike(pose, faster)


def test_a_mode_that_the_controlnet_does_not_have_is_named(several):
    with pytest.raises(NotLoaded, match="no mode 9: they end at 5"):
        several({**EDGES, "mode": 9})


def test_an_estimator_of_another_kind_is_named(several, load):
    known = presets.presets()
    parts = known["sdxl-pose"].settings["parts"]
    swapped = {**parts, "people": {**parts["people"], "model": parts["pose"]["model"]}}
    with pytest.raises(NotLoaded, match="could not be loaded as transformers:RTDetr"):
        several({**POSE, "otherwise": EDGES}, parts=swapped)


def test_a_pickle_beside_an_estimator_is_refused(several, tmp_path):
    torch.save({"a": torch.zeros(2)}, tmp_path / "pytorch_model.bin")
    known = presets.presets()
    parts = known["sdxl-pose"].settings["parts"]
    spoilt = {**parts, "pose": {**parts["pose"], "model": str(tmp_path)}}
    with pytest.raises(NotLoaded, match="is a pickle"):
        several({**POSE, "otherwise": EDGES}, parts=spoilt)


def test_an_estimator_waits_in_the_computers_memory_where_the_pipeline_does(load):
    """On a CPU nothing moves; that it comes and goes is seen from its orders."""
    eye = load("sdxl-depth").loaded.estimators["depth"]
    moves = []
    waiting = replace(eye, waits=True)
    moved = waiting.model.to
    waiting.model.to = lambda place: moves.append(str(place)) or moved(place)
    try:
        kept(picture_of("rings", (64, 64)), (), {"depth": waiting})
        assert moves == []
        estimating.depth(picture_of("rings", (64, 64)), {"depth": waiting})
    finally:
        del waiting.model.to
    assert moves == ["cpu", "cpu"]
