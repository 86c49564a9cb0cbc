"""What upper rooms do when a person leaves. They register; this room imports none of them."""

from collections.abc import Callable

from forum.members.models import Member

#: Called inside the transaction in which `member` leaves, before the row goes or is renamed.
#: The second argument says whether images and words stay under a pseudonym.
Leaving = Callable[[Member, bool], None]

on_leaving: list[Leaving] = []
