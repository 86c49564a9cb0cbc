"""Verbs of the threads room, one kind a file."""

from forum.threads.actions.answering import (
    answer_by_link,
    answer_by_prompt,
    answer_by_result,
    answer_by_upload,
)
from forum.threads.actions.growing import recount
from forum.threads.actions.leaving import leave_threads
from forum.threads.actions.moving import Move, move_thread, places_for, weigh
from forum.threads.actions.posting import open_thread
from forum.threads.actions.reading import read, take_back
from forum.threads.actions.refusals import KeyReused, NotAllowed, TooMany
from forum.threads.actions.stopping import stop, try_again
from forum.threads.actions.taking_in import take_in, take_in_failure
from forum.threads.actions.withdrawing import forget_words

__all__ = [
    "KeyReused", "Move", "NotAllowed", "TooMany", "answer_by_link", "answer_by_prompt", "answer_by_result",
    "answer_by_upload", "forget_words",
    "leave_threads", "move_thread", "open_thread", "places_for", "read", "recount", "stop", "take_back", "take_in",
    "take_in_failure", "try_again", "weigh",
]  # fmt: skip
