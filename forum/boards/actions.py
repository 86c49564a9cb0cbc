"""Verbs of the boards room. Whoever loses sight of a board loses its sockets too: topic "access"."""

from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.utils import timezone

from forum.announce import announce
from forum.boards.models import Board, Membership, Office
from forum.members.models import Member, Role

#: What the makers of a board may set, and change later.
FIELDS = frozenset(
    {"slug", "title", "description", "visibility", "licence", "preset", "take_turns"}
)


class NotAllowed(PermissionDenied):
    """This person may not do that."""


class SlugTaken(Exception):
    """Another board, perhaps one that cannot be seen, has this address."""


def may_create(member: Member | None) -> bool:
    """Whether this person may make boards (FORUM_BOARD_MAKERS)."""
    if member is None or not member.is_active:
        return False
    return member.is_moderator or bool(settings.FORUM_BOARD_MAKERS == "members")


@transaction.atomic
def create(*, by: Member, **fields: Any) -> Board:
    """A new board, whose maker moderates it.

    `fields` are some of `FIELDS`. Raises NotAllowed, SlugTaken, and ValidationError for values
    that cannot be.
    """
    if not may_create(by):
        raise NotAllowed
    board = Board(made_by=by, **turned(None, picked(fields)))
    board.full_clean(validate_unique=False, validate_constraints=False)
    save(board)
    Membership.objects.create(board=board, member=by, role=Membership.Role.MODERATOR)
    return board


@transaction.atomic
def change(*, board: Board, by: Member, **fields: Any) -> Board:
    """The board with some of `FIELDS` set anew. Raises as `create` does."""
    authorise(board, by)
    board = Board.objects.select_for_update().get(pk=board.pk)
    before = board.visibility
    for name, value in turned(board, picked(fields)).items():
        setattr(board, name, value)
    board.full_clean(validate_unique=False, validate_constraints=False)
    save(board)
    if board.visibility != before:
        tell(board)
    return board


@transaction.atomic
def archive(*, board: Board, by: Member) -> None:
    """Nothing new is said here from now on; all of it can still be read."""
    authorise(board, by)
    if not board.is_archived:
        board.archived_at = timezone.now()
        board.save(update_fields=["archived_at"])
        tell(board)


@transaction.atomic
def reopen(*, board: Board, by: Member) -> None:
    """Take an archived board up again."""
    authorise(board, by)
    board.archived_at = None
    board.save(update_fields=["archived_at"])
    tell(board)


@transaction.atomic
def add_member(
    *, board: Board, member: Member, by: Member, role: str = Membership.Role.MEMBER
) -> Membership:
    """Let somebody in, or change the office of somebody who is in."""
    authorise(board, by)
    kept, _ = Membership.objects.update_or_create(
        board=board, member=member, defaults={"role": Membership.Role(role)}
    )
    tell(board)
    return kept


@transaction.atomic
def remove_member(*, board: Board, member: Member, by: Member) -> None:
    """Somebody no longer belongs. Everybody may go by themselves."""
    if member.pk != by.pk:
        authorise(board, by)
    Membership.objects.filter(board=board, member=member).delete()
    tell(board)


def office_of(by: Member, board: Board) -> Office | None:
    """In whose name this person may decide on a board; None where they may not."""
    if not by.is_active:
        return None
    if by.is_moderator:
        return Office.HOUSE
    return Office.BOARD if Board.objects.editable_by(by).filter(pk=board.pk).exists() else None


def moderators_of(board: Board | None) -> list[Member]:
    """Whom to ask about a board: its own moderators, else, or without a board, those of the house."""
    office = Membership.Role.MODERATOR
    own = Member.objects.filter(memberships__board=board, memberships__role=office, is_active=True)
    house = Member.objects.filter(role__in=[Role.MODERATOR, Role.OWNER], is_active=True)
    return (board and list(own.order_by("username"))) or list(house.order_by("username"))


def authorise(board: Board, by: Member) -> None:
    """Raise NotAllowed unless `by` may change the board."""
    if not Board.objects.editable_by(by).filter(pk=board.pk).exists():
        raise NotAllowed


def picked(fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, none of which may be a stranger. Raises TypeError."""
    if strange := fields.keys() - FIELDS:
        raise TypeError(f"A board has no {', '.join(sorted(strange))}.")
    return fields


def turned(board: Board | None, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields, with `take_turns` as the time since when; one that runs goes on."""
    words = dict(fields)
    if "take_turns" in words:
        since = board.turns_since if board is not None else None
        words["turns_since"] = (since or timezone.now()) if words.pop("take_turns") else None
    return words


def save(board: Board) -> None:
    """Save, with the database as the judge of a taken address. Raises SlugTaken."""
    try:
        with transaction.atomic():
            board.save()
    except IntegrityError:
        raise SlugTaken(board.slug) from None


def tell(board: Board) -> None:
    """Those who look at something of this board are asked again whether they may."""
    announce("access", "board", id=board.pk)
