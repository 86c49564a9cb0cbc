"""Takes of a draft, beginnings, films and null answers, from plain data."""

from typing import Any

from forum.beginnings.cards import Card as BeginningCard
from forum.beginnings.models import Beginning, BeginningState
from forum.drafts.lines import Card
from forum.drafts.models import Draft, Take, TakeState
from forum.films.cards import Card as FilmCard
from forum.films.models import Film, FilmState
from forum.measures.actions import Known
from forum.measures.models import NullAnswer, NullState
from forum.measures.share import Share
from forum.pieces import machines
from forum.pieces.samples import ADA, BOARD, LIN, NIGHT, ORIGINAL, derivative
from generation.queue import Standing

DRAFT = Draft(pk=1, author=ADA, to=ORIGINAL)


def take(pk: int, state: str = TakeState.WAITING, **more: Any) -> Take:
    """One candidate of Ada's."""
    told = {"prompt": "make it night", "language": "en", "seed": 4081 + pk, "strength": 0.6}
    return Take(pk=pk, draft=DRAFT, turn=1, position=pk, job=pk, state=state, **{**told, **more})


def takes() -> dict[str, Card]:
    """Takes by the name of their state."""
    running = Standing("running", step=9, total=28, has_frame=True, frame_step=9, workers=1)
    return {
        "waiting, next": Card(take(1), machines.at_work(seconds=6)),
        "waiting": Card(take(2), machines.at_work(before=2, seconds=40)),
        "impossible now": Card(take(3), Standing("waiting")),
        "paused": Card(take(4), machines.at_work(paused=True)),
        "envisioning": Card(take(5), running),
        "done": Card(take(6, TakeState.DONE)),
        "done, and where one is": Card(take(7, TakeState.DONE), is_head=True),
        "did not come out": Card(take(8, TakeState.FAILED, reason="out_of_memory")),
        "stopped": Card(take(9, TakeState.CANCELLED)),
    }


def beginning(pk: int, state: str = BeginningState.WAITING, **more: Any) -> Beginning:
    """A first image that Lin asks for."""
    told = {"prompt": "a hill under stars", "language": "en", "preset": "klein"}
    return Beginning(pk=pk, author=LIN, board=BOARD, job=pk, state=state, **{**told, **more})


def beginnings() -> dict[str, BeginningCard]:
    """Beginnings by the name of their state."""
    running = Standing("running", step=2, total=4, has_frame=True, frame_step=2, workers=1)
    failed = {"state": BeginningState.FAILED, "reason": "out_of_memory"}
    made = {"state": BeginningState.DONE}
    return {
        "waiting": BeginningCard(beginning(1), machines.at_work(before=2, seconds=40)),
        "in Chinese": BeginningCard(
            beginning(2, prompt="星空下的山丘", language="zh-Hans"), machines.at_work(seconds=6)
        ),
        "impossible now": BeginningCard(beginning(3), Standing("waiting")),
        "envisioning": BeginningCard(beginning(4), running),
        "did not come out": BeginningCard(beginning(5, **failed)),
        "stopped": BeginningCard(beginning(6, BeginningState.CANCELLED)),
        "there": BeginningCard(beginning(7, image=derivative(NIGHT, "a hill under stars"), **made)),
        "no longer here": BeginningCard(beginning(8, **made)),
    }


def film(pk: int, state: str, **more: Any) -> Film:
    """A film of the original that Ada asked for."""
    told = {"kind": "lineage", "format": "webp", "width": 720, "height": 480, "seconds": 7.4}
    return Film(pk=pk, image=ORIGINAL, maker=ADA, job=pk, state=state, **{**told, **more})


def films() -> dict[str, FilmCard]:
    """Films by the name of their state."""
    running = Standing("running", step=12, total=40, workers=1)
    return {
        "waiting": FilmCard(film(1, FilmState.WAITING), machines.at_work()),
        "being made": FilmCard(film(2, FilmState.WAITING, format="mp4"), running),
        "a moving WebP": FilmCard(film(3, FilmState.DONE, bytes=900_000)),
        "a video": FilmCard(film(4, FilmState.DONE, format="mp4", kind="strip", bytes=400_000)),
        "did not come out": FilmCard(film(5, FilmState.FAILED, reason="worker_lost")),
        "stopped": FilmCard(film(6, FilmState.CANCELLED)),
    }


def nulls(*states: str) -> tuple[NullAnswer, ...]:
    """Null answers in these states."""
    return tuple(
        NullAnswer(pk=seed + 1, source=ORIGINAL, preset="darkroom", seed=seed, state=state)
        for seed, state in enumerate(states)
    )


def null_answers() -> dict[str, dict[str, Any]]:
    """What stands beside an answer, by the name of its state."""
    waiting, done, failed = NullState.WAITING, NullState.DONE, NullState.FAILED
    shares = {
        "an improbable answer": Share(0.31, 0.12, 0.33, 4.2, 8),
        "a usual answer": Share(0.14, 0.13, 0.05, 0.3, 8),
        "hardly an answer": Share(0.001, 0.1, 0.1, 0.1, 8),
    }
    known = {
        "not asked yet": Known(ORIGINAL, "darkroom", ()),
        "asked": Known(ORIGINAL, "darkroom", nulls(*[done] * 3, *[waiting] * 5)),
        "too few came out": Known(ORIGINAL, "darkroom", nulls(done, *[failed] * 7)),
        **{
            name: Known(ORIGINAL, "darkroom", nulls(*[done] * 8), share)
            for name, share in shares.items()
        },
        "nothing to compare": None,
    }
    image, costs = derivative(NIGHT, "make it night"), machines.costs()
    shown = {
        name: {"image": image, "known": each, "viewer": LIN, "cost": costs["next"]}
        for name, each in known.items()
    }
    impossible = {**shown["not asked yet"], "cost": costs["impossible now"]}
    return {**shown, "impossible now": impossible, "a visitor": {**impossible, "viewer": None}}
