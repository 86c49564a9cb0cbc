"""Pictures on their way into a pipeline and out of it: sizes, masks, maps to follow."""

from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image

from generation.engines.base import SourceRefused

Size = tuple[int, int]
Box = tuple[float, float, float, float]
#: Thresholds of the edge detector, on 8-bit grey (Canny 1986).
EDGES = (100, 200)
#: A mask's edge fades over this share of the longer side.
FEATHER = 1 / 200
#: Thinner strips than this hold no picture.
LARGEST_RATIO = 8


@dataclass(frozen=True, slots=True)
class Cut:
    """The part of a source that is used, so that nothing is stretched: a box in its pixels."""

    box: Box
    size: Size

    def of(self, picture: Image.Image) -> Image.Image:
        """That part of `picture`, at the size of the batch."""
        if picture.size == self.size and not any(self.box[:2]):
            return picture
        return picture.resize(self.size, Image.Resampling.LANCZOS, box=self.box)


def cut_for(picture: Image.Image, size: Size) -> Cut:
    """The largest part of this shape from the middle. Raises `SourceRefused` for thin strips."""
    width, height = picture.size
    if max(width, height) > LARGEST_RATIO * min(width, height):
        raise SourceRefused(
            f"This image is more than {LARGEST_RATIO} times longer than wide; crop it first."
        )
    scale = min(width / size[0], height / size[1])
    used = (size[0] * scale, size[1] * scale)
    left, top = (width - used[0]) / 2, (height - used[1]) / 2
    return Cut((left, top, left + used[0], top + used[1]), size)


def mask_for(mask: Image.Image, source: Image.Image, cut: Cut) -> Image.Image:
    """The mask in L mode, cut as its source is: 255 where the picture may change."""
    grey = mask.convert("L")
    if grey.size != source.size:
        grey = grey.resize(source.size, Image.Resampling.BILINEAR)
    return cut.of(grey)


def feathered(mask: Image.Image) -> Image.Image:
    """The mask with a soft edge that reaches inward only: outside stays what it was, to the bit."""
    plane = np.asarray(mask, np.uint8)
    soft = cv2.GaussianBlur(plane, (0, 0), max(0.5, max(mask.size) * FEATHER))
    return Image.fromarray(np.minimum(soft, plane))


def within(made: Image.Image, source: Image.Image, mask: Image.Image) -> Image.Image:
    """`made` inside the feathered mask, `source` outside; all of one size."""
    return Image.composite(made, source, mask)


def edges(picture: Image.Image) -> Image.Image:
    """White edges on black, as ControlNets for canny maps were taught to follow."""
    grey = cv2.cvtColor(np.asarray(picture), cv2.COLOR_RGB2GRAY)
    lines = cv2.Canny(grey, *EDGES)
    return Image.fromarray(np.dstack([lines] * 3))
