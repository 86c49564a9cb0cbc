"""Pipelines of a few hundred thousand random numbers, built in code, saved as real ones are.

`write_tiny(folder, kinds)` writes weights and an operator's preset file that lays them over the
shipped presets. Set FORUM_PRESETS to what it returns: everything then runs as with real weights.
Tokenizers are made of the alphabet of bytes, without merges, so nothing is ever downloaded.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tests.generation.diffusion.parts import (
    BLOCKS,
    XL,
    Words,
    awake,
    clip_encoder,
    clip_tokenizer,
    loud,
    picture_vae,
    qwen_tokenizer,
    seeded,
    unet,
)

SIDE = 64


def write_tiny(folder: Path, kinds: Sequence[str] = ("klein",)) -> Path:
    """Weights in `folder`/<kind>, and the presets file `folder`/presets.toml, whose path comes back.

    Kinds are names of shipped presets; one that is like another needs that one too. Each takes a
    fraction of a second.
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


def instruct_pix2pix(folder: Path) -> Words:
    """InstructPix2Pix, whose UNet sees the source beside the noise."""
    from diffusers import EulerAncestralDiscreteScheduler, StableDiffusionInstructPix2PixPipeline

    StableDiffusionInstructPix2PixPipeline(
        unet=unet(in_channels=8), scheduler=EulerAncestralDiscreteScheduler(), vae=picture_vae(),
        text_encoder=clip_encoder(), tokenizer=clip_tokenizer(), safety_checker=None,
        feature_extractor=None, image_encoder=None, requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
    return {**small(folder), "call": {"num_inference_steps": 4}}


def sd_turbo(folder: Path) -> Words:
    """Stable Diffusion, text to image, as its repository holds it."""
    from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

    StableDiffusionPipeline(
        unet=unet(), vae=picture_vae(),
        scheduler=EulerDiscreteScheduler(timestep_spacing="trailing", steps_offset=1),
        text_encoder=clip_encoder(), tokenizer=clip_tokenizer(),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    ).save_pretrained(folder)  # fmt: skip
    return small(folder)


def sdxl_structure(folder: Path) -> Words:
    """SDXL, its VAE and its ControlNet-Union in three folders, as they come from the hub."""
    from diffusers import (
        ControlNetUnionModel,
        EulerAncestralDiscreteScheduler,
        StableDiffusionXLPipeline,
    )

    StableDiffusionXLPipeline(
        unet=unet(**XL), scheduler=EulerAncestralDiscreteScheduler(timestep_spacing="trailing"),
        vae=picture_vae(), text_encoder=clip_encoder(), text_encoder_2=clip_encoder(projects=True),
        tokenizer=clip_tokenizer(), tokenizer_2=clip_tokenizer(),
    ).save_pretrained(folder)  # fmt: skip
    beside = {"controlnet": folder.with_name("union"), "vae": folder.with_name("sdxl-vae")}
    awake(seeded(lambda: ControlNetUnionModel(
        conditioning_embedding_out_channels=(8, 8, 16, 16), num_trans_channel=32, num_trans_head=2,
        num_proj_channel=32,
        **BLOCKS, **XL,
    ))).save_pretrained(beside["controlnet"])  # fmt: skip
    picture_vae().save_pretrained(beside["vae"])
    parts = {role: {"model": str(each)} for role, each in beside.items()}
    return {**small(folder), "call": {"num_inference_steps": 4}, "parts": parts}


def seeing(*roles: str) -> Callable[[Path], Words]:
    """What a preset like `sdxl-structure` has beside its pipelines: estimators in these roles."""

    def write(folder: Path) -> Words:
        from tests.generation.diffusion.eyes import WRITERS

        for role in roles:
            WRITERS[role](folder / role)
        parts = {role: {"model": str(folder / role)} for role in roles}
        return {"vram_gb": 1, "parts": parts}

    return write


def vision_encoder(tokenizer: Any) -> Any:
    """A reader of words and pictures of the Qwen 2.5 family."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    number = tokenizer.convert_tokens_to_ids
    config = Qwen2_5_VLConfig(
        text_config={
            "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
            "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": len(tokenizer) + 8,
            "rope_parameters": {
                "rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0,
            },
        },
        vision_config={
            "depth": 2, "hidden_size": 32, "intermediate_size": 48, "num_heads": 2,
            "out_hidden_size": 32, "fullatt_block_indexes": [1],
        },
        image_token_id=number("<|image_pad|>"), video_token_id=number("<|video_pad|>"),
        vision_start_token_id=number("<|vision_start|>"),
        vision_end_token_id=number("<|vision_end|>"),
    )  # fmt: skip
    return seeded(lambda: Qwen2_5_VLForConditionalGeneration(config))


def still_processor(name: str, tokenizer: Any) -> Any:
    """A processor for words and pictures that sees at most 16 patches of four."""
    from transformers import Qwen2VLImageProcessorPil

    from generation.engines.diffusion import processors

    eyes = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=28 * 28 * 16)
    return processors.still_processor(name)(image_processor=eyes, tokenizer=tokenizer)


def longcat(folder: Path) -> Words:
    """LongCat Image Edit; its VAE is thin and shrinks 32 times: it always works at a megapixel."""
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        LongCatImageEditPipeline,
        LongCatImageTransformer2DModel,
    )

    tokenizer = qwen_tokenizer()
    transformer = loud(seeded(lambda: LongCatImageTransformer2DModel(
        in_channels=64, num_layers=1, num_single_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=32, pooled_projection_dim=32,
        axes_dims_rope=[4, 6, 6],
    )))  # fmt: skip
    LongCatImageEditPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        # `sample_size` is that of its tiles: smaller ones would be single numbers at its narrowest.
        vae=picture_vae(
            16, levels=6, width=4, sample_size=512, scaling_factor=0.4, shift_factor=0.1
        ),
        text_encoder=vision_encoder(tokenizer), tokenizer=tokenizer,
        text_processor=still_processor("Qwen2_5_VLProcessor", tokenizer), transformer=transformer,
    ).save_pretrained(folder)  # fmt: skip
    return {**small(folder), "sizes": [[1024, 1024]], "call": {"num_inference_steps": 2}}


def qwen_edit(folder: Path) -> Words:
    """Qwen Image Edit; its VAE shrinks 32 times, for sources are always seen at a megapixel."""
    from diffusers import (
        AutoencoderKLQwenImage,
        FlowMatchEulerDiscreteScheduler,
        QwenImageEditPlusPipeline,
        QwenImageTransformer2DModel,
    )

    tokenizer = qwen_tokenizer()
    transformer = loud(seeded(lambda: QwenImageTransformer2DModel(
        in_channels=64, out_channels=16, num_layers=1, attention_head_dim=16,
        num_attention_heads=2, joint_attention_dim=32, axes_dims_rope=(4, 6, 6),
    )))  # fmt: skip
    vae = seeded(lambda: AutoencoderKLQwenImage(
        base_dim=2, z_dim=16, dim_mult=[1, 1, 1, 1, 1, 1], num_res_blocks=1,
        temperal_downsample=[False, False, False, True, True],
    ))  # fmt: skip
    QwenImageEditPlusPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True), vae=vae,
        text_encoder=vision_encoder(tokenizer), tokenizer=tokenizer,
        processor=still_processor("Qwen2VLProcessor", tokenizer), transformer=transformer,
    ).save_pretrained(folder)  # fmt: skip
    sizes = [[128, 128], [192, 128], [128, 192]]
    return {**small(folder), "sizes": sizes, "call": {"num_inference_steps": 2}}


def z_image(folder: Path) -> Words:
    """Z-Image with one layer of each kind."""
    from diffusers import (
        FlowMatchEulerDiscreteScheduler,
        ZImagePipeline,
        ZImageTransformer2DModel,
    )
    from transformers import Qwen3Config, Qwen3Model

    tokenizer = qwen_tokenizer()
    encoder = seeded(lambda: Qwen3Model(Qwen3Config(
        hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=2, head_dim=16, vocab_size=len(tokenizer) + 8,
        max_position_embeddings=512,
    )))  # fmt: skip
    transformer = loud(seeded(lambda: ZImageTransformer2DModel(
        in_channels=16, dim=32, n_layers=1, n_refiner_layers=1, n_heads=2, n_kv_heads=2,
        cap_feat_dim=32, axes_dims=[4, 6, 6], axes_lens=[256, 32, 32],
    )))  # fmt: skip
    ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0), text_encoder=encoder,
        tokenizer=tokenizer, transformer=transformer,
        vae=picture_vae(16, scaling_factor=0.4, shift_factor=0.1),
    ).save_pretrained(folder)  # fmt: skip
    return {**small(folder), "call": {"num_inference_steps": 4, "max_sequence_length": 64}}


def wan_moving(folder: Path) -> Words:
    """Wan 2.2, image to film: five frames."""
    from diffusers import (
        AutoencoderKLWan,
        UniPCMultistepScheduler,
        WanImageToVideoPipeline,
        WanTransformer3DModel,
    )
    from transformers import UMT5Config, UMT5EncoderModel

    tokenizer = qwen_tokenizer()
    encoder = seeded(lambda: UMT5EncoderModel(UMT5Config(
        vocab_size=len(tokenizer) + 8, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4,
    )))  # fmt: skip
    transformer = loud(seeded(lambda: WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=16,
        out_channels=16, text_dim=32, freq_dim=32, ffn_dim=32, num_layers=1,
        rope_max_seq_len=32,
    )))  # fmt: skip
    vae = seeded(lambda: AutoencoderKLWan(
        base_dim=4, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1,
        temperal_downsample=[False, True, True],
    ))  # fmt: skip
    WanImageToVideoPipeline(
        tokenizer=tokenizer, text_encoder=encoder, vae=vae, transformer=transformer,
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        image_processor=None, image_encoder=None, transformer_2=None, expand_timesteps=True,
    ).save_pretrained(folder)  # fmt: skip
    call = {"num_inference_steps": 3, "num_frames": 5, "max_sequence_length": 48}
    return {**small(folder), "call": call}


#: Builders by the shipped preset they are laid over.
KINDS: dict[str, Callable[[Path], Words]] = {
    "klein": klein,
    "longcat": longcat,
    "qwen-edit": qwen_edit,
    "z-image": z_image,
    "sdxl-structure": sdxl_structure,
    "sdxl-depth": seeing("depth"),
    "sdxl-pose": seeing("people", "pose"),
    "instruct-pix2pix": instruct_pix2pix,
    "sd-turbo": sd_turbo,
    "wan-moving": wan_moving,
}
