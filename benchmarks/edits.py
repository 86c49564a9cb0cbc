"""The fourteen edits of the retrieval protocol: what people do to pictures when they answer them.

Each takes float32 RGB of shape (h, w, 3), 0 to 1, and a random generator that is fixed per picture
and edit, and returns the same kind of array, perhaps of another size. `replace` also needs another
picture.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

Picture: TypeAlias = NDArray[np.float32]
Edit: TypeAlias = Callable[[Picture, np.random.Generator, Picture], Any]

GREY = np.array([0.299, 0.587, 0.114], np.float32)


def edited(name: str, picture: Picture, rng: np.random.Generator, other: Picture) -> Picture:
    """The picture after one edit of `EDITS`: float32 RGB, 0 to 1."""
    made = np.clip(EDITS[name](picture, rng, other), 0, 1)
    return np.ascontiguousarray(made, np.float32)


def crop(share: float) -> Edit:
    """A window with this share of the area, anywhere."""

    def edit(x: Picture, rng: np.random.Generator, _: Picture) -> Any:
        height, width = (max(1, int(side * share**0.5)) for side in x.shape[:2])
        top = rng.integers(0, x.shape[0] - height + 1)
        left = rng.integers(0, x.shape[1] - width + 1)
        return x[top : top + height, left : left + width]

    return edit


def grade(x: Picture, rng: np.random.Generator, _: Picture) -> Any:
    """Gamma, channel gains, saturation, contrast and offset."""
    x = np.clip(x ** rng.uniform(0.7, 1.45) * rng.uniform(0.8, 1.2, 3), 0, 1)
    mean = x.mean(axis=2, keepdims=True)
    x = np.clip(mean + (x - mean) * rng.uniform(0.5, 1.7), 0, 1)
    return (x - 0.5) * rng.uniform(0.8, 1.3) + 0.5 + rng.uniform(-0.06, 0.06)


def blur(x: Picture, *_: Any) -> Any:
    """A Gaussian of four pixels."""
    return cv2.GaussianBlur(x, (0, 0), 4)


def kuwahara(x: Picture, k: int) -> Picture:
    """The mean of whichever of four neighbouring k x k windows varies least."""
    mean = cv2.blur(x, (k, k))
    variance = (cv2.blur(x * x, (k, k)) - mean * mean).sum(axis=2)
    best = np.full(x.shape[:2], np.inf, np.float32)
    made = mean.copy()
    for dy in (-(k // 2), k // 2):
        for dx in (-(k // 2), k // 2):
            shifted = np.roll(variance, (dy, dx), (0, 1))
            better = shifted < best
            best = np.where(better, shifted, best)
            made = np.where(better[..., None], np.roll(mean, (dy, dx), (0, 1)), made)
    return made


def painterly(x: Picture, *_: Any) -> Any:
    """A bilateral filter, then Kuwahara twice."""
    smooth = cv2.bilateralFilter(np.uint8(x * 255), 9, 60, 9).astype(np.float32) / 255
    return kuwahara(kuwahara(smooth, 9), 9)


def jpeg(quality: int, area: float = 1.0) -> Edit:
    """Saved small and badly."""

    def edit(x: Picture, *_: Any) -> Any:
        x = cv2.resize(x, None, fx=area**0.5, fy=area**0.5, interpolation=cv2.INTER_AREA)
        flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
        _, encoded = cv2.imencode(".jpg", np.uint8(x[..., ::-1] * 255 + 0.5), flags)
        return cv2.imdecode(encoded, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32) / 255

    return edit


def rotate(x: Picture, rng: np.random.Generator, _: Picture) -> Any:
    """Ten degrees either way, reflected at the border, then nine per cent cut off all round."""
    height, width = x.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), rng.choice([-10, 10]), 1)
    x = cv2.warpAffine(x, turn, (width, height), borderMode=cv2.BORDER_REFLECT_101)
    cut = int(0.09 * min(height, width))
    return x[cut : height - cut, cut : width - cut]


def sepia(x: Picture, *_: Any) -> Any:
    """Brown and paler."""
    return (x @ GREY)[..., None] * np.float32([1.03, 0.85, 0.66]) * 0.92 + 0.05


def sketch(x: Picture, *_: Any) -> Any:
    """Pencil: grey divided by its blurred negative."""
    grey = (x @ GREY) * 255
    lines = 256 * grey / np.maximum(255 - cv2.GaussianBlur(255 - grey, (0, 0), 6), 1)
    return np.repeat(lines[..., None] / 255, 3, axis=2)


def heavy(x: Picture, rng: np.random.Generator, _: Picture) -> Any:
    """Stylised beyond colour: strokes, other hues, few levels, ink and halftone."""
    strokes = np.uint8(np.clip(kuwahara(x, 11), 0, 1) * 255)
    hsv = cv2.cvtColor(strokes, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 0] = (hsv[..., 0] + rng.integers(40, 140)) % 180
    hsv[..., 1] = np.clip(hsv[..., 1] * 1.5 + 20, 0, 255)
    made = cv2.cvtColor(np.uint8(hsv), cv2.COLOR_HSV2RGB) // 64 * 64 + 32
    grey = cv2.medianBlur(np.uint8((x @ GREY) * 255), 7)
    ink = cv2.adaptiveThreshold(grey, 255, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 11, 6)
    made = np.where(ink[..., None] == 0, 20, made).astype(np.float32)
    rows, columns = np.mgrid[0 : x.shape[0], 0 : x.shape[1]]
    dots = np.sin(columns / 3) * np.sin(rows / 3) > 0.6
    return np.where(dots[..., None], made * 0.7, made) / 255


def mirror(x: Picture, *_: Any) -> Any:
    """Left for right."""
    return x[:, ::-1]


def caption(x: Picture, *_: Any) -> Any:
    """A white bar with black words over the lowest fifth."""
    height, width = x.shape[:2]
    paper = np.uint8(x * 255 + 0.5)
    paper[int(height * 0.8) :] = 255
    scale = width / 400
    where = (int(width * 0.05), int(height * 0.93))
    words = "The caption of a picture"
    thick = max(1, round(scale * 2))
    font = cv2.FONT_HERSHEY_SIMPLEX
    return cv2.putText(paper, words, where, font, scale, (0, 0, 0), thick) / 255


def replace(x: Picture, rng: np.random.Generator, other: Picture) -> Any:
    """Another picture, half as wide and high, somewhere over it, with a soft edge."""
    height, width = x.shape[:2]
    top, left = rng.integers(0, height - height // 2), rng.integers(0, width - width // 2)
    mask, layer = np.zeros((height, width), np.float32), np.zeros_like(x)
    place = (slice(top, top + height // 2), slice(left, left + width // 2))
    mask[place] = 1
    size = (width // 2, height // 2)
    layer[place] = cv2.resize(other, size, interpolation=cv2.INTER_AREA)
    mask = cv2.GaussianBlur(mask, (0, 0), 6)[..., None]
    return x * (1 - mask) + layer * mask


def chain(x: Picture, rng: np.random.Generator, other: Picture) -> Any:
    """Cropped, graded, painted over and saved badly."""
    for step in (crop(0.8), grade, painterly, jpeg(60)):
        x = np.clip(step(np.float32(x), rng, other), 0, 1)
    return x


EDITS: dict[str, Edit] = {
    "crop to 70 %": crop(0.7),
    "crop to 49 %": crop(0.49),
    "grade": grade,
    "blur": blur,
    "painterly": painterly,
    "60 % size, JPEG 30": jpeg(30, 0.6),
    "rotate 10°": rotate,
    "sepia": sepia,
    "pencil sketch": sketch,
    "heavy stylising": heavy,
    "mirror": mirror,
    "caption bar": caption,
    "a quarter replaced": replace,
    "chain": chain,
}
