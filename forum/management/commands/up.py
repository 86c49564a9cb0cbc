"""Run the whole house: `manage.py up`."""

import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Start database, web and worker, and keep them running until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        # The supervisor needs no Django and should not keep it in memory: it takes our place.
        os.environ["FORUM_DATA_DIR"] = str(settings.FORUM_DATA_DIR)
        os.chdir(settings.BASE_DIR)
        os.execv(sys.executable, [sys.executable, "-m", "forum.running"])
