"""Verbs of the members room."""

import secrets
from datetime import timedelta

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from forum.announce import announce
from forum.members import events
from forum.members.allowances import Spent, give_back, purse, spend
from forum.members.models import Allowance, Invitation, Member, Role

__all__ = [
    "NotAllowed", "Spent", "change_role", "give_back", "invite", "leave", "make_owner", "purse",
    "redeem", "spend", "withdraw_invitation",
]  # fmt: skip


class NotAllowed(PermissionDenied):
    """This person may not do that."""


def make_owner(*, username: str, password: str) -> Member:
    """The owner of a new instance. Raises ValidationError for a name that cannot be."""
    member = Member(username=username, role=Role.OWNER)
    member.set_password(password)
    member.full_clean()
    member.save()
    return member


def change_role(*, member: Member, role: Role, by: Member) -> None:
    """Appoint a moderator or end the office. Only the owner may, and never for an owner."""
    if not by.is_owner or member.is_owner or role == Role.OWNER or member.left_at:
        raise NotAllowed
    Member.objects.filter(pk=member.pk).update(role=role)
    member.role = role
    announce("access", "member", id=member.pk)


# --- invitations ------------------------------------------------------------------------------


def invite(*, by: Member, note: str = "", uses: int = 1, days: int | None = 14) -> Invitation:
    """A new code of 80 random bits, for so many people and days; None never ends."""
    if not by.is_moderator:
        raise NotAllowed
    ends = None if days is None else timezone.now() + timedelta(days=days)
    code = secrets.token_hex(10)
    return Invitation.objects.create(
        code=code, made_by=by, note=note, uses_left=uses, expires_at=ends
    )


def redeem(*, code: str) -> bool:
    """Use an invitation once. False when it is unknown, used up or over.

    Counted in the same statement that checks, so the last use serves one person only.
    """
    return Invitation.usable().filter(code=code).update(uses_left=F("uses_left") - 1) == 1


def withdraw_invitation(*, invitation: Invitation, by: Member) -> None:
    """Nobody can use the code any more."""
    if not by.is_moderator:
        raise NotAllowed
    invitation.delete()


# --- leaving ----------------------------------------------------------------------------------


class LastOwner(Exception):
    """A house cannot be without an owner."""


@transaction.atomic
def leave(*, member: Member, keep_images: bool) -> None:
    """End an account. Images and words go with it, or stay under a pseudonym.

    What upper rooms hold of the member is theirs to remove (`events.on_leaving`); images on which
    other people's images stand become grey places. Raises LastOwner.
    """
    owners = Member.objects.select_for_update().filter(role=Role.OWNER, is_active=True)
    if member.is_owner and not owners.exclude(pk=member.pk).exists():
        raise LastOwner
    for leaving in events.on_leaving:
        leaving(member, keep_images)
    Allowance.objects.filter(who=purse(member)).delete()
    announce("access", "member", id=member.pk)
    if keep_images:
        become_pseudonym(member)
    else:
        member.delete()


def become_pseudonym(member: Member) -> None:
    """Forget the person; a name that says nothing stays beside the images."""
    member.tokens.all().delete()
    member.invitations.all().delete()
    member.idempotency_keys.all().delete()
    member.boards.clear()
    member.username = f"left-{secrets.token_hex(4)}"
    member.name = member.about = member.email = member.language = member.theme = ""
    member.role, member.is_active = Role.MEMBER, False
    member.last_login, member.left_at = None, timezone.now()
    member.set_unusable_password()
    member.save()
