"""What need not be computed twice: encodings of prompts, and latents of sources.

Every row is encoded alone, remembered or not, so that its bits depend neither on its neighbours nor on
what was asked before. What is remembered lies in the computer's memory, as many bytes as `MOST` at
most, the least lately used going first. Keys are digests of all that goes in; a text is not kept, and
nothing is written or logged.
"""

import contextlib
import functools
import hashlib
import inspect
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from diffusers.models.autoencoders.vae import DiagonalGaussianDistribution
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from PIL import Image

#: Bytes of everything of one kind together.
MOST = 256 * 2**20
#: Inputs larger than this, such as films, are not looked at.
LARGEST = 32 * 2**20
#: Arguments of `encode_prompt` that have an entry for each row.
ROWED = ("prompt", "prompt_2", "negative_prompt", "negative_prompt_2")
PLAIN = (str, int, float, bool, type(None), torch.dtype, torch.device)


class Strange(Exception):
    """Something goes in that has no digest."""


@dataclass(slots=True)
class Shelf:
    """Remembered tensors, or tuples of them, by digest; bounded in bytes."""

    most: int = MOST
    hits: int = 0
    misses: int = 0
    size: int = 0
    _kept: "OrderedDict[bytes, tuple[Any, int]]" = field(default_factory=OrderedDict)

    def get(self, key: bytes) -> Any:
        """What was put, on the device where it was made; None when there is nothing."""
        found = self._kept.get(key)
        if found is None:
            self.misses += 1
            return None
        self.hits += 1
        self._kept.move_to_end(key)
        return each(found[0], Away, lambda kept: kept.tensor.to(kept.device, copy=True))

    def put(self, key: bytes, value: Any) -> None:
        """Remember something, unless it is larger than all that may be remembered."""
        size = 0

        def put_away(tensor: torch.Tensor) -> Away:
            nonlocal size
            size += tensor.nbytes
            return Away(tensor.detach().to("cpu", copy=True), tensor.device)

        away = each(value, torch.Tensor, put_away)
        if size > self.most:
            return
        self.size -= self._kept.pop(key, (None, 0))[1]
        self._kept[key] = (away, size)
        self.size += size
        while self.size > self.most:
            _, (_, gone) = self._kept.popitem(last=False)
            self.size -= gone

    def clear(self) -> None:
        """Forget everything."""
        self._kept.clear()
        self.size = 0

    def about(self) -> dict[str, Any]:
        """For the operator's page."""
        return {"hits": self.hits, "misses": self.misses, "mb": round(self.size / 2**20, 1)}


@dataclass(frozen=True, slots=True)
class Away:
    """A tensor in the computer's memory, and the device that it came from."""

    tensor: torch.Tensor
    device: torch.device


@dataclass(slots=True)
class Memory:
    """What one engine remembers, whatever it has loaded."""

    prompts: Shelf = field(default_factory=Shelf)
    sources: Shelf = field(default_factory=Shelf)

    def clear(self) -> None:
        """Forget everything."""
        self.prompts.clear()
        self.sources.clear()

    def about(self) -> dict[str, Any]:
        """For the operator's page."""
        return {"prompts": self.prompts.about(), "sources": self.sources.about()}


@contextlib.contextmanager
def remembered(pipe: Any, memory: Memory | None, identity: str) -> Iterator[None]:
    """While the block runs, prompts and sources of `pipe` are encoded row by row, by way of `memory`.

    `identity` tells weights and settings apart. Without a memory everything is encoded anew, to the
    same bits.
    """
    vae = pipe.vae
    vae.encode = encoding_sources(vae.encode, memory, identity)
    # InstructPix2Pix has the second only; others keep it under that name for the sake of old code.
    names = [name for name in ("encode_prompt", "_encode_prompt") if hasattr(pipe, name)][:1]
    for name in names:
        setattr(pipe, name, encoding_prompts(getattr(pipe, name), memory, identity))
    try:
        yield
    finally:
        # They were looked up on the class before, and are again.
        del vae.encode
        for name in names:
            delattr(pipe, name)


def encoding_prompts(
    encode: Callable[..., Any], memory: Memory | None, identity: str
) -> Callable[..., Any]:
    """`encode_prompt` that takes one row at a time."""
    signature = inspect.signature(encode)
    shelf = memory.prompts if memory is not None else None

    @functools.wraps(encode)
    def encode_prompt(*words: Any, **more: Any) -> Any:
        bound = signature.bind(*words, **more)
        bound.apply_defaults()
        rows = [
            looked_up(shelf, (identity, "prompt", own), functools.partial(encode, **own))
            for own in rows_of(bound.arguments)
        ]
        return joined(rows) if alike(rows) else encode(*words, **more)

    return encode_prompt


