"""manage.py relink: every image's neighbours and links anew."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from forum.links.models import EmbeddingWf1
from forum.links.nearest import make_index
from forum.links.relinking import relink


class Command(BaseCommand):
    help = "Compares all images anew and repairs their similarity links. Runs nightly by itself."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--index",
            action="store_true",
            help="build the vector index whatever the number of images, and do nothing else",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["index"]:
            self.index()
            return
        done = relink()
        self.stdout.write(
            f"{done.images} images compared, {done.made} links made, {done.retired} retired"
            + (", vector index built" if done.indexed else "")
        )

    def index(self) -> None:
        try:
            built = make_index(EmbeddingWf1.TABLE)
        except RuntimeError as error:
            raise CommandError(str(error)) from error
        self.stdout.write("vector index built" if built else "the vector index is there already")
