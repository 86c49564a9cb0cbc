"""FLUX.2 klein with sources and masks of its own for each item of a batch.

The stock pipeline takes a list of images as references that *every* prompt of the batch sees, so a
batch of several members' jobs would mix their pictures without a word; the stock one for masks sees
one reference at most. This relies on private methods of diffusers 0.42: tests hold N singles
against one batch of N.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from diffusers import Flux2KleinPipeline
from PIL import Image
from torch.nn.functional import adaptive_max_pool2d
from torch.nn.functional import interpolate as resized

#: Pixels of one side that become one token of klein.
PATCH = 16


class SourcesPerItem:
    """`image` holds the sources of the first item, then of the second, the same number for each."""

    def prepare_image_latents(
        self,
        images: list[torch.Tensor],
        batch_size: int,
        generator: Any,
        device: torch.device,
        dtype: torch.dtype,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens (batch, tokens, channels) and their places (batch, tokens, 4).

        Each image is (1, 3, height, width) from -1 to 1, and is encoded alone, so that its tokens
        do not depend on its neighbours. Raises `ValueError` when sources do not come out even or
        differ in size.
        """
        each, left = divmod(len(images), batch_size)
        if left or not each:
            raise ValueError("Every item of a batch needs the same number of sources.")
        pipe: Any = self
        latents = [
            pipe._encode_vae_image(image.to(device=device, dtype=dtype), generator)
            for image in images
        ]
        if len({latent.shape for latent in latents}) != 1:
            raise ValueError("All sources of a batch have one size.")
        places = pipe._prepare_image_ids(latents[:each]).repeat(batch_size, 1, 1)
        packed = [pipe._pack_latents(latent) for latent in latents]
        rows = [
            torch.cat(packed[first : first + each], dim=1) for first in range(0, len(packed), each)
        ]
        return torch.cat(rows).to(device), places.to(device)


class BatchedKlein(SourcesPerItem, Flux2KleinPipeline):  # type: ignore[misc]
    """FLUX.2 klein whose batches keep everybody's pictures apart."""


@dataclass(slots=True)
class Outside:
    """What lies outside the masks of a batch, as tokens (batch, tokens, channels)."""

    #: 1 where a token may change, 0 where it is the source's; (batch, tokens, 1).
    free: torch.Tensor
    size: tuple[int, int]
    noise: torch.Tensor | None = None
    source: torch.Tensor | None = None

    def keep(self, pipe: Any, step: int, _timestep: Any, given: dict[str, Any]) -> dict[str, Any]:
        """After a step: the source, as noisy as the rest, outside; what has come to be inside.

        On the straight line of flow matching, x = (1 - sigma) source + sigma noise (Lipman and
        others 2023); blending with it at each step as in RePaint (Lugmayr and others 2022).
        """
        assert self.noise is not None and self.source is not None
        latents = given["latents"]
        sigma = pipe.scheduler.sigmas[step + 1].to(latents.device, torch.float32)
        noisy = (1 - sigma) * self.source.float() + sigma * self.noise.float()
        return {"latents": torch.where(self.free > 0, latents, noisy.to(latents.dtype))}


class InpaintKlein(BatchedKlein):
    """FLUX.2 klein inside masks: what comes to be there is made to fit what stays outside."""

    _outside: Outside | None = None

    @torch.no_grad()
    def __call__(
        self,
        prompt: list[str],
        image: list[Image.Image],
        mask_image: list[Image.Image],
        generator: list[torch.Generator],
        num_inference_steps: int,
        width: int,
        height: int,
        guidance_scale: float = 1.0,
        max_sequence_length: int = 512,
        text_encoder_out_layers: tuple[int, ...] = (9, 18, 27),
        output_type: str = "pil",
    ) -> Any:
        """Pictures, one for each prompt; sources as in `BatchedKlein`, the first of each is masked.

        `mask_image` is white where a picture may change, as large as the pictures.
        """
        free = tokens_of(mask_image, (width, height)).to(self._execution_device)
        self._outside = outside = Outside(free, (width, height))
        try:
            return super().__call__(
                prompt=prompt,
                image=image,
                generator=generator,
                num_inference_steps=num_inference_steps,
                width=width,
                height=height,
                guidance_scale=guidance_scale,
                max_sequence_length=max_sequence_length,
                text_encoder_out_layers=text_encoder_out_layers,
                output_type=output_type,
                callback_on_step_end=outside.keep,
            )
        finally:
            self._outside = None

    def prepare_latents(self, *words: Any, **more: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The noise to begin from, which is remembered."""
        noise, places = super().prepare_latents(*words, **more)
        assert self._outside is not None
        self._outside.noise = noise
        return noise, places

    def prepare_image_latents(
        self, images: list[torch.Tensor], batch_size: int, *words: Any, **more: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Tokens of all sources; those of each item's first one are remembered.

        The pipeline shrinks sources above a megapixel: they are seen small, and kept in full size.
        """
        tokens, places = super().prepare_image_latents(images, batch_size, *words, **more)
        outside = self._outside
        assert outside is not None
        width, height = outside.size
        whole = (height // PATCH * PATCH, width // PATCH * PATCH)
        if tuple(images[0].shape[-2:]) == whole:
            outside.source = tokens[:, : outside.free.shape[1]]
            return tokens, places
        each = len(images) // batch_size
        large = [resized(image, whole, mode="bilinear") for image in images[::each]]
        outside.source, _ = super().prepare_image_latents(large, batch_size, *words, **more)
        return tokens, places


def tokens_of(masks: Sequence[Image.Image], size: tuple[int, int]) -> torch.Tensor:
    """Masks as tokens (batch, tokens, 1): 1 where any pixel of a token may change, else 0."""
    planes = torch.stack([torch.from_numpy(np.array(mask.convert("L"))) for mask in masks])
    grid = (size[1] // PATCH, size[0] // PATCH)
    most = adaptive_max_pool2d(planes[:, None].float(), grid)
    return (most > 0).float().flatten(2).transpose(1, 2)
