"""Run a studio on any machine that reaches the database and the storage: `manage.py studio`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from generation import presets
from generation.jobs import roles
from generation.jobs.posting import LIGHT
from generation.worker import serving
from generation.worker import supervisor as worker


class Command(BaseCommand):
    help = (
        "Make images, until Ctrl-C or SIGTERM. Connects by STUDIO_DATABASE_URL, whose role"
        " `manage.py studio_role` makes; needs no other access to the forum."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--queues",
            default="edit,embed,film",
            help="what to take, comma-separated: edit (all presets that can run here),"
            " edit:PRESET, embed, film",
        )
        parser.add_argument("--name", default="", help="shown to operators; default: host and pid")
        parser.add_argument(
            "--hosts", type=int, default=0, help="images made at once; default: FORUM_STUDIO_HOSTS"
        )
        parser.add_argument(
            "--check", action="store_true", help="say what would be served, and end"
        )
        parser.add_argument(
            "--create-role", metavar="NAME", help="the same as manage.py studio_role NAME"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["create_role"]:
            from django.core.management import call_command

            call_command("studio_role", options["create_role"])
            return
        queues = self.queues(options["queues"])
        try:
            serving.refuse_what_is_not_reached()
        except serving.CannotServe as refusal:
            raise CommandError(str(refusal), returncode=2) from None
        for line in serving.served(queues):
            self.stdout.write(line)
        if roles.may_do_more():
            self.stderr.write(
                "This database role may read the whole forum; a studio needs less:"
                " manage.py studio_role NAME."
            )
        if options["check"]:
            return
        serving.keep_own_periodic_tasks({*queues, worker.SWEEP})
        worker.run(queues, options["name"], options["hosts"])

    def queues(self, words: str) -> list[str]:
        """Queue names, none of them the house's own. Exit code 2 otherwise."""
        wanted = [role.strip() for role in words.split(",") if role.strip()]
        try:
            queues = worker.queues_for(wanted)
        except presets.PresetsBroken as broken:
            raise CommandError(str(broken), returncode=2) from None
        except ValueError as error:
            raise CommandError(str(error), returncode=2) from None
        if not queues or LIGHT in queues:
            raise CommandError(
                "A studio takes edit, embed and film; results are taken in by manage.py worker.",
                returncode=2,
            )
        return queues
