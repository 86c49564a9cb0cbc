"""Requests that a program may send again: each is done once and answered the same."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from forum.members.models import IdempotencyKey, Member

#: How long a key is remembered.
KEPT = timedelta(days=1)

#: Status, body and Location of an answer.
Answer = tuple[int, Any, str]


class Reused(Exception):
    """The key came with something else before."""


def once(*, member: Member, key: str, content: str, do: Callable[[], Answer]) -> Answer:
    """Do what was asked, or find what it was answered before. Raises Reused, and what `do` raises.

    The answer is kept in the transaction that does it: what failed was not done and may be tried
    again. The member's row is locked, so that a repetition waits for the first to end.
    """
    with transaction.atomic():
        Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        before = IdempotencyKey.objects.filter(member=member, key=key).first()
        if before is not None:
            if before.content != content:
                raise Reused(key)
            return before.status, before.answer, before.location
        status, body, location = do()
        IdempotencyKey.objects.create(
            member=member, key=key, content=content, status=status, answer=body, location=location
        )
        return status, body, location


def forget_old() -> int:
    """Remove keys that have been remembered for long enough. How many."""
    return IdempotencyKey.objects.filter(created_at__lt=Now() - KEPT).delete()[0]
