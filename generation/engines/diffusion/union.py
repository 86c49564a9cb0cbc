"""Keeps the pictures of a batch apart inside a ControlNet-Union.

The layers of its fuser attend along the first axis of what they are given, which is the batch: as
it stands, every member's map would have a say in every other's picture. Alone, a picture and its
unguided twin are the only two rows, so those two, and no others, may see each other here.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from diffusers import ControlNetUnionModel
from torch import Tensor, nn


@contextlib.contextmanager
def rows_apart(pipe: Any, count: int) -> Iterator[None]:
    """While the block runs, `count` pictures in one batch of `pipe` do not see one another.

    Nothing happens to a pipeline without a ControlNet-Union.
    """
    net = getattr(pipe, "controlnet", None)
    layers = net.transformer_layes if isinstance(net, ControlNetUnionModel) else []
    with contextlib.ExitStack() as hooks:
        for layer in layers:
            hooks.callback(layer.register_forward_pre_hook(before(count)).remove)
            hooks.callback(layer.register_forward_hook(after(count)).remove)
        yield


def before(count: int) -> Any:
    """From (guided or not × pictures, maps, channels) to (guided or not, pictures × maps, …)."""

    def fold(layer: nn.Module, given: tuple[Tensor]) -> tuple[Tensor]:
        (rows,) = given
        return (rows.reshape(len(rows) // count, -1, rows.shape[-1]),)

    return fold


def after(count: int) -> Any:
    """And back again."""

    def unfold(layer: nn.Module, given: tuple[Tensor], out: Tensor) -> Tensor:
        return out.reshape(len(out) * count, -1, out.shape[-1])

    return unfold
