"""FLUX.2 klein with sources of its own for each item of a batch.

The stock pipeline takes a list of images as references that *every* prompt of the batch sees, so a
batch of several members' jobs would mix their pictures without a word; the stock one for masks sees
one reference at most, so masks are held outside of it. This relies on private methods of diffusers
0.42: tests hold N singles against one batch of N.
"""

from typing import Any

import torch
from diffusers import Flux2KleinPipeline


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
