"""Processors of the Qwen-VL family where torchvision is not installed.

Theirs wants a processor for films too, which needs torchvision even though nothing here has films.
"""

import importlib.util
from pathlib import Path
from typing import Any

import transformers
from transformers import AutoTokenizer, Qwen2VLImageProcessorPil

TORCHVISION = importlib.util.find_spec("torchvision") is not None


class _WithoutFilms:
    """Skips the check, and the making, of a processor for films."""

    def check_argument_for_proper_class(self, name: str, argument: Any) -> Any:
        """Nothing is checked where there is nothing."""
        if argument is None:
            return None
        checked: Any = super()
        return checked.check_argument_for_proper_class(name, argument)

    def save_pretrained(self, folder: str | Path, **words: Any) -> None:
        """Its two parts, as they are loaded again."""
        for part in (self.image_processor, self.tokenizer):  # type: ignore[attr-defined]
            part.save_pretrained(folder)


def still_processor(name: str) -> Any:
    """The class called `name` in transformers, for pictures and words only."""
    stock = getattr(transformers, name)
    return type(name, (_WithoutFilms, stock), {"__module__": stock.__module__})


def of_stills(name: str, folder: Path) -> Any:
    """The processor called `name` in transformers, from `folder`, for pictures and words only."""
    return still_processor(name)(
        image_processor=Qwen2VLImageProcessorPil.from_pretrained(folder, local_files_only=True),
        tokenizer=AutoTokenizer.from_pretrained(folder, local_files_only=True),
    )


def needs_help(library: str, name: str) -> bool:
    """Whether a component of a pipeline is such a processor and cannot be made as it stands."""
    return not TORCHVISION and library == "transformers" and name.endswith("VLProcessor")
