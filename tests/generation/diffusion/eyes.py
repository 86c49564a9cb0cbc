"""Tiny models that see depth and people, built in code, saved as those of the hub are.

Their weights are random, their answers are not told to them: what a detector takes for a person is
moved only so far that it believes in one on `SEEN` and in none on `UNSEEN`.
"""

from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import (
    DepthAnythingConfig,
    DepthAnythingForDepthEstimation,
    Dinov2Config,
    DPTImageProcessorPil,
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrImageProcessorPil,
    RTDetrResNetConfig,
    VitPoseBackboneConfig,
    VitPoseConfig,
    VitPoseForPoseEstimation,
    VitPoseImageProcessorPil,
)

from tests.generation.diffusion.parts import loud, seeded
from tests.generation.pictures import ALL

#: Pictures on which the tiny detector sees people, and sees nobody.
SEEN, UNSEEN = "chequers", "fog"
SIDE = 64


def write_depth(folder: Path) -> None:
    """Depth Anything over a DINOv2 of four layers."""
    config = DepthAnythingConfig(
        backbone_config=Dinov2Config(
            hidden_size=32, num_hidden_layers=4, num_attention_heads=2, image_size=56,
            out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True,
        ),
        reassemble_hidden_size=32, neck_hidden_sizes=[8, 8, 16, 16], fusion_hidden_size=8,
        head_hidden_size=8,
    )  # fmt: skip
    save(loud(seeded(lambda: DepthAnythingForDepthEstimation(config))), folder)
    DPTImageProcessorPil(
        size={"height": 56, "width": 56}, keep_aspect_ratio=True, ensure_multiple_of=14
    ).save_pretrained(folder)


def write_people(folder: Path) -> None:
    """RT-DETR with a ResNet of four layers, of ten guesses and three labels."""
    config = RTDetrConfig(
        backbone_config=RTDetrResNetConfig(
            embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], layer_type="basic",
            out_indices=[2, 3, 4],
        ),
        encoder_in_channels=[8, 16, 16], encoder_hidden_dim=16, d_model=16, encoder_ffn_dim=16,
        encoder_attention_heads=2, decoder_in_channels=[16, 16, 16], decoder_ffn_dim=16,
        decoder_attention_heads=2, decoder_layers=2, num_queries=10,
        id2label={0: "person", 1: "horse", 2: "cup"},
    )  # fmt: skip
    model = loud(seeded(lambda: RTDetrForObjectDetection(config)), 2.5)
    processor = RTDetrImageProcessorPil(size={"height": SIDE, "width": SIDE})
    doubt(model, processor)
    save(model, folder)
    processor.save_pretrained(folder)


def doubt(model: Any, processor: Any) -> None:
    """Make it believe in people on `SEEN` only, by moving what its last layer starts from."""
    seen, unseen = (
        surest(model, processor, ALL[name]().resize((SIDE, SIDE))) for name in (SEEN, UNSEEN)
    )
    assert seen > unseen + 1, "these two pictures look the same to it"
    last = model.model.decoder.class_embed[-1]
    with torch.no_grad():
        last.bias[0] -= (seen + unseen) / 2
        last.bias[1:] -= 20


def surest(model: Any, processor: Any, picture: Image.Image) -> float:
    """The largest logit of a person."""
    with torch.inference_mode():
        out = model(**processor(picture, return_tensors="pt"))
    return float(out.logits[0, :, 0].max())


def write_pose(folder: Path) -> None:
    """ViTPose of two layers, sure of every joint it places."""
    config = VitPoseConfig(
        backbone_config=VitPoseBackboneConfig(
            image_size=[64, 48], hidden_size=32, num_hidden_layers=2, num_attention_heads=2,
            out_indices=[2],
        ),
        num_labels=17,
    )  # fmt: skip
    model = loud(seeded(lambda: VitPoseForPoseEstimation(config)))
    with torch.no_grad():
        model.head.conv.bias += 1
    save(model, folder)
    VitPoseImageProcessorPil(size={"height": 64, "width": 48}).save_pretrained(folder)


def save(model: Any, folder: Path) -> None:
    """As safetensors."""
    model.save_pretrained(folder, safe_serialization=True)


WRITERS = {"depth": write_depth, "people": write_people, "pose": write_pose}
