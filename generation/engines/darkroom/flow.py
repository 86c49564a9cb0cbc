"""Direction fields: which way the edges of a picture run, and noise combed along them."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from generation.engines.darkroom.pixels import Picture, Plane, blur, floats, luminance


@dataclass(frozen=True, slots=True)
class Flow:
    """The edge tangent field of a picture."""

    #: Unit vectors along the edges, each of shape (height, width).
    x: Plane
    y: Plane
    #: 0 where no direction stands out, 1 at a straight edge.
    certainty: Plane


def edge_flow(picture: Picture, sigma: float = 8) -> Flow:
    """Tangents from the smoothed structure tensor (Kyprianidis and Döllner 2008).

    Computed at half size, for the tensor is blurred far beyond that anyway.
    """
    height, width = picture.shape[:2]
    half = (max(1, width // 2), max(1, height // 2))
    grey = cv2.resize(luminance(picture), half, interpolation=cv2.INTER_AREA)
    grey = blur(floats(grey), 1)
    along = cv2.Scharr(grey, cv2.CV_32F, 1, 0)
    down = cv2.Scharr(grey, cv2.CV_32F, 0, 1)
    tensor = blur(floats(cv2.merge([along * along, along * down, down * down])), sigma / 2)
    tensor = floats(cv2.resize(tensor, (width, height), interpolation=cv2.INTER_LINEAR))
    first, cross, second = tensor[..., 0], tensor[..., 1], tensor[..., 2]
    angle = np.float32(0.5) * np.arctan2(2 * cross, first - second) + np.float32(np.pi / 2)
    spread = np.sqrt((first - second) ** 2 + 4 * cross * cross)
    certainty = spread / (first + second + np.float32(1e-5))
    return Flow(x=floats(np.cos(angle)), y=floats(np.sin(angle)), certainty=floats(certainty))


def combed(values: NDArray[np.float32], flow: Flow, doublings: int = 4) -> NDArray[np.float32]:
    """`values` averaged along the flow over 2**doublings pixels.

    A cheap line integral convolution (Cabral and Leedom 1993): each round averages the plane with a
    copy of itself shifted by twice the last distance.
    """
    height, width = flow.x.shape
    columns = np.arange(width, dtype=np.float32)[None, :]
    rows = np.arange(height, dtype=np.float32)[:, None]
    for step in range(doublings):
        reach = np.float32(2**step)
        moved = cv2.remap(
            values,
            columns + flow.x * reach,
            rows + flow.y * reach,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        values = floats(cv2.addWeighted(values, 0.5, moved, 0.5, 0))
    return values