def rows_of(given: dict[str, Any]) -> list[dict[str, Any]]:
    """The arguments of each row; those of a single one, or of what is no list, as they are."""
    prompts = given.get("prompt")
    if not isinstance(prompts, list) or len(prompts) < 2 or given.get("image") is not None:
        return [given]
    many = [name for name in ROWED if isinstance(given.get(name), list)]
    return [given | {name: [given[name][row]] for name in many} for row in range(len(prompts))]


def encoding_sources(
    encode: Callable[..., Any], memory: Memory | None, identity: str
) -> Callable[..., Any]:
    """`vae.encode` that takes one row at a time. What it remembers is the distribution, not a draw."""
    shelf = memory.sources if memory is not None else None

    @functools.wraps(encode)
    def encode_source(pixels: torch.Tensor, return_dict: bool = True) -> Any:
        try:
            moments = [
                looked_up(
                    shelf, (identity, "source", row), functools.partial(moments_of, encode, row)
                )
                for row in torch.split(pixels, 1)
            ]
        except Strange:  # a VAE without a distribution
            return encode(pixels, return_dict=return_dict)
        found = DiagonalGaussianDistribution(torch.cat(moments))
        return AutoencoderKLOutput(latent_dist=found) if return_dict else (found,)

    return encode_source


def moments_of(encode: Callable[..., Any], row: torch.Tensor) -> torch.Tensor:
    """Mean and variance that a VAE gives for one source. Raises `Strange`."""
    found = getattr(encode(row), "latent_dist", None)
    if not isinstance(found, DiagonalGaussianDistribution):
        raise Strange
    moments: torch.Tensor = found.parameters
    return moments


def looked_up(shelf: Shelf | None, words: Any, make: Callable[[], Any]) -> Any:
    """What is remembered of these words, else made now and remembered."""
    if shelf is None:
        return make()
    try:
        key = digest(words)
    except Strange:  # what cannot be told apart is not remembered
        return make()
    if (found := shelf.get(key)) is None:
        found = make()
        shelf.put(key, found)
    return found


def digest(words: Any) -> bytes:
    """SHA-256 of everything that these words hold, kinds and shapes included. Raises `Strange`."""
    found = hashlib.sha256()
    for part in parts_of(words):
        found.update(len(part).to_bytes(8))
        found.update(part)
    return found.digest()


def parts_of(words: Any) -> Iterator[bytes]:
    """Bytes that tell these words from others. Raises `Strange` for what it does not know."""
    if isinstance(words, PLAIN):
        yield f"{type(words).__name__} {words!r}".encode()
    elif isinstance(words, torch.Tensor):
        if words.nbytes > LARGEST:
            raise Strange
        yield f"tensor {words.dtype} {tuple(words.shape)} {words.device}".encode()
        yield words.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    elif isinstance(words, Image.Image):
        yield f"picture {words.mode} {words.size}".encode()
        yield words.tobytes()
    elif isinstance(words, dict):
        yield f"table {len(words)}".encode()
        for pair in words.items():
            yield from parts_of(pair)
    elif isinstance(words, (list, tuple)):
        yield f"{type(words).__name__} {len(words)}".encode()
        for word in words:
            yield from parts_of(word)
    else:
        raise Strange


def each(value: Any, kind: type[Any], change: Callable[[Any], Any]) -> Any:
    """The same tuples and lists, with everything of this kind in them changed."""
    if isinstance(value, kind):
        return change(value)
    if isinstance(value, (list, tuple)):
        return type(value)(each(word, kind, change) for word in value)
    return value


def alike(rows: Sequence[Any]) -> bool:
    """Whether what came of each row can be laid together: tensors of one shape, or lists, or nothing."""
    first = rows[0]
    if isinstance(first, tuple):
        return all(isinstance(row, tuple) and len(row) == len(first) for row in rows) and all(
            map(alike, zip(*rows, strict=True))
        )
    if isinstance(first, torch.Tensor):
        return all(isinstance(row, torch.Tensor) and row.shape == first.shape for row in rows)
    return all(type(row) is type(first) for row in rows)


def joined(rows: Sequence[Any]) -> Any:
    """What came of each row as what a whole batch gives, where the rows are `alike`."""
    first = rows[0]
    if len(rows) == 1:
        return first
    if isinstance(first, tuple):
        return tuple(map(joined, zip(*rows, strict=True)))
    if isinstance(first, torch.Tensor):
        # Of one row there may be several tensors, its unguided twins after it; those of a batch
        # stand in the same order, each kind together.
        return torch.stack(list(rows), dim=1).flatten(0, 1)
    return [word for row in rows for word in row] if isinstance(first, list) else first
