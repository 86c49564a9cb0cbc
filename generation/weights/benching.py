"""Measures a preset on this machine, at its sizes and batch sizes, for limits that are not guessed."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image

from generation import engines, presets
from generation.engines.base import Edits, EngineError, Failed, Item, Made, Preset
from generation.engines.buckets import tokens
from generation.requests import EditRequest, ImageRef

Size = tuple[int, int]
#: Runs of each batch that count, after one that does not.
RUNS = 3
#: A larger batch must make at least this many more pictures a second to be worth the wait.
WORTH = 1.02
#: Largest batch that a preset may name.
MOST = 64
SEED, PROMPT = 20_000, "at night, in heavy snow"


class CannotBench(Exception):
    """The preset could not be measured here; one sentence says why."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One measurement: a batch of `bucket` pictures of `size`."""

    size: Size
    bucket: int
    #: Median seconds of one batch; None when it did not fit into the memory.
    seconds: float | None
    #: Sources of each picture, of the same size.
    sources: int = 1

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.bucket / self.seconds if self.seconds else 0.0

    @property
    def tokens(self) -> int:
        """Tokens of the batch, as `batching` counts them."""
        return tokens(self.size, self.sources) * self.bucket


@dataclass(frozen=True, slots=True)
class Limits:
    """What a preset's batches may be on this machine."""

    buckets: list[int]
    tokens_in_flight: int
    #: Seconds of one picture alone, at the first size.
    seconds: float


def candidates(preset: Preset, wanted: str = "") -> tuple[int, ...]:
    """Batch sizes to try: those named, such as "1,2,8", else the preset's and the shipped ones.

    What an earlier run on a smaller machine left out is tried again. Raises `CannotBench`.
    """
    if not wanted:
        shipped = presets.parsed(presets.SHIPPED).get(preset.name, {})
        return tuple(sorted({1, *preset.buckets, *shipped.get("buckets", ())}))
    said = [each.strip() for each in wanted.split(",")]
    if not all(each.isascii() and each.isdigit() and 1 <= int(each) <= MOST for each in said):
        raise CannotBench(f"Batch sizes are numbers from 1 to {MOST}, such as 1,2,4.")
    return tuple(sorted({1, *map(int, said)}))


def measured(preset: Preset, runs: int = RUNS) -> Iterator[Figure]:
    """Load the preset and measure each of its buckets, small ones first. Raises `CannotBench`."""
    editor = loaded(preset)
    try:
        for size in sizes_of(preset):
            for bucket in preset.buckets:
                seconds = median_of(editor, preset, size, bucket, runs)
                figure = Figure(size, bucket, seconds, int(takes_sources(preset)))
                yield figure
                if figure.seconds is None:
                    break
    finally:
        editor.unload()


def loaded(preset: Preset) -> Edits:
    """The engine with this preset. Raises `CannotBench`."""
    try:
        editor = engines.editor(preset.engine)
        editor.load(preset)
    except (EngineError, ImportError, LookupError, OSError) as error:
        raise CannotBench(f"{preset.name} cannot be loaded: {error}") from None
    return editor


def sizes_of(preset: Preset) -> list[Size]:
    """The preset's sizes, one of each number of tokens; its longest side where it names none."""
    named = preset.settings.get("sizes") or [[preset.max_side, preset.max_side * 3 // 4]]
    by_tokens: dict[int, Size] = {}
    for width, height in named:
        by_tokens.setdefault(tokens((width, height), 0), (width, height))
    return list(by_tokens.values())


def median_of(editor: Edits, preset: Preset, size: Size, bucket: int, runs: int) -> float | None:
    """Median seconds of a batch; None when memory did not suffice. Raises `CannotBench`."""
    taken = []
    for run in range(runs + 1):
        begun = time.perf_counter()
        if not fits(editor, items(preset, size, bucket, run)):
            return None
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken[1:])


def fits(editor: Edits, batch: list[Item]) -> bool:
    """Run a batch; whether all of it came out at once. Raises `CannotBench` for other troubles.

    Where memory ends, engines run a batch in halves and say so in its recipes: that is no fit.
    """
    for answer in editor.edit(batch, lambda _: None, lambda _: False):
        wanted = batch[0].request.bucket
        if isinstance(answer, Made) and answer.recipe.get("bucket", wanted) != wanted:
            return False
        if isinstance(answer, Failed):
            if answer.error.reason == "out_of_memory":
                return False
            raise CannotBench(f"{batch[0].request.preset} failed: {answer.error}")
    return True


def items(preset: Preset, size: Size, bucket: int, run: int) -> list[Item]:
    """A batch of different wishes for one size."""
    picture = Image.linear_gradient("L").resize(size).convert("RGB")
    reference = ImageRef(sha256="0" * 64, name="bench", size=size)
    edits = takes_sources(preset)
    many = range(run * bucket, (run + 1) * bucket)
    return [
        Item(
            id=f"bench-{n}",
            request=EditRequest(
                preset=preset.name,
                prompt=PROMPT,
                seed=SEED + n,
                sources=(reference,) if edits else (),
                size=size if preset.settings.get("sizes") else None,
                bucket=bucket,
            ),
            sources=[picture] if edits else [],
        )
        for n in many
    ]


def takes_sources(preset: Preset) -> bool:
    """Whether it edits; what makes new images only is measured without a source."""
    pipelines = preset.settings.get("pipelines")
    return bool(preset.max_sources) and (pipelines is None or "edit" in pipelines)


def limits(figures: list[Figure]) -> Limits:
    """The batches that fit and are worth it. Raises `CannotBench` when nothing fits.

    A bucket stays if at some size it makes more pictures a second than every smaller one; tokens in
    flight are those of the largest such batch.
    """
    if not figures or figures[0].seconds is None:
        raise CannotBench("Not even one picture alone fits into the memory of this machine.")
    kept: list[Figure] = []
    for size in dict.fromkeys(figure.size for figure in figures):
        best = 0.0
        for figure in (each for each in figures if each.size == size and each.seconds is not None):
            if not best or figure.rate > best * WORTH:
                best = figure.rate
                kept.append(figure)
    return Limits(
        buckets=sorted({1} | {figure.bucket for figure in kept}),
        tokens_in_flight=max(figure.tokens for figure in kept),
        seconds=round(figures[0].seconds / figures[0].bucket, 2),
    )


def line(figure: Figure) -> str:
    """A measurement for people."""
    width, height = figure.size
    head = f"{width} x {height}, {figure.bucket} at once:"
    if figure.seconds is None:
        return f"{head} does not fit"
    return f"{head} {figure.seconds:.2f} s, {figure.rate:.2f} images/s"
