"""Carries a batch out in the device host: one call of an engine for many jobs, an answer for each.

The device does nothing but engines: a waiting batch is made ready, and pictures of the last one are
finished, in other threads meanwhile.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

from generation.engines.base import Cancelled, Edits, EngineError, Failed, Made, Progress
from generation.host.making import Piece, Workshop, preset_from
from generation.host.strips import Say
from generation.host.troubles import failure


def batch(
    workshop: Workshop, order: dict[str, Any], say: Say, cancelled: Callable[..., bool]
) -> dict[str, Any]:
    """Every job of a batch, each with an answer under its own id; then facts, as the device is free.

    The order holds edits of one preset as "orders". Pictures are still being finished when this
    returns: their answers may follow the batch's own.
    """
    say(say="began", id=order["id"])
    begun = time.perf_counter()
    preset = preset_from(order["orders"][0]["preset"])
    pieces = dict(prepared(workshop, order["orders"], say, cancelled))
    open_ = set(pieces)
    editor, loading = None, 0.0
    try:
        missing = time.perf_counter()
        if pieces and not workshop.residents.holds(preset):
            say(say="loading", id=order["id"], preset=preset.name)
        editor = workshop.residents.editor(preset) if pieces else None
        loading = time.perf_counter() - missing
        say(say="loaded", id=order["id"], resident=workshop.residents.names)
        if editor is not None:
            ready = time.perf_counter()
            for piece in pieces.values():
                piece.ready = ready
            items = [piece.item for piece in pieces.values()]
            for answer in editor.edit(items, taker(pieces), cancelled):
                open_.discard(answer.id)
                take(workshop, pieces[answer.id], answer, say)
        if open_:
            raise EngineError("The engine gave no answer.")
    except Exception as error:  # every job of the batch hears of it, whatever it is
        for each in open_:
            say(**failure(each, error))
    whole = time.perf_counter() - begun - loading
    return {"say": "freed", "facts": workshop.facts(), "spent": spent(editor, whole)}


def spent(editor: Edits | None, whole: float) -> dict[str, float]:
    """Seconds by stage of a batch that took `whole`, loading left out; nothing of an engine without."""
    stages: dict[str, float] = dict(ask()) if (ask := getattr(editor, "spent", None)) else {}
    return {**stages, "other": max(0.0, whole - sum(stages.values()))} if stages else {}


def prepared(
    workshop: Workshop, orders: list[dict[str, Any]], say: Say, cancelled: Callable[..., bool]
) -> Iterator[tuple[str, Piece]]:
    """The jobs whose sources can be read and that somebody still waits for, by id."""
    for each in orders:
        try:
            if cancelled(each["id"]):
                raise Cancelled
            yield each["id"], workshop.foreseen(each, say)
        except Exception as error:
            say(**failure(each["id"], error))
    workshop.forget(orders)


def taker(pieces: dict[str, Piece]) -> Callable[[Progress], None]:
    """What hears of each step: the strip of its job."""
    return lambda progress: pieces[progress.id].strip.take(progress)


def take(workshop: Workshop, piece: Piece, answer: Made | Failed, say: Say) -> None:
    """Pass on what came of one job; a picture is finished beside the device's next work."""
    if isinstance(answer, Failed):
        say(**failure(answer.id, answer.error))
        return
    piece.edited = time.perf_counter()
    workshop.finisher.submit(finish, workshop, piece, answer, say)


def finish(workshop: Workshop, piece: Piece, made: Made, say: Say) -> None:
    """Encode, hash and embed one picture, and say so."""
    try:
        words = workshop.finished(piece, made)
    except Exception as error:
        say(**failure(made.id, error))
    else:
        say(id=made.id, **words)
