"""FLUX.2 klein at its true size with random weights, loaded as the engine would hold it."""

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from generation import presets
from generation.engines.diffusers_ import Diffusers
from generation.engines.diffusion import loading
from generation.engines.diffusion.colours import fitted
from generation.engines.diffusion.klein import BatchedKlein
from generation.engines.diffusion.settings import settings
from tests.generation.diffusion.tiny import qwen_tokenizer, write_tiny

#: Spread of random weights: large enough that nothing is zero, small enough that all is finite.
SPREAD = 0.02


def tiny_engine() -> Diffusers:
    """The engine with toy weights, by the real loader."""
    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="gegenbild-tiny-"))
    os.environ["FORUM_PRESETS"] = str(write_tiny(folder))
    engine = Diffusers()
    engine.load(presets.presets()["klein"])
    return engine


def full_engine() -> Diffusers:
    """The engine around a pipeline of true size; nothing comes from a disk."""
    preset = presets.preset_from("klein", presets.parsed(presets.SHIPPED)["klein"])
    preset = replace(preset, settings={**preset.settings, "model": "random weights"})
    device = loading.best_device()
    loading.hush()
    pipe = full_klein(device)
    engine = Diffusers()
    engine.loaded = loading.Loaded(
        preset=preset,
        settings=settings(preset),
        device=device,
        pipelines={"edit": pipe, "create": pipe},
        colours=fitted(pipe, device),
    )
    return engine


def full_klein(device: torch.device) -> BatchedKlein:
    """The pipeline: 5 double and 20 single layers of 24 heads of 128, Qwen3-4B, the FLUX.2 VAE."""
    from diffusers import AutoencoderKLFlux2, FlowMatchEulerDiscreteScheduler

    def filled(build: Any) -> Any:
        with torch.device(device):
            module = build()
        for weights in module.parameters():
            if weights.ndim > 1:
                weights.data.normal_(0, SPREAD)
        return module.to(device, torch.bfloat16).eval().requires_grad_(False)

    pipe = BatchedKlein(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae=filled(AutoencoderKLFlux2).to(memory_format=torch.channels_last),
        text_encoder=filled(encoder),
        tokenizer=qwen_tokenizer(),
        transformer=filled(transformer),
        is_distilled=True,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def encoder() -> Any:
    """Qwen3-4B."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    return Qwen3ForCausalLM(Qwen3Config(
        hidden_size=2560, intermediate_size=9728, num_hidden_layers=36, num_attention_heads=32,
        num_key_value_heads=8, head_dim=128, vocab_size=151936, tie_word_embeddings=True,
    ))  # fmt: skip


def transformer() -> Any:
    """FLUX.2 klein 4B: 3.88 billion numbers."""
    from diffusers import Flux2Transformer2DModel

    return Flux2Transformer2DModel(
        patch_size=1, in_channels=128, num_layers=5, num_single_layers=20, attention_head_dim=128,
        num_attention_heads=24, joint_attention_dim=7680, guidance_embeds=False,
    )  # fmt: skip
