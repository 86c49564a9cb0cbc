"""Takes of a draft and null answers, from plain data."""

from typing import Any

from forum.drafts.lines import Card
from forum.drafts.models import Draft, Take, TakeState
from forum.measures.actions import Known
from forum.measures.models import NullAnswer, NullState
from forum.measures.share import Share
from forum.pieces import machines
from forum.pieces.samples import ADA, LIN, NIGHT, ORIGINAL, derivative
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
