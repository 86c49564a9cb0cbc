"""What `_reply.html` shows of a reply: its row joined with where its job stands.

Pages, htmx answers and the socket share it. A card knows nothing of who looks.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import LiteralString

from django.db import connection
from django.db.models import Q, QuerySet
from django.utils.functional import Promise

from forum.boards.models import Board
from forum.images.models import File, FileRole, Image, deal
from forum.prepared import prepared
from forum.threads import sentences
from forum.threads.models import SHOWN, Reply, ReplyState
from forum.threads.placing import Placed
from generation import queue
from generation.queue import Standing

#: How many answers a page shows; the rest is behind "Earlier".
WINDOW = 24
#: States of a job in which its reply is being envisioned: at work, or done and about to be taken in.
AT_WORK = frozenset({"running", "done", "failed"})


#: Every page of an image asks this; as SQL, for compiling it takes longer than answering it.
_ANSWERS: LiteralString = """
SELECT to_id, count(*) FROM forum_reply WHERE to_id = ANY(%s) AND state = 'done' GROUP BY to_id
"""


@dataclass(frozen=True, slots=True)
class Card(Placed):
    """One reply as everybody in its thread may see it."""

    reply: Reply
    #: Which state people read, one of `ReplyState`.
    state: str
    standing: Standing | None = None
    #: How many answers the image has that it became.
    answers: int = 0

    @property
    def is_forming(self) -> bool:
        """Waiting or being envisioned."""
        return self.reply.is_forming

    @property
    def image(self) -> Image | None:
        """What it became."""
        return self.reply.image

    @property
    def shown(self) -> tuple[Hashable, ...]:
        """All that `_done.html` shows of it: equal tuples, equal markup."""
        reply, image = self.reply, self.reply.image
        assert image is not None  # a constraint of the table
        author, thumb = reply.author, image.file(FileRole.THUMB)
        name = None if author is None else (author.username, author.name, author.left_at)
        size = None if thumb is None else (thumb.width, thumb.height)
        said = image.recipe.get("prompt") if image.recipe else None
        about = (image.pk, image.state, image.kind, image.origin, image.title, image.alt)
        told = (reply.pk, reply.author_id, reply.kind, reply.prompt, reply.language)
        marks = (image.is_moving, image.not_for_money)
        return (*told, name, *about, image.language, said, size, *marks, self.answers)

    @property
    def sentence(self) -> Promise:
        """Why it did not come out, and what to do."""
        return sentences.sentence(self.reply.reason)

    @property
    def is_hopeless(self) -> bool:
        """Whether asking for the same again cannot help."""
        return sentences.is_hopeless(self.reply.reason)


def cards_for(replies: Iterable[Reply]) -> list[Card]:
    """A card for each reply, in order.

    One query for the jobs of all that are forming, and one for the answers of all that are done.
    Take the replies from `Reply.objects....for_card()`.
    """
    rows = list(replies)
    jobs = [row.job for row in rows if row.is_forming and row.job is not None]
    standings = queue.read(jobs) if jobs else {}
    images = {row.image_id for row in rows if row.image_id is not None}
    answers = answer_counts(images) if images else {}
    return [
        card(row, standings.get(row.job or 0), answers.get(row.image_id or 0, 0)) for row in rows
    ]


def answer_counts(images: Iterable[int]) -> dict[int, int]:
    """How many answers these images have, by id; those without any are left out.

    Grouped in one pass: a subquery for each row would be planned by averages, which one image with
    ten thousand answers spoils.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ANSWERS, [list(images)])
        return dict(cursor.fetchall())


def card(reply: Reply, standing: Standing | None, answers: int = 0) -> Card:
    """The card of a reply whose job stands there.

    The row says *waiting* until the result is taken in, see `actions/stopping.py`.
    """
    envisioning = reply.is_forming and standing is not None and standing.state in AT_WORK
    return Card(reply, ReplyState.RUNNING if envisioning else reply.state, standing, answers)


def answers_of(image: Image, *, before: str = "") -> tuple[list[Card], int | None]:
    """The newest answers of an image, and the reply from which "Earlier" goes on.

    Four queries at most, however many there are. Brings the files of the image too: its picture and
    those of its answers come together.
    """
    start = [int(before)] if before.isdecimal() and len(before) < 19 else []
    place = image.pk, image.board_id, image.thread_id
    window = _window(*place, *start, visibility=image.board.visibility)
    pictured = [image, *(row.image for row in window if row.image is not None)]
    spare = WINDOW + 2 - len(pictured)
    deal(_files(*(each.pk for each in pictured), *[image.pk] * spare), pictured)
    for row in window:
        row.to = image
    older = window[WINDOW - 1].pk if len(window) > WINDOW else None
    return cards_for(window[:WINDOW]), older


@prepared
def _window(
    to: int, board: int, thread: int, before: int | None = None, *, visibility: str
) -> QuerySet[Reply]:
    """A page of answers to an image, and one more if there is one."""
    image = Image(pk=to, thread_id=thread, board=Board(pk=board, visibility=visibility))
    rows = Reply.objects.answers_to(image).select_related("author", "image").only(*SHOWN)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return rows.order_by("-pk")[: WINDOW + 1]


@prepared
def _files(image: int, *others: int) -> QuerySet[File]:
    """All files of an image, and the thumbs of others."""
    shown = Q(image=image) | Q(role=FileRole.THUMB)
    return File.objects.filter(shown, image__in=(image, *others))
