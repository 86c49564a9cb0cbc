"""What upper rooms do when a thread is moved. They register; this room imports none of them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from forum.threads.models import Thread

#: Called inside the transaction in which a thread and its images went to another board.
on_moved: list[Callable[["Thread"], None]] = []
