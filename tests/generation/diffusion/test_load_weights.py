"""What is loaded, and what is refused with a sentence an operator can act on."""

import json
import shutil
import socket
from dataclasses import replace

import numpy as np
import pytest
import torch

from generation import engines, presets
from generation.engines.diffusion.loading import best_device
from generation.engines.diffusion.refusals import NotLoaded
from tests.generation.diffusion.asking import ask, levels_apart, made, picture_of, pixels
from tests.generation.diffusion.tiny import KINDS, toml_table


@pytest.fixture
def own(tiny_file, tmp_path, monkeypatch):
    """A klein of one's own that may be spoilt: its folder, and how to load it."""

    def load(**more):
        preset = presets.presets()["klein"]
        engine = engines.editor("diffusers")
        engine.load(replace(preset, settings={**preset.settings, **more}))
        return engine

    folder, file = tmp_path / "klein", tmp_path / "presets.toml"
    shutil.copytree(tiny_file.parent / "klein", folder)
    words = presets.parsed(tiny_file)["klein"] | {"model": str(folder)}
    file.write_text(toml_table("klein", words), "utf-8")
    monkeypatch.setenv("FORUM_PRESETS", str(file))
    return folder, load


def test_nothing_is_asked_of_the_network(own, monkeypatch):
    def no_network(*_, **__):
        raise AssertionError("something asked the network")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)
    assert own[1]().loaded is not None


