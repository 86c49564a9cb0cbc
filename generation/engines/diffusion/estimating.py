"""Models that see depth and people in a picture: parts of a preset with weights of their own.

They work in 32 bits, on one picture at a time, so that neighbours in a batch never change a map.
Pictures are prepared by transformers' processors for Pillow, with torchvision or without.
"""

import contextlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from transformers import (
    BatchFeature,
    DPTImageProcessorPil,
    RTDetrImageProcessorPil,
    VitPoseImageProcessorPil,
)

from generation.engines.diffusion.settings import Part

Floats = NDArray[np.float32]

PROCESSORS = {
    "depth": DPTImageProcessorPil,
    "people": RTDetrImageProcessorPil,
    "pose": VitPoseImageProcessorPil,
}
#: What a detector calls a human being.
PERSON = "person"
#: A person is believed from this score on.
BELIEVED = 0.5
#: People of one picture, the surest first: a crowd would fill the memory.
MOST = 20
#: Joints of COCO.
JOINTS = 17


@dataclass(slots=True)
class Estimator:
    """A model with what prepares pictures for it, and where it works."""

    model: Any
    processor: Any
    device: torch.device
    #: Whether it waits in the computer's memory between its turns.
    waits: bool = False

    @contextlib.contextmanager
    def turn(self) -> Iterator[Any]:
        """The model on its device, for as long as the block runs."""
        self.model.to(self.device)
        try:
            with torch.inference_mode():
                yield self.model
        finally:
            if self.waits:
                self.model.to("cpu")

    def see(self, pixels: BatchFeature) -> Any:
        """What the model says of prepared pictures."""
        with self.turn() as model:
            return model(pixel_values=pixels["pixel_values"].to(self.device))


Estimators = Mapping[str, Estimator]


def estimator(part: Part, folder: Path, device: torch.device, *, waits: bool) -> Estimator:
    """An estimator from its folder. Raises what transformers raises over unfit files, `ValueError`.

    It works beside the pipeline on a GPU, unless the preset keeps it on the CPU.
    """
    there = device if device.type == "cuda" and part.device != "cpu" else torch.device("cpu")
    model = pkgutil.resolve_name(part.kind).from_pretrained(
        folder,
        dtype=torch.float32,
        use_safetensors=True,
        local_files_only=True,
        trust_remote_code=False,
    )
    if part.role == "people" and not persons(model):
        raise ValueError(f"this detector has no label {PERSON!r}")
    processor = PROCESSORS[part.role].from_pretrained(folder, local_files_only=True)
    made = Estimator(model.eval(), processor, there, waits)
    if not waits:
        model.to(there)
    return made


def persons(model: Any) -> list[int]:
    """Numbers of the labels that mean a person."""
    return [int(number) for number, name in model.config.id2label.items() if name == PERSON]


def depth(picture: Image.Image, by: Estimators) -> Floats:
    """How near each pixel is, (height, width), larger is nearer, on a scale of its own."""
    eye = by["depth"]
    out = eye.see(eye.processor(picture, return_tensors="pt"))
    out.predicted_depth = out.predicted_depth.float().cpu()
    size = [(picture.height, picture.width)]
    found = eye.processor.post_process_depth_estimation(out, target_sizes=size)
    plane: Floats = found[0]["predicted_depth"].numpy()
    return plane


def people(picture: Image.Image, by: Estimators) -> Floats:
    """Joints of everybody in a picture, (n, 17, 3): x, y in pixels and score, as COCO orders them."""
    boxes = boxes_of_people(picture, by["people"])
    if not len(boxes):
        return np.zeros((0, JOINTS, 3), np.float32)
    eye = by["pose"]
    out = eye.see(eye.processor(picture, boxes=[boxes], return_tensors="pt"))
    out.heatmaps = out.heatmaps.float().cpu()
    found = eye.processor.post_process_pose_estimation(out, boxes=[boxes])[0]
    return np.stack(
        [np.column_stack([each["keypoints"], each["scores"]]) for each in found]
    ).astype(np.float32)


def boxes_of_people(picture: Image.Image, eye: Estimator) -> Floats:
    """Where people are, (n, 4): left, top, width and height in pixels, the surest first."""
    out = eye.see(eye.processor(picture, return_tensors="pt"))
    out.logits, out.pred_boxes = out.logits.float().cpu(), out.pred_boxes.float().cpu()
    size = [(picture.height, picture.width)]
    found = eye.processor.post_process_object_detection(out, threshold=BELIEVED, target_sizes=size)[
        0
    ]
    wanted = torch.isin(found["labels"], torch.tensor(persons(eye.model)))
    corners = found["boxes"][wanted].numpy()[:MOST]
    return within(corners, picture.size)


def within(corners: Floats, size: tuple[int, int]) -> Floats:
    """Boxes cut to the picture, as left, top, width, height; what has no area is left out."""
    low = np.clip(corners[:, :2], 0, size)
    high = np.clip(corners[:, 2:], 0, size)
    boxes = np.hstack([low, high - low]).astype(np.float32)
    return boxes[(boxes[:, 2:] >= 1).all(axis=1)]
