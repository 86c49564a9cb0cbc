"""Run a worker: `manage.py worker`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation.worker import supervisor as worker


class Command(BaseCommand):
    help = "Make images and take results in, until Ctrl-C or SIGTERM."
    # The web checks itself; a worker loads no addresses and starts in half the time without them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--queues",
            default="light,edit,embed,film",
            help="what to take, comma-separated: light, embed, film, edit, or edit:PRESET",
        )
        parser.add_argument("--name", default="", help="shown to operators; default: host and pid")
        parser.add_argument(
            "--hosts", type=int, default=0, help="images made at once; default: FORUM_STUDIO_HOSTS"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            roles = [role.strip() for role in options["queues"].split(",") if role.strip()]
            queues = worker.queues_for(roles or ["light"])
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        worker.run(queues, options["name"], options["hosts"])
