"""Check that rows, files, jobs, counters and lineage agree: `manage.py audit`.

Every room that has something to check has a module `audit` with `check()`, which yields one sentence
for each thing that does not hold; the studio's stands behind its front door.
"""

import importlib
import importlib.util
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from typing import Any

from django.core.management.base import BaseCommand

from generation import queue

ROOMS = ("members", "boards", "images", "masks", "threads", "links", "reruns", "films")
Check = Callable[[], Iterable[str]]


def checks() -> dict[str, Check]:
    """Every check by the room it belongs to."""
    found: dict[str, Check] = {"generation": queue.audit}
    for room in ROOMS:
        if importlib.util.find_spec(f"forum.{room}.audit") is not None:
            found[room] = importlib.import_module(f"forum.{room}.audit").check
    return found


def findings() -> list[dict[str, str]]:
    """All that does not hold, as room and sentence."""
    return [
        {"room": room, "sentence": sentence}
        for room, check in checks().items()
        for sentence in check()
    ]


class Command(BaseCommand):
    help = "Say what does not agree among rows, files, jobs, counters and lineage."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--strict", action="store_true", help="exit code 1 if anything is found"
        )
        parser.add_argument("--json", action="store_true", help="a JSON list of room and sentence")

    def handle(self, *args: Any, **options: Any) -> None:
        found = findings()
        if options["json"]:
            self.stdout.write(json.dumps(found, ensure_ascii=False))
        else:
            for each in found:
                self.stdout.write(f"{each['room']}: {each['sentence']}")
            self.stdout.write(f"{len(found)} findings." if found else "Everything agrees.")
        if found and options["strict"]:
            sys.exit(1)
