"""Opening a thread with its first image."""

from typing import Unpack

from django.db import transaction

from forum.announce import announce
from forum.boards.models import Board
from forum.images import actions as images
from forum.images.ingest import Ingested
from forum.images.models import Image
from forum.members.models import Member
from forum.threads.actions.gates import at_the_desk, not_too_many_kept, open_board, pay
from forum.threads.actions.growing import STREAM
from forum.threads.actions.refusals import KeyReused
from forum.threads.actions.uploading import UNSAID, Words, settled
from forum.threads.models import Thread
from generation import queue
from generation.requests import EmbedRequest

#: Where the studio posts an original's vector to.
EMBEDDING_TO = "forum.receive_embedding"


def open_thread(
    *, member: Member, board: Board, ingested: Ingested, **words: Unpack[Words]
) -> Thread:
    """Post a first image. The same key gives the same thread again.

    The files of `ingested` belong to the thread afterwards, or are gone. Raises NotAllowed, TooMany
    and, where the key was used for something else, KeyReused.
    """
    said: Words = {**UNSAID, **words}
    return settled(ingested, lambda: _open(member, board, ingested, said))


@transaction.atomic
def _open(member: Member, board: Board, ingested: Ingested, words: Words) -> tuple[Thread, bool]:
    member = at_the_desk(member)
    before = Image.objects.filter(author=member, key=words["key"]).select_related("thread").first()
    if before is not None:
        return same_thread(before, board, ingested), False
    board = open_board(member, board)
    not_too_many_kept(member)
    pay(member, "upload")
    thread = Thread.objects.create(board=board, title=words["title"])
    image = images.add_original(
        ingested=ingested, thread=thread, board=board, author=member, **words
    )
    thread.first_image = image
    thread.image_count = thread.voice_count = 1
    thread.save(update_fields=["first_image", "image_count", "voice_count"])
    look_at(image, thread)
    announce(STREAM, "thread", id=thread.pk)
    return thread, True


def same_thread(image: Image, board: Board, ingested: Ingested) -> Thread:
    """The thread that this request opened already. Raises KeyReused if it asked for another one."""
    thread: Thread = image.thread
    opened = thread.first_image_id == image.pk
    if not opened or image.sha256 != ingested.sha256 or image.board_id != board.pk:
        raise KeyReused(image.key)
    return thread


def look_at(image: Image, thread: Thread) -> int:
    """Ask the studio for the vector and hash of an original. Its job."""
    request = EmbedRequest(source=image.source_ref())
    return queue.submit(request, return_to=EMBEDDING_TO, topic=thread.topic, asker=image.author_id)
