"""The arguments of one pipeline call: what a batch shares, and what each row has of its own."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from PIL import Image

from generation.engines.base import Item
from generation.engines.diffusion.klein import SourcesPerItem
from generation.engines.diffusion.loading import Loaded
from generation.engines.diffusion.maps import Kept, kept
from generation.engines.diffusion.pictures import Cut, cut_for, mask_for
from generation.engines.diffusion.settings import Call
from generation.engines.diffusion.tokens import shortened

#: Seeds are 63 bits: torch takes no more.
SEEDS = 2**63


@dataclass(slots=True)
class Row:
    """One place in a batch: an item, cut to size. Padding repeats the first item."""

    item: Item
    #: The part of the first source that was used; None when there is no source.
    cut: Cut | None
    sources: list[Image.Image]
    mask: Image.Image | None
    prompt: str
    #: Tokens of the prompt that the model has no room for.
    dropped: int
    padding: bool = False
    #: What the result must keep of its first source.
    kept: Kept = field(default_factory=Kept)

    @property
    def id(self) -> str:
        """The item's."""
        return self.item.id


def row_for(item: Item, call: Call, loaded: Loaded) -> Row:
    """An item made ready. Raises `SourceRefused`."""
    cuts = [cut_for(source, call.size) for source in item.sources]
    prompt, dropped = shortened(item.request.prompt, loaded.first, loaded.settings.call)
    mask = None
    if item.mask is not None and cuts:
        mask = mask_for(item.mask, item.sources[0], cuts[0])
    sources = [cut.of(source) for cut, source in zip(cuts, item.sources, strict=True)]
    return Row(
        item=item,
        cut=cuts[0] if cuts else None,
        sources=sources,
        mask=mask,
        prompt=prompt,
        dropped=dropped,
        kept=kept(sources[0], loaded.settings.controls, loaded.estimators) if sources else Kept(),
    )


def following_the_same(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows in groups that one call can take, since it has one list of maps for all its rows.

    They differ where a source shows nothing of what the preset keeps.
    """
    groups: dict[Any, list[Row]] = {}
    for row in rows:
        groups.setdefault(row.kept.controls, []).append(row)
    return list(groups.values())


def padded(rows: Sequence[Row], bucket: int) -> list[Row]:
    """As many rows as the bucket has places: the first one again and again."""
    more = replace(rows[0], dropped=0, padding=True)
    return [*rows, *[more] * (bucket - len(rows))]


def arguments(pipe: Any, call: Call, rows: Sequence[Row], loaded: Loaded) -> dict[str, Any]:
    """Everything `pipe` is called with. What it has no parameter for is left out."""
    words = loaded.settings
    known = inspect.signature(pipe.__call__).parameters
    given: dict[str, Any] = {key: value for key, value in words.call.items() if key in known}
    given |= {
        "prompt": [row.prompt for row in rows],
        "generator": [generator(row) for row in rows],
        "num_inference_steps": call.steps,
        "output_type": "pil",
    }
    if call.guidance is not None:
        given[words.guidance] = call.guidance
    if call.strength is not None and words.strength is not None:
        given[words.strength.argument] = call.strength
    width, height = call.size
    given |= {key: value for key, value in (("width", width), ("height", height)) if key in known}
    given |= pictures(pipe, known, rows)
    given |= to_avoid(known, rows, words.negative)
    given |= to_follow(known, rows, loaded)
    return alone(given) if only_one(pipe) else given


def generator(row: Row) -> torch.Generator:
    """Noise of its own for each row, from the CPU: the same on every device."""
    return torch.Generator("cpu").manual_seed(row.item.request.seed % SEEDS)


def pictures(pipe: Any, known: Any, rows: Sequence[Row]) -> dict[str, Any]:
    """Sources and masks, where there are any and the pipeline takes them."""
    if "image" not in known or not rows[0].sources:
        return {}
    if isinstance(pipe, SourcesPerItem) or "true_cfg_scale" in known:
        given: dict[str, Any] = {"image": [each for row in rows for each in row.sources]}
    else:
        given = {"image": [row.sources[0] for row in rows]}
    if "mask_image" in known:
        given["mask_image"] = [row.mask or white(row) for row in rows]
    return given


def white(row: Row) -> Image.Image:
    """A mask under which everything may change."""
    return Image.new("L", row.sources[0].size, 255)


def to_avoid(known: Any, rows: Sequence[Row], otherwise: str) -> dict[str, Any]:
    """What must not be seen, where the pipeline can avoid something."""
    wishes = [row.item.request.negative or otherwise for row in rows]
    if "negative_prompt" not in known or not any(wishes):
        return {}
    return {"negative_prompt": wishes}


def avoided(pipe: Any, row: Row, otherwise: str) -> str:
    """What was really avoided: nothing, by a pipeline that cannot."""
    given = to_avoid(inspect.signature(pipe.__call__).parameters, [row], otherwise)
    return str(given.get("negative_prompt", [""])[0])


def to_follow(known: Any, rows: Sequence[Row], loaded: Loaded) -> dict[str, Any]:
    """The maps of each source that a ControlNet makes the result follow: a batch for each kind."""
    controls = rows[0].kept.controls
    if not controls or "control_image" not in known:
        return {}
    ready = loaded.first.control_image_processor.preprocess
    return {
        "control_image": [
            torch.cat([ready(row.kept.maps[place].picture) for row in rows])
            for place in range(len(controls))
        ],
        "control_mode": [control.mode for control in controls],
        "controlnet_conditioning_scale": [float(control.scale) for control in controls],
    }


def only_one(pipe: Any) -> bool:
    """Whether a pipeline wants its one item bare, not in lists of one."""
    return type(pipe).__name__.startswith(("LongCat", "QwenImageEdit", "Wan"))


def alone(given: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a batch of one without their lists; several sources stay a list."""
    bare = dict(given)
    for key in ("prompt", "negative_prompt", "generator", "image", "mask_image"):
        if isinstance(bare.get(key), list) and len(bare[key]) == 1:
            bare[key] = bare[key][0]
    return bare
