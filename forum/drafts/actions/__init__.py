"""Verbs of this room, one kind a file."""

from forum.drafts.actions.asking import stop, take_turn, try_again
from forum.drafts.actions.choosing import go_back, go_to, publish
from forum.drafts.actions.leaving import leave, sweep_drafts
from forum.drafts.actions.taking_in import keep_steps, take_in, take_in_failure

__all__ = [
    "go_back", "go_to", "keep_steps", "leave", "publish", "stop", "sweep_drafts", "take_in",
    "take_in_failure", "take_turn", "try_again",
]  # fmt: skip
