"""Fill an empty forum from a backup: `manage.py restore FOLDER`."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from forum.running.backup import bring_back
from forum.running.embedded import answering
from forum.running.trouble import Trouble


class Command(BaseCommand):
    help = (
        "Fill an empty database and media folder from the backup in FOLDER, the forum being down."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        media = None if settings.FORUM_S3_BUCKET else Path(settings.MEDIA_ROOT)
        try:
            with answering(Path(settings.FORUM_DATA_DIR), alone=True) as url:
                copied = bring_back(options["folder"].absolute(), url, media)
        except (Trouble, OSError) as trouble:
            self.stderr.write(str(trouble))
            sys.exit(2)
        self.stdout.write(f"Database and {copied} files are back. `manage.py audit` checks them.")
