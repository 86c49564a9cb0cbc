"""What a preset of this engine may say, and how a request becomes a call."""

from dataclasses import replace

import pytest

from generation import presets
from generation.engines.base import SourceRefused
from generation.engines.diffusion.settings import call_for, problems, settings, size_for
from generation.requests import EditRequest, ImageRef

SHIPPED = presets.completed(presets.parsed(presets.SHIPPED))
EDGES = {"kind": "canny", "mode": 3}
DEPTH = {"kind": "depth", "mode": 1}
POSE = {"kind": "pose", "mode": 0}
EYES = {"depth": {"model": "a/b", "class": "transformers:DepthAnythingForDepthEstimation"}}


def shipped(name):
    return presets.preset_from(name, SHIPPED[name])


def request(size=(1024, 1024), **more):
    sources = () if size is None else (ImageRef("a" * 64, "a", size),)
    return EditRequest(**{"preset": "x", "prompt": "rain", "seed": 1, "sources": sources, **more})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pipelines": {}}, "pipelines is missing"),
        ({"pipelines": {"paint": "diffusers:X"}}, "pipelines.paint is none of"),
        ({"pipelines": {"edit": "diffusers.X"}}, "pipelines.edit must be a class"),
        ({"sizes": []}, "sizes is missing"),
        ({"model": None}, "model is missing"),
        ({"dtype": "int8"}, "dtype must be one of bfloat16, float16, float32"),
        ({"strength": {"argument": "strength", "middle": 1}}, "strength must be a table of"),
        ({"control": {"kind": "canny"}}, "control needs kind and mode"),
        ({"control": []}, "control must be a table, or a list of tables"),
        (
            {"control": {"kind": "faces", "mode": 0}},
            "control.kind must be one of canny, depth, pose",
        ),
        ({"control": {**EDGES, "weight": 1}}, "control must be a table of: kind, mode, scale"),
        ({"control": {**EDGES, "mode": "3"}}, "control.mode must be a number"),
        ({"control": {**EDGES, "scale": -1}}, "control.scale must be a number from 0 to 2"),
        (
            {"control": {**EDGES, "otherwise": POSE}},
            "control.otherwise must be a table of kind canny",
        ),
        ({"control": {**POSE, "otherwise": {"kind": "canny"}}}, "control.otherwise needs kind and"),
        (
            {"control": [EDGES, POSE], "parts": {"pose": EYES["depth"]}},
            "control needs parts.people with a class such as",
        ),
        (
            {"control": [EDGES, DEPTH], "parts": {"depth": {"model": "a/b"}}},
            "control needs parts.depth",
        ),
        ({"control": [EDGES, EDGES]}, "control has two maps of one mode"),
        ({"control": DEPTH, "parts": EYES}, "control needs something that is always found"),
        ({"parts": {"vae": {"model": "a/b", "klass": "x:Y"}}}, "parts.vae.klass is none of: model"),
        (
            {"parts": {"depth": {**EYES["depth"], "device": "gpu"}}},
            "parts.depth.device must be one",
        ),
        ({"parts": {"depth": {**EYES["depth"], "licence": ""}}}, "parts.depth.licence must be the"),
        ({"parts": {"depth": {**EYES["depth"], "files": "a"}}}, "parts.depth.files must be a list"),
        ({"optimise": {"attention": "flash_hub"}}, "fetches nothing"),
        ({"optimise": {"speed": 9}}, "optimise.speed is none of"),
        ({"optimise": {"offload": "disk"}}, "optimise.offload must be one of"),
        ({"parts": {"vae": {"model": "a/b", "class": "vae"}}}, "parts.vae.class must be a class"),
        ({"parts": {"lora": {"model": "a/b", "scale": "1"}}}, "parts.lora.scale must be a number"),
        ({"call": {"num_inference_steps": 0}}, "call.num_inference_steps must be"),
    ],
)
def test_what_does_not_hold_is_said_in_a_sentence(change, said):
    wrong = list(problems({**SHIPPED["klein"], **change}))
    assert len(wrong) == 1 and said in wrong[0]


def test_an_operators_file_that_does_not_hold_is_named(tmp_path, monkeypatch):
    file = tmp_path / "presets.toml"
    file.write_text('[klein]\ndtype = "int8"\n')
    monkeypatch.setenv("FORUM_PRESETS", str(file))
    with pytest.raises(presets.PresetsBroken, match=r"presets.toml: \[klein\] dtype must be"):
        presets.presets()


@pytest.mark.parametrize(
    ("source", "size"),
    [
        ((1024, 1024), (1024, 1024)),
        ((4000, 3000), (1184, 880)),
        ((3000, 4500), (832, 1248)),
        ((1920, 1080), (1360, 768)),
        ((100, 1000), (720, 1456)),
        (None, (1024, 1024)),
    ],
)
def test_the_size_nearest_in_shape_is_taken(source, size):
    assert size_for(request(source), shipped("klein")) == size


def test_a_size_of_ones_own_becomes_one_that_is_warm():
    assert size_for(
        request(
            size=None,
            sources=(),
        ),
        shipped("klein"),
    ) == (1024, 1024)
    asked = replace(request((1024, 1024)), size=(3000, 2000))
    assert size_for(asked, shipped("klein")) == (1248, 832)


@pytest.mark.parametrize(
    ("name", "strength", "passed"),
    [
        ("klein", 0.6, None),
        ("sd-turbo", 0.0, 0.25),
        ("sd-turbo", 1.0, 1.0),
        ("instruct-pix2pix", 0.0, 2.2),
        ("instruct-pix2pix", 1.0, 1.0),
        ("z-image", 0.5, 0.6),
    ],
)
def test_strength_becomes_what_each_pipeline_understands(name, strength, passed):
    assert call_for(request(strength=strength), shipped(name)).strength == passed


def test_image_to_image_always_has_a_step_to_run():
    call = call_for(request(strength=0.0, steps=2), shipped("sd-turbo"))
    assert call.strength is not None and int(call.steps * call.strength) >= 1


def test_guidance_of_a_distilled_model_cannot_be_changed():
    assert call_for(request(guidance=7.0), shipped("klein")).guidance is None
    assert call_for(request(guidance=7.0), shipped("sdxl-structure")).guidance == 7.0


def test_what_a_preset_cannot_do_is_refused():
    with pytest.raises(SourceRefused):
        call_for(request(size=None), shipped("longcat"))
    many = tuple(ImageRef("a" * 64, "a", (9, 9)) for _ in range(4))
    with pytest.raises(SourceRefused, match="at most 3"):
        call_for(request(sources=many), shipped("klein"))


def test_tasks_are_told():
    assert settings(shipped("klein")).tasks == ("edit", "create")
    assert settings(shipped("z-image")).tasks == ("edit", "create", "inpaint")


def test_maps_come_as_one_table_or_several():
    one = settings(shipped("sdxl-structure")).controls
    assert [(each.kind, each.mode, each.scale) for each in one] == [("canny", 3, 0.7)]
    (pose,) = settings(shipped("sdxl-pose")).controls
    assert pose.otherwise is not None and pose.otherwise.kind == "canny"


def test_estimators_are_no_components_and_no_adapters():
    parts = {part.role: part for part in settings(shipped("sdxl-pose")).parts}
    assert {role for role, part in parts.items() if part.estimator} == {"people", "pose"}
    assert not any(part.adapter for part in parts.values())
