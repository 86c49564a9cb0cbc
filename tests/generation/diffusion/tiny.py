"""Pipelines of a few hundred thousand random numbers, built in code, saved as real ones are.

`write_tiny(folder, kinds)` writes weights and an operator's preset file that lays them over the
shipped presets. Set FORUM_PRESETS to what it returns: everything then runs as with real weights.
Tokenizers are made of the alphabet of bytes, without merges, so nothing is ever downloaded.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

Words = dict[str, Any]
SIDE = 64


def write_tiny(folder: Path, kinds: Sequence[str] = ("klein",)) -> Path:
    """Weights in `folder`/<kind>, and the presets file `folder`/presets.toml, whose path comes back.

    Kinds are names of shipped presets. Each takes a fraction of a second.
    """
    folder.mkdir(parents=True, exist_ok=True)
    tables = []
    for kind in kinds:
        words = KINDS[kind](folder / kind)
        tables.append(toml_table(kind, {"dtype": "float32", "seconds": 1, **words}))
    file = folder / "presets.toml"
    file.write_text("\n".join(tables), "utf-8")
    return file


def toml_table(name: str, words: Words) -> str:
    """A table of plain values and of tables, as TOML."""
    lines = [f"[{name}]"]
    lines += [f"{key} = {value_of(value)}" for key, value in words.items()]
    return "\n".join(lines) + "\n"


def value_of(value: object) -> str:
    """A value as TOML, which JSON is but for tables."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {value_of(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(value_of(each) for each in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def small(folder: Path, side: int = SIDE) -> Words:
    """What every tiny preset says: where it lies, and small sizes."""
    wide = side + side // 2
    sizes = [[side, side], [wide, side], [side, wide]]
    return {"model": str(folder), "sizes": sizes, "max_side": wide, "vram_gb": 1}


# --- parts ----------------------------------------------------------------------------------------


def alphabet() -> list[str]:
    """The 256 bytes as letters, as byte-level tokenizers write them."""
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    return list(bytes_to_unicode().values())


def qwen_tokenizer() -> Any:
    """A tokenizer of the Qwen family with its marks and a small chat template."""
    from transformers import Qwen2Tokenizer

    made = Qwen2Tokenizer(vocab={each: n for n, each in enumerate(alphabet())}, merges=[])
    marks = ["im_start", "im_end", "vision_start", "vision_end", "image_pad", "video_pad"]
    made.add_special_tokens({"additional_special_tokens": [f"<|{mark}|>" for mark in marks]})
    made.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    )
    return made


def seeded(build: Callable[[], Any]) -> Any:
    """A module with the same numbers every time."""
    torch.manual_seed(7)
    return build().eval()


def loud(module: Any, factor: float = 3.0) -> Any:
    """The same module with larger weights: what it is shown makes a difference that can be seen."""
    with torch.no_grad():
        for weights in module.parameters():
            if weights.ndim > 1:
                weights.mul_(factor)
    return module


def klein(folder: Path) -> Words:
    """FLUX.2 klein with two double and two single layers."""
    from diffusers import (
        AutoencoderKLFlux2,
        FlowMatchEulerDiscreteScheduler,
        Flux2KleinPipeline,
        Flux2Transformer2DModel,
    )
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = qwen_tokenizer()
    encoder = seeded(lambda: Qwen3ForCausalLM(Qwen3Config(
        hidden_size=32, intermediate_size=64, num_hidden_layers=4, num_attention_heads=2,
        num_key_value_heads=2, head_dim=16, vocab_size=len(tokenizer) + 8,
        max_position_embeddings=512,
    )))  # fmt: skip
    transformer = loud(seeded(lambda: Flux2Transformer2DModel(
        patch_size=1, in_channels=16, num_layers=2, num_single_layers=2, attention_head_dim=16,
        num_attention_heads=4, joint_attention_dim=96, timestep_guidance_channels=32,
        axes_dims_rope=[4, 4, 4, 4], guidance_embeds=False,
    )))  # fmt: skip
    vae = seeded(lambda: AutoencoderKLFlux2(
        sample_size=32, down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4, block_out_channels=(16,) * 4,
        layers_per_block=1, latent_channels=4, norm_num_groups=8, use_quant_conv=False,
        use_post_quant_conv=False,
    ))  # fmt: skip
    Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        text_encoder=encoder, tokenizer=tokenizer, transformer=transformer, vae=vae,
        is_distilled=True,
    ).save_pretrained(folder)  # fmt: skip
    call = {"text_encoder_out_layers": [1, 2, 3], "max_sequence_length": 64}
    return {**small(folder), "call": call}


KINDS: dict[str, Callable[[Path], Words]] = {"klein": klein}
