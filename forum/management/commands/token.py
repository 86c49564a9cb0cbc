"""Print a new API token: `manage.py token USERNAME [--name NAME]`."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from forum.members import tokens
from forum.members.models import Member


class Command(BaseCommand):
    help = "Make an API token for a member and print it, once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line", help="what it is for, 60 characters")

    def handle(self, *args: Any, **options: Any) -> None:
        username, name = options["username"], options["name"].strip()
        if not 0 < len(name) <= 60:
            raise CommandError("--name takes 1 to 60 characters.", returncode=2)
        member = Member.objects.filter(username__iexact=username, is_active=True).first()
        if member is None:
            raise CommandError(f"There is no member called {username!r}.", returncode=2)
        try:
            _, secret = tokens.make(member=member, name=name)
        except tokens.TooManyTokens:
            raise CommandError(
                f"{username} has {tokens.MOST} tokens already; delete one on the settings page.",
                returncode=2,
            ) from None
        self.stdout.write(secret)
