"""From the loop's latents to small pictures, by a linear map fitted to the VAE that is loaded.

Each cell of the latent grid becomes one pixel, or two by two where the VAE or the packing shrinks
16 times and more: RGB = latent x M + bias, least squares over pictures made here. No table of
constants, no further weights, no decoding.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

Tensor = torch.Tensor
#: Pictures to fit with, and the longest side of them.
PICTURES, SIDE = 16, 256
#: From this many pixels of the picture per cell, a cell is drawn as two by two pixels.
COARSE = 16


@dataclass(frozen=True, slots=True)
class Colours:
    """The fitted map: float32 (channels + 1, 3 x fineness²), on the device."""

    matrix: Tensor
    #: Pixels per cell and side.
    fineness: int
    #: Share of the pictures' variance that the map explains, 1 at best.
    fit: float

    def project(self, grid: Tensor) -> Tensor:
        """Latents (rows, channels, height, width) to RGB bytes (rows, h, w, 3) on the device."""
        rows, _, height, width = grid.shape
        k = self.fineness
        flat = grid.float().permute(0, 2, 3, 1)
        rgb = flat @ self.matrix[:-1] + self.matrix[-1]
        rgb = rgb.reshape(rows, height, width, k, k, 3).permute(0, 1, 3, 2, 4, 5)
        rgb = rgb.reshape(rows, height * k, width * k, 3)
        return (rgb.clamp(0, 1) * 255).round().to(torch.uint8)


def fitted(pipe: Any, device: torch.device) -> Colours:
    """Fit the map to `pipe.vae`. Takes about a second on a GPU."""
    factor = cell_factor(pipe)
    fineness = 2 if factor >= COARSE else 1
    seen, wanted = [], []
    for picture in pictures(PICTURES, factor * max(1, SIDE // factor)):
        pixels = torch.from_numpy(picture).permute(2, 0, 1)[None] * 2 - 1
        grid = encoded(pipe, pixels.to(device, pipe.vae.dtype))
        seen.append(grid.float().permute(0, 2, 3, 1).reshape(-1, grid.shape[1]).cpu())
        wanted.append(small_cells(picture, grid.shape[2], grid.shape[3], fineness))
    cells = torch.cat(seen).double()
    target = torch.cat(wanted).double()
    cells = torch.cat([cells, torch.ones(len(cells), 1, dtype=torch.float64)], dim=1)
    # The pseudo-inverse also serves a VAE with channels that depend on one another.
    matrix = torch.linalg.pinv(cells) @ target
    left = (cells @ matrix - target).square().sum()
    all_of_it = (target - target.mean(0)).square().sum()
    return Colours(matrix.float().to(device), fineness, round(1 - float(left / all_of_it), 3))


def small_cells(picture: NDArray[np.float32], height: int, width: int, k: int) -> Tensor:
    """The picture as (cells, 3 k²): what each cell of the grid should look like."""
    image = Image.fromarray((picture * 255).astype(np.uint8))
    image = image.resize((width * k, height * k), Image.Resampling.LANCZOS)
    pixels = torch.from_numpy(np.asarray(image, np.float32) / 255)
    pixels = pixels.reshape(height, k, width, k, 3).permute(0, 2, 1, 3, 4)
    return pixels.reshape(height * width, k * k * 3)


def encoded(pipe: Any, pixels: Tensor) -> Tensor:
    """Pixels (1, 3, h, w) from -1 to 1 as the loop's latents on their grid (1, channels, h, w)."""
    vae = pipe.vae
    with torch.no_grad():
        if hasattr(vae, "bn"):  # FLUX.2: patches, batch-normalised
            grid: Tensor = pipe._encode_vae_image(pixels, None)
            return grid
        if hasattr(vae.config, "latents_mean") and hasattr(vae.config, "z_dim"):
            return of_video_vae(pipe, pixels)
        latents = vae.encode(pixels).latent_dist.mode()
        latents = (latents - (vae.config.shift_factor or 0)) * vae.config.scaling_factor
        return torch.nn.functional.pixel_unshuffle(latents, 2) if packs(pipe) else latents


def of_video_vae(pipe: Any, pixels: Tensor) -> Tensor:
    """The same for a VAE that thinks in frames (Qwen, Wan): one frame, normalised per channel."""
    config = pipe.vae.config
    latents = pipe.vae.encode(pixels.unsqueeze(2)).latent_dist.mode()[:, :, 0]
    mean = torch.tensor(config.latents_mean).view(1, -1, 1, 1).to(latents)
    spread = torch.tensor(config.latents_std).view(1, -1, 1, 1).to(latents)
    latents = (latents - mean) / spread
    return torch.nn.functional.pixel_unshuffle(latents, 2) if packs(pipe) else latents


def packs(pipe: Any) -> bool:
    """Whether the loop works on two-by-two patches as tokens."""
    return hasattr(pipe, "_pack_latents") and not hasattr(pipe.vae, "bn")


def cell_factor(pipe: Any) -> int:
    """Pixels of the picture per cell of the grid and side."""
    factor = getattr(pipe, "vae_scale_factor", None) or pipe.vae_scale_factor_spatial
    return int(factor) * (2 if hasattr(pipe, "_pack_latents") else 1)


def gridded(latents: Tensor, size: tuple[int, int]) -> Tensor:
    """The loop's latents as a grid (rows, channels, h, w), whatever form they travel in.

    Tokens (rows, h x w, channels) lie row by row over a picture of `size`; of frames (rows,
    channels, frames, h, w) the middle one stands for all.
    """
    if latents.ndim == 4:
        return latents
    if latents.ndim == 5:
        return latents[:, :, latents.shape[2] // 2]
    rows, tokens, channels = latents.shape
    height = max(1, round(math.sqrt(tokens * size[1] / size[0])))
    while tokens % height:
        height -= 1
    return latents.permute(0, 2, 1).reshape(rows, channels, height, tokens // height)


def pictures(count: int, side: int) -> list[NDArray[np.float32]]:
    """Pictures (side, side, 3) of floats 0 to 1: slopes of light, clouds, discs and stripes.

    Made in code from fixed seeds, so that every machine fits with the same ones.
    """
    made = []
    for seed in range(count):
        random = np.random.default_rng(seed)
        y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side
        ramp = (x * random.uniform(-1, 1) + y * random.uniform(-1, 1))[..., None]
        picture = random.uniform(0, 1, 3) + ramp * random.uniform(-0.7, 0.7, 3)
        for octave in (2, 4, 8):
            noise = random.normal(0, 0.35 / octave**0.5, (octave + 1, octave + 1, 3))
            picture = picture + smooth(noise.astype(np.float32), side)
        for _ in range(6):
            cx, cy, radius = random.uniform(0, 1, 3)
            inside = (x - cx) ** 2 + (y - cy) ** 2 < (radius * 0.3) ** 2
            picture[inside] = random.uniform(0, 1, 3)
        made.append(np.clip(picture, 0, 1).astype(np.float32))
    return made


def smooth(noise: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A coarse grid of values as a smooth picture."""
    planes = [
        Image.fromarray(noise[..., n]).resize((side, side), Image.Resampling.BICUBIC)
        for n in range(3)
    ]
    return np.dstack([np.asarray(plane, np.float32) for plane in planes])