def test_a_pickle_is_refused(own):
    folder, load = own
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    torch.save({"a": torch.zeros(2)}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(NotLoaded, match=r"diffusion_pytorch_model\.bin is a pickle"):
        load()


def test_a_pickle_beside_safe_weights_is_never_opened(own):
    folder, load = own
    trap = folder / "transformer" / "diffusion_pytorch_model.bin"
    trap.write_bytes(b"cos\nsystem\n(S'touch " + str(folder / "owned").encode() + b"'\ntR.")
    assert load().loaded is not None
    assert not (folder / "owned").exists()


def test_code_that_comes_with_weights_is_never_run(own):
    folder, load = own
    index = json.loads((folder / "model_index.json").read_text())
    index["transformer"] = ["transformer", "Evil"]
    (folder / "model_index.json").write_text(json.dumps(index))
    (folder / "transformer" / "transformer.py").write_text(
        f"open({str(folder / 'owned')!r}, 'w')\nclass Evil: pass\n"
    )
    with pytest.raises(NotLoaded):
        load()
    assert not (folder / "owned").exists()


def test_weights_that_are_not_here_are_named(own):
    folder, load = own
    shutil.rmtree(folder)
    with pytest.raises(NotLoaded, match="not on this machine: pull them first"):
        load()


def test_an_unpinned_repository_is_refused(own):
    with pytest.raises(NotLoaded, match="not pinned"):
        own[1](model="owner/name", revision="")


def test_damaged_weights_are_a_sentence_not_a_traceback(own):
    folder, load = own
    (folder / "vae" / "diffusion_pytorch_model.safetensors").write_bytes(b"\0" * 100)
    with pytest.raises(NotLoaded, match="could not be loaded as BatchedKlein"):
        load()


def test_settings_that_do_not_hold_are_named(own):
    with pytest.raises(NotLoaded, match="dtype must be one of"):
        own[1](dtype="int3")


def test_a_cpu_works_in_32_bits_where_a_gpu_works_in_16(own):
    """Many of its kernels know no 16-bit floats, the others are slower; brain floats stay."""
    half, brain = own[1](dtype="float16"), own[1](dtype="bfloat16")
    assert half.loaded.first.transformer.dtype == torch.float32
    assert brain.loaded.first.transformer.dtype == torch.bfloat16
    recipe = made(half, [ask("klein", "rain", picture_of("rings"))])[0].recipe
    assert recipe["dtype"] == half.about()["dtype"] == "float32"
    assert half.shares(half.loaded.preset), "it need not be loaded again"


def test_a_worker_offers_only_presets_whose_weights_it_has(own):
    from generation.worker.supervisor import queues_for

    assert "edit:klein" in queues_for(["edit"])
    assert "edit:qwen-edit" not in queues_for(["edit"])
    shutil.rmtree(own[0])
    assert "edit:klein" not in queues_for(["edit"])
    assert "edit:darkroom" in queues_for(["edit"])


def test_the_recipe_knows_the_weights_by_their_digests(own):
    folder, load = own
    engine = load()
    first = made(engine, [ask("klein", "rain", picture_of("rings"))])[0].recipe["parts"]
    files = first["model"]["files"]
    assert "transformer/diffusion_pytorch_model.safetensors" in files
    torch.manual_seed(8)
    for weights in engine.loaded.first.transformer.parameters():
        weights.data.add_(torch.randn_like(weights) * 0.1)
    engine.loaded.first.transformer.save_pretrained(folder / "transformer")
    changed = load().loaded.weights["model"]["files"]
    assert {name for name in files if files[name] != changed[name]} == {
        "transformer/diffusion_pytorch_model.safetensors"
    }


def test_every_shape_is_run_once_before_the_first_job_where_asked(own):
    assert own[1]().about()["warmed"] == 0, "a CPU has nothing to choose"
    small = [[64, 64], [96, 64]]
    assert own[1](sizes=small, optimise={"warm": "first"}).about()["warmed"] == 3
    assert own[1](sizes=small, optimise={"warm": "all"}).about()["warmed"] == 6


def test_the_cpu_can_be_asked_for(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert best_device().type == "cuda"
    monkeypatch.setenv("FORUM_STUDIO_DEVICES", "cpu")
    assert best_device().type == "cpu"


def test_memory_comes_back(own):
    engine = own[1]()
    engine.unload()
    assert engine.loaded is None and engine.about() == {}
    engine.unload()


@pytest.fixture
def adapter(own, tmp_path):
    """A small LoRA adapter for the tiny klein, as a file of its own."""
    from diffusers import Flux2KleinPipeline
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    folder, _ = own
    transformer = Flux2KleinPipeline.from_pretrained(folder, local_files_only=True).transformer
    transformer.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_k", "to_v", "to_out.0"]))
    torch.manual_seed(9)
    for name, weights in transformer.named_parameters():
        if "lora_" in name:
            weights.data.normal_(0, 0.5)
    file = tmp_path / "paint"
    Flux2KleinPipeline.save_lora_weights(
        file, transformer_lora_layers=get_peft_model_state_dict(transformer)
    )
    return file


def test_an_adapter_changes_pictures_by_its_scale(own, adapter):
    item = ask("klein", "rain", picture_of("rings"))

    def at(scale):
        engine = own[1](parts={"paint": {"model": str(adapter), "scale": scale}})
        return made(engine, [item])[0]

    plain, none, some, whole = made(own[1](), [item])[0], at(0.0), at(0.5), at(1.0)
    assert levels_apart(plain, none) <= 1
    assert not np.array_equal(pixels(none), pixels(some))
    assert not np.array_equal(pixels(some), pixels(whole))
    assert whole.recipe["parts"]["paint"]["scale"] == 1.0
    assert list(whole.recipe["parts"]["paint"]["files"]) == ["pytorch_lora_weights.safetensors"]


@pytest.mark.parametrize(
    "file", ["evil.bin", "evil.pt", "../evil.safetensors", "/evil.safetensors"]
)
def test_an_adapter_by_name_is_never_a_pickle(own, adapter, file):
    """A name that does not end as safetensors do would be opened as a pickle by diffusers."""
    trap = adapter / "evil" if file[0] == "/" else adapter / file
    trap.write_bytes(b"cos\nsystem\n(S'touch " + str(adapter / "owned").encode() + b"'\ntR.")
    with pytest.raises(NotLoaded, match="file must name a safetensors file"):
        own[1](parts={"paint": {"model": str(adapter), "file": file}})
    assert not (adapter / "owned").exists()


def test_an_adapter_for_another_model_is_refused(own, adapter):
    for file in adapter.glob("*.safetensors"):
        from safetensors.torch import save_file

        save_file({"transformer.nowhere.lora_A.weight": torch.zeros(4, 4)}, file)
    with pytest.raises(NotLoaded, match="adapter paint does not fit"):
        own[1](parts={"paint": {"model": str(adapter), "scale": 1.0}})


def test_all_kinds_are_small(tiny_file):
    """Others build on these."""
    files = [each for each in tiny_file.parent.rglob("*") if each.is_file()]
    assert sum(each.stat().st_size for each in files) < 40_000_000
    assert set(presets.parsed(tiny_file)) == set(KINDS)
