"""Make the owner of a new instance and show the password, once: `manage.py owner`."""

import os
import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from forum.members.models import Member, Role


class Command(BaseCommand):
    help = (
        "Create the owner (FORUM_OWNER, default 'owner') unless there is one; print the password."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        name = os.environ.get("FORUM_OWNER") or "owner"
        with transaction.atomic():
            if (owner := Member.objects.filter(role=Role.OWNER).first()) is not None:
                self.stdout.write(
                    f"{owner.username} is the owner. "
                    f"`manage.py changepassword {owner.username}` sets a new password."
                )
                return
            password = secrets.token_urlsafe(12)
            self.create(name, password)
        self.stdout.write(box(f"user name   {name}", f"password    {password}"))

    def create(self, name: str, password: str) -> None:
        """Raises CommandError, in one line, for a name that cannot be."""
        member = Member(username=name, role=Role.OWNER)
        member.set_password(password)
        try:
            member.full_clean()
        except ValidationError as error:
            raise CommandError(
                f"FORUM_OWNER {name!r}: {' '.join(error.messages)}", returncode=2
            ) from None
        member.save()


def box(*lines: str) -> str:
    """Credentials in a frame that nobody overlooks in a log."""
    title = "The owner of this forum. Shown this once: write it down."
    width = max(len(line) for line in (title, *lines))
    rows = [f"│ {line:<{width}} │" for line in (title, "", *lines)]
    return "\n".join([f"┌{'─' * (width + 2)}┐", *rows, f"└{'─' * (width + 2)}┘"])
