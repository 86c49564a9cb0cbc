"""Begin with a conversation: boards, members, threads and replies really made by the worker."""

import importlib.util
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from forum.boards.models import Board, Membership
from forum.images import ingest
from forum.images.models import Image, Origin
from forum.members.models import Member, Role
from forum.threads import actions
from forum.threads.languages import guess
from forum.threads.models import Reply
from generation import queue

STORY = Path(__file__).resolve().parent.parent / "demo.toml"


def pictures() -> Path:
    """The folder of photographs that scikit-image carries, found without importing it."""
    found = importlib.util.find_spec("skimage")
    if found is None or found.origin is None:
        raise CommandError(
            "The demo's photographs come with scikit-image, which is not here."
            " Run: pip install --no-deps scikit-image"
        )
    return Path(found.origin).parent / "data"


class Command(BaseCommand):
    help = (
        "Fill an empty house with a living sample: boards, members, threads, real replies."
        " Run again after an interruption, it goes on where it stopped."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--patience", type=float, default=120.0, help="seconds to wait for each reply (120)"
        )

    def handle(self, *args: Any, patience: float, **options: Any) -> None:
        story = tomllib.loads(STORY.read_text())
        self.patience, self.folder = patience, pictures()
        self.wait_for_worker()
        self.members = {
            name: self.member(name, **words) for name, words in story["members"].items()
        }
        self.boards = {slug: self.board(slug, **words) for slug, words in story["boards"].items()}
        opened = [(self.thread(**words), words) for words in story["threads"]]
        level = [(image, each) for image, words in opened for each in said(words)]
        while level:
            level = list(self.answer(level))
        self.stdout.write(f"{len(opened)} threads, {Reply.objects.count()} replies.")

    def wait_for_worker(self) -> None:
        """Nothing can be shown without one."""
        until = time.monotonic() + self.patience
        while not queue.workers():
            if time.monotonic() > until:
                raise CommandError("No worker answers. Start one with: manage.py worker")
            time.sleep(0.3)

    def member(self, username: str, name: str, language: str) -> Member:
        """A member of the story; nobody can sign in as one, because no password is set."""
        if (known := Member.objects.filter(username=username).first()) is not None:
            return known
        made = Member(username=username, name=name, language=language)
        made.set_unusable_password()
        made.save()
        return made

    def board(self, slug: str, members: list[str] | None = None, **words: str) -> Board:
        """A board of the story, with those who belong to it."""
        owner = Member.objects.filter(role=Role.OWNER).first()
        board, _ = Board.objects.get_or_create(slug=slug, defaults={"made_by": owner, **words})
        for name in members or []:
            Membership.objects.get_or_create(board=board, member=self.members[name])
        return board

    def thread(
        self, board: str, author: str, picture: str, title: str, alt: str, **_: Any
    ) -> Image:
        """A first image."""
        member = self.members[author]
        with (self.folder / picture).open("rb") as file:
            taken = ingest.ingest(file, member=member)
        self.stdout.write(f"“{title}”")
        thread = actions.open_thread(
            member=member,
            board=self.boards[board],
            ingested=taken,
            title=title,
            alt=alt,
            licence="public-domain",
            allow_derivatives=True,
            origin=Origin.HAND,
            language=guess(title),
            key=f"demo-{picture}",
        )
        return Image.objects.with_files().get(opens=thread)

    def answer(
        self, level: list[tuple[Image, dict[str, Any]]]
    ) -> Iterator[tuple[Image, dict[str, Any]]]:
        """Say one level of the tree, two at a time, and hand on what answers it."""
        for start in range(0, len(level), 2):
            pairs = level[start : start + 2]
            replies = [self.say(image, words) for image, words in pairs]
            for reply, (_, words) in zip(replies, pairs, strict=True):
                image = self.seen(reply)
                self.stdout.write(f"  “{reply.prompt}”")
                for reading in words.get("readings", []):
                    reader = self.members[reading["author"]]
                    actions.read(member=reader, image=image, text=reading["text"])
                yield from ((image, each) for each in said(words))

    def say(self, image: Image, words: dict[str, Any]) -> Reply:
        """One reply, sent to the studio."""
        return actions.answer_by_prompt(
            member=self.members[words["author"]],
            to=image,
            prompt=words["prompt"],
            seed=7,
            key=f"demo-{image.pk}-{words['author']}",
        )

    def seen(self, reply: Reply) -> Image:
        """What the reply became."""
        until = time.monotonic() + self.patience
        while time.monotonic() < until:
            reply.refresh_from_db()
            if reply.image is not None:
                return reply.image
            if not reply.is_forming:
                raise CommandError(f"“{reply.prompt}” did not come out: {reply.reason}.")
            time.sleep(0.1)
        raise CommandError(f"“{reply.prompt}” took more than {self.patience:.0f} s.")


def said(words: dict[str, Any]) -> list[dict[str, Any]]:
    """The replies below a thread or a reply of the story."""
    found: list[dict[str, Any]] = words.get("replies", [])
    return found
