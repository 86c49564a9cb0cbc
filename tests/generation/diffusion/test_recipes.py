"""What a recipe holds: enough to make the picture again, and nothing that is not true."""

import json

import pytest

from generation.engines.diffusion.recipes import told
from tests.generation.diffusion.asking import ask, made, picture_of

HELD = {
    "engine", "version", "preset", "preset_digest", "task", "pipeline", "weights", "dtype",
    "scheduler", "scheduler_digest", "seed", "generator", "steps", "guidance", "strength", "size",
    "cut", "bucket", "row", "attention", "compiled", "offload", "tiled", "device", "versions",
    "sources", "mask", "outside", "control", "prompt", "prompt_read", "tokens_dropped", "negative", "stages",
    "milliseconds", "parts", "strength_passed",
}  # fmt: skip


@pytest.fixture
def recipe(load):
    def of(name, **more):
        return made(load(name), [ask(name, "at night", picture_of("rings"), **more)])[0].recipe

    return of


def test_it_holds_everything_and_travels_as_json(recipe):
    found = recipe("klein")
    assert set(found) == HELD
    assert json.loads(json.dumps(found)) == found
    assert found["generator"] == "torch-cpu" and found["device"] == "cpu"
    assert {"torch", "diffusers", "transformers"} <= set(found["versions"])
    assert set(found["stages"]) == {"encode", "denoise", "decode"}


def test_weights_are_told_in_a_line(recipe):
    """Folders have no commit: a digest of their files says which they were."""
    said = recipe("sdxl-structure")
    names = [each.split(" # ") for each in said["weights"].split(", ")]
    assert [name for name, _ in names] == ["sdxl-structure", "union", "sdxl-vae"]
    assert all(len(held) == 12 for _, held in names) and len({held for _, held in names}) == 3
    part = {"model": "owner/ink", "revision": "0123456789abcdef" * 2, "scale": 0.8}
    assert told({"ink": part}) == "owner/ink @ 0123456789ab × 0.8"


def test_weights_without_a_commit_or_digests_never_come_to_a_recipe(recipe):
    """Whatever was loaded is held by one or the other."""
    for name in ("klein", "sdxl-pose"):
        for part in recipe(name)["parts"].values():
            assert part.get("revision") or part["files"]


def test_digests_tell_one_preset_and_scheduler_from_another(recipe):
    one, two = recipe("klein"), recipe("sd-turbo")
    assert one["preset_digest"] != two["preset_digest"]
    assert one["scheduler_digest"] != two["scheduler_digest"]


def test_it_says_what_was_passed_not_what_was_wished(recipe):
    assert recipe("klein", negative="rain", strength=0.2, guidance=9.0)["negative"] == ""
    given = recipe("klein", strength=0.2)
    assert (given["strength"], given["strength_passed"]) == (0.2, None)
    assert recipe("klein", guidance=9.0)["guidance"] == 1.0
    said = recipe("sdxl-structure", negative="rain", strength=0.5, guidance=9.0, steps=6)
    assert (said["negative"], said["strength_passed"], said["guidance"]) == ("rain", 0.65, 9.0)
    assert said["steps"] == 6 and said["control"] == [{"kind": "canny", "mode": 3, "scale": 0.7}]


def test_avoiding_something_makes_a_difference(load):
    engine = load("instruct-pix2pix")
    plain, without = (
        made(engine, [ask("instruct-pix2pix", "stone", picture_of("rings"), negative=word)])[0]
        for word in ("", "rain and fog")
    )
    assert plain.picture.tobytes() != without.picture.tobytes()
    assert without.recipe["negative"] == "rain and fog"


def test_the_cut_says_which_part_of_the_source_was_used(recipe):
    assert recipe("klein")["cut"] == [0.0, 0.0, 96.0, 96.0]
