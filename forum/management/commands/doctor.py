"""Look at every part and say what is wrong: `manage.py doctor`."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from forum.running import doctor


class Command(BaseCommand):
    help = "One line for each part: OK, or what is wrong and what to do. Exit code 1 if any is."
    requires_system_checks: list[str] = []  # they are one of the parts

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for monitoring")

    def handle(self, *args: Any, **options: Any) -> None:
        found = doctor.examine()
        if options["json"]:
            self.stdout.write(json.dumps([finding.as_json() for finding in found], indent=2))
        else:
            self.stdout.write("\n".join(str(finding) for finding in found))
        if not all(finding.well for finding in found):
            sys.exit(1)
