"""Parts of tiny pipelines: tokenizers of the alphabet of bytes, encoders, VAEs, UNets."""

from collections.abc import Callable
from typing import Any

import torch

Words = dict[str, Any]


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


def clip_tokenizer() -> Any:
    """A tokenizer of CLIP's kind: letters, letters that end a word, and two marks."""
    from transformers import CLIPTokenizer

    letters = alphabet()
    words = [*letters, *(f"{each}</w>" for each in letters), "<|startoftext|>", "<|endoftext|>"]
    vocab = {each: n for n, each in enumerate(words)}
    return CLIPTokenizer(vocab=vocab, merges=[], model_max_length=77)


def clip_encoder(*, projects: bool = False) -> Any:
    """A text encoder of CLIP's kind, 32 wide."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=514, bos_token_id=512, eos_token_id=513, pad_token_id=513, hidden_size=32,
        intermediate_size=37, num_attention_heads=4, num_hidden_layers=3, projection_dim=32,
        max_position_embeddings=77,
    )  # fmt: skip
    return seeded(lambda: (CLIPTextModelWithProjection if projects else CLIPTextModel)(config))


def awake(module: Any) -> Any:
    """The same module with numbers where training begins from zeros: what it says is heard."""
    torch.manual_seed(8)
    with torch.no_grad():
        for weights in module.parameters():
            if weights.ndim > 1 and not weights.any():
                weights.normal_(0, 0.3)
    return loud(module)


def picture_vae(latents: int = 4, levels: int = 4, width: int = 16, **more: Any) -> Any:
    """A VAE of pictures that shrinks them 2 ** (levels - 1) times, `width` channels wide."""
    from diffusers import AutoencoderKL

    return seeded(lambda: AutoencoderKL(
        block_out_channels=[width] * levels, latent_channels=latents, norm_num_groups=min(8, width),
        down_block_types=["DownEncoderBlock2D"] * levels,
        up_block_types=["UpDecoderBlock2D"] * levels, **more,
    ))  # fmt: skip


BLOCKS = {
    "block_out_channels": (32, 64),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "norm_num_groups": 8,
    "layers_per_block": 1,
}
XL: Words = {
    "attention_head_dim": (2, 4),
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "transformer_layers_per_block": (1, 2),
    "projection_class_embeddings_input_dim": 32 + 8 * 6,
    "cross_attention_dim": 64,
}


def unet(**more: Any) -> Any:
    """A UNet of two levels."""
    from diffusers import UNet2DConditionModel

    words: Words = {"cross_attention_dim": 32, "in_channels": 4, **BLOCKS, **more}
    return loud(seeded(lambda: UNet2DConditionModel(
        sample_size=32, out_channels=4, up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"), **words
    )), 1.5)  # fmt: skip
