"""Copy database and files into a folder, while the forum runs: `manage.py backup FOLDER`."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from forum.running.backup import back_up
from forum.running.embedded import answering
from forum.running.trouble import Trouble


class Command(BaseCommand):
    help = "Back up database and files into FOLDER; an earlier backup there is brought up to date."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        media = None if settings.FORUM_S3_BUCKET else Path(settings.MEDIA_ROOT)
        try:
            with answering(Path(settings.FORUM_DATA_DIR)) as url:
                copied = back_up(url, media, options["folder"].absolute())
        except (Trouble, OSError) as trouble:
            self.stderr.write(str(trouble))
            sys.exit(2)
        self.stdout.write(f"Database and {copied} new files are in {options['folder']}.")
