"""How much of a prompt a model has room for. Light: `tokenizers` (Rust) at most, never torch.

The web counts with a tokenizer file from the disk before a prompt is sent; the engine cuts with the
tokenizer that is loaded, so that no pipeline has anything to cut, or to say about it in a log.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from generation.engines.base import Preset
from generation.engines.sources import sources

#: Of tokenizers that do not say how much they take.
USUAL = 512
#: Beyond this a tokenizer means "no limit".
NO_LIMIT = 100_000
#: Marks around a prompt that count too (begin and end).
MARKS = 2
#: Room that a chat template takes inside `max_sequence_length`.
TEMPLATE = 16
#: LongCat spells what stands between quotation marks letter by letter.
QUOTES = "'\"‘’“”"


def room(preset: Preset) -> int:
    """How many tokens of a prompt the model of `preset` sees at most."""
    said = preset.settings.get("call", {}).get("max_sequence_length")
    if said:
        return max(1, int(said) - TEMPLATE)
    for folder in tokenizer_folders(preset):
        config = folder / "tokenizer_config.json"
        if config.is_file():
            most = json.loads(config.read_text("utf-8")).get("model_max_length")
            if isinstance(most, int | float) and most < NO_LIMIT:
                return int(most) - MARKS
    return USUAL


def count(prompt: str, preset: Preset) -> int | None:
    """How many tokens `prompt` has for this preset; None where that cannot be told here.

    It can where the tokenizer's file lies on this machine and the package `tokenizers` is there.
    """
    for folder in tokenizer_folders(preset):
        reader = _reader(folder / "tokenizer.json")
        if reader is not None:
            return len(reader.encode(prompt, add_special_tokens=False).ids)
    return None


def beyond(prompt: str, preset: Preset) -> int:
    """How many tokens at the end of `prompt` the model would not see; 0 where nobody can tell."""
    found = count(prompt, preset)
    return 0 if found is None else max(0, found - room(preset))


def tokenizer_folders(preset: Preset) -> list[Path]:
    """Folders of a preset's tokenizers on this machine."""
    folders = [source.folder for source in sources(preset) if source.role == "model"]
    names = ("tokenizer", "tokenizer_2", "processor")
    return [folder / name for folder in folders if folder for name in names]


@lru_cache(maxsize=8)
def _reader(path: Path) -> Any:
    """A tokenizer from its file, or None."""
    if not path.is_file():
        return None
    try:
        from tokenizers import Tokenizer
    except ImportError:
        return None
    return Tokenizer.from_file(str(path))


def shortened(prompt: str, pipe: Any, call: dict[str, Any]) -> tuple[str, int]:
    """The part of `prompt` that every tokenizer of a pipeline has room for, and the tokens left out.

    It ends between two tokens, on a whole character.
    """
    ends, dropped = [len(prompt)], 0
    for tokenizer in tokenizers_of(pipe):
        most = limit_of(tokenizer, call.get("max_sequence_length"))
        places = spans(prompt, tokenizer)
        if len(places) > most:
            ends.append(places[most - 1][1])
            dropped = max(dropped, len(places) - most)
    return prompt[: min(ends)], dropped


def tokenizers_of(pipe: Any) -> list[Any]:
    """The tokenizers of a pipeline."""
    names = ("tokenizer", "tokenizer_2")
    return [found for name in names if (found := getattr(pipe, name, None)) is not None]


def limit_of(tokenizer: Any, said: int | None) -> int:
    """What a tokenizer takes of a prompt; `said` is the preset's `max_sequence_length`."""
    most = int(tokenizer.model_max_length)
    if said is None and most < NO_LIMIT:
        return most - MARKS
    return max(1, (said or USUAL) - TEMPLATE)


def spans(prompt: str, tokenizer: Any) -> Sequence[tuple[int, int]]:
    """Begin and end in characters of each token; of each letter's tokens where quotes are used."""
    if any(mark in prompt for mark in QUOTES):
        return [
            (place, place + 1)
            for place, letter in enumerate(prompt)
            for _ in tokenizer(letter, add_special_tokens=False)["input_ids"]
        ]
    read = tokenizer(prompt, add_special_tokens=False, return_offsets_mapping=True)
    offsets: Sequence[tuple[int, int]] = read["offset_mapping"]
    return offsets
