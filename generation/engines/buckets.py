"""What may run in one call of an engine: sizes, keys and limits of batches. Light."""

from collections.abc import Sequence
from typing import Any

from generation.engines.base import Preset
from generation.requests import EditRequest

#: Pixels of one side that become one token.
PATCH = 16


def size_for(request: EditRequest, preset: Preset) -> tuple[int, int] | None:
    """Width and height at which a request runs; None where the engine follows its source.

    The size asked for, else the preset's size whose shape is nearest to the first source's; the
    preset's first size for a request without sources.
    """
    if request.size is not None:
        return request.size
    sizes: Sequence[Sequence[int]] = preset.settings.get("sizes", ())
    if not sizes:
        return None
    if not request.sources:
        return sizes[0][0], sizes[0][1]
    width, height = request.sources[0].size

    def apart(size: Sequence[int]) -> float:
        """Ratio of the two shapes, at least 1: twice as wide is as far as twice as high."""
        ratio = size[0] * height / (size[1] * max(1, width))
        return max(ratio, 1 / ratio)

    nearest = min(sizes, key=apart)
    return nearest[0], nearest[1]


def batch_key(request: EditRequest, preset: Preset) -> tuple[Any, ...]:
    """What must be equal for two requests to run in one batch: the scalars of an engine's call.

    Prompt, sources, mask and seed are per item. A request made again in the bucket of its recipe
    runs with others of that bucket only.
    """
    return (
        preset.name,
        size_for(request, preset),
        request.steps,
        request.guidance,
        request.strength,
        len(request.sources),
        request.mask is not None,
        bool(request.negative),
        request.bucket,
    )


def most_for(request: EditRequest, preset: Preset) -> int:
    """How many requests like this one a batch may hold.

    The preset's largest bucket, or the largest for which no more tokens are in flight than it allows:
    beyond that a device gains nothing.
    """
    if request.bucket is not None:
        return request.bucket
    size = size_for(request, preset)
    limit = preset.settings.get("batch", {}).get("tokens_in_flight")
    if size is None or not limit:
        return max(preset.buckets)
    each = tokens(size, len(request.sources))
    return max((bucket for bucket in preset.buckets if bucket * each <= limit), default=1)


def tokens(size: tuple[int, int], sources: int) -> int:
    """Tokens of one picture of this size with so many sources, as `tokens_in_flight` counts them.

    A token is a square of 16 pixels, of the result or of a source; a source is cut to the same size.
    """
    return (size[0] // PATCH) * (size[1] // PATCH) * (1 + sources)
