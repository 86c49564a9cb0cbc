"""Make the database role of a studio: `manage.py studio_role NAME [--drop]`."""

from argparse import ArgumentParser
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from generation.jobs import roles


class Command(BaseCommand):
    help = (
        "Make a role that takes jobs and returns them, and nothing else; print its address, once."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="small letters, digits and underscores")
        parser.add_argument("--drop", action="store_true", help="end the role and its connections")
        parser.add_argument("--host", default="", help="host:port as the studio's machine sees it")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["name"]
        try:
            if options["drop"]:
                roles.drop(name)
                self.stdout.write(f"{name} is gone.")
                return
            password = roles.create(name)
        except roles.RoleRefused as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        self.stdout.write(address(name, password, options["host"]))
        self.stderr.write(
            "Give this to the studio as STUDIO_DATABASE_URL. It is not shown again; ask again for a"
            " new one, and after each upgrade."
        )


def address(name: str, password: str, host: str) -> str:
    """DATABASE_URL with another name and password, and another host where one is given."""
    parts = urlsplit(settings.DATABASE_URL)
    where = host or parts.netloc.rpartition("@")[2]
    database = settings.DATABASES["default"]["NAME"]
    query = "" if host else parts.query
    return parts._replace(
        netloc=f"{quote(name)}:{quote(password)}@{where}", path=f"/{database}", query=query
    ).geturl()
