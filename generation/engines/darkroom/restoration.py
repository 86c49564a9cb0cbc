"""Old photographs made whole: scratches, dust, fading, colour cast, noise and contrast."""

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generation.engines.darkroom.pixels import (
    Picture,
    clip,
    floats,
    from_bytes,
    mix,
    scale_of,
    to_bytes,
)

#: More of the picture than this cannot be scratches: it is texture.
MOST_DAMAGE = 0.06


def damage(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    """255 on thin light or dark marks: top-hat and black-hat beyond what the picture's texture does."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    side = max(5, round(9 * scale)) | 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    found = np.zeros(grey.shape, np.uint8)
    for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        marks = cv2.morphologyEx(grey, kind, kernel)
        # Texture has such marks everywhere; damage stands alone, so it must beat its surroundings.
        around = cv2.blur(marks.astype(np.float32), (61, 61), borderType=cv2.BORDER_REFLECT)
        alone = marks > np.maximum(26, 3.2 * around + 14)
        found |= (alone * 255).astype(np.uint8)
    if float((found > 0).mean()) > MOST_DAMAGE:
        return np.zeros_like(found)
    return np.asarray(cv2.dilate(found, np.ones((3, 3), np.uint8)), np.uint8)


def balanced(picture: Picture) -> Picture:
    """Fading and colour cast undone: each channel stretched between its 0.5 and 99.5 per cent.

    The channels' limits are drawn halfway towards each other, so that an evening stays an evening.
    """
    sample = picture[::4, ::4].reshape(-1, 3)
    low, high = np.quantile(sample, 0.005, axis=0), np.quantile(sample, 0.995, axis=0)
    low, high = (low + low.min()) / 2, (high + high.max()) / 2
    low = low * 0.85
    return clip((picture - floats(low)) / floats(np.maximum(high - low, 0.12)))


def local_contrast(picture: Picture, limit: float) -> Picture:
    """Contrast-limited adaptive equalisation of lightness (CLAHE, Zuiderveld 1994), half applied."""
    lab = floats(cv2.cvtColor(picture, cv2.COLOR_RGB2LAB))
    light = to_bytes(lab[..., 0] / np.float32(100))
    evened = from_bytes(cv2.createCLAHE(limit, (8, 8)).apply(light)) * np.float32(100)
    lab[..., 0] = (lab[..., 0] + evened) / 2
    return clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB))


def quiet(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Noise taken out: non-local means (Buades and others 2005) on lightness, a wide blur on colour."""
    lab = cv2.cvtColor(pixels, cv2.COLOR_RGB2LAB)
    light, first, second = cv2.split(lab)
    level = noise_level(np.asarray(light, np.uint8))
    light = cv2.fastNlMeansDenoising(light, None, float(np.clip(1.1 * level, 2, 11)), 3, 9)
    first, second = cv2.bilateralFilter(first, 7, 12, 4), cv2.bilateralFilter(second, 7, 12, 4)
    return np.asarray(cv2.cvtColor(cv2.merge([light, first, second]), cv2.COLOR_LAB2RGB), np.uint8)


def noise_level(light: NDArray[np.uint8]) -> float:
    """Standard deviation of the noise in 8-bit steps (Immerkær 1996)."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    rough = cv2.filter2D(light, cv2.CV_32F, kernel)
    return float(np.median(np.abs(rough)) / 0.6745 / 6)


def restore(picture: Picture, rng: Generator, *, amount: float) -> Picture:
    """Marks painted over from their surroundings, noise calmed, tones and colours brought back."""
    pixels = to_bytes(picture)
    marks = damage(pixels, max(0.5, scale_of(picture)))
    if marks.any():
        pixels = np.asarray(cv2.inpaint(pixels, marks, 3, cv2.INPAINT_TELEA), np.uint8)
    made = local_contrast(balanced(from_bytes(quiet(pixels))), 1.6)
    soft = cv2.GaussianBlur(made, (0, 0), 1.4)
    return mix(picture, clip(made + (made - soft) * np.float32(0.45)), amount)
