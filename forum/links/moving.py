"""What this room does when a thread is moved: links part with the audience, and kin is sought anew."""

import numpy as np
from django.db.models import Q

from forum.boards.models import Visibility
from forum.images.models import Image
from forum.links.actions import candidates, join, record_duplicates
from forum.links.lineage import related_threads
from forum.links.models import WF1, Duplicate, EmbeddingWf1, LinkState, Neighbours, SimilarityLink
from forum.threads import events
from forum.threads.models import Thread
from generation import queue

#: The task that seeks kin, so that a long thread keeps nobody waiting.
SEEK = "forum.seek_kin"


def part(thread: Thread) -> None:
    """Links with images that others see go at once, rejected ones excepted; kin is sought soon.

    The vectors follow by a trigger.
    """
    own = Image.objects.filter(thread=thread).values("pk")
    for end, other in (("lower", "higher"), ("higher", "lower")):
        apart = ~Q(**{f"{other}__board": thread.board_id})
        if thread.board.visibility != Visibility.PRIVATE:
            apart &= ~Q(**{f"{other}__board__visibility": thread.board.visibility})
        strange = Q(**{f"{end}__in": own}) & apart
        SimilarityLink.objects.filter(strange).exclude(state=LinkState.REJECTED).delete()
        Duplicate.objects.filter(strange).delete()
    Neighbours.objects.filter(image__in=own).delete()
    queue.post(SEEK, queue=queue.LIGHT, thread=thread.pk)


def seek_kin(thread: int) -> int:
    """Link the images of a thread to their kin where it stands now. May run twice. How many links."""
    images = Image.objects.filter(thread=thread, state="ready").exclude(
        pdq_quality=0, pdq__isnull=False
    )
    vectors = EmbeddingWf1.objects.filter(image__in=images.values("pk")).in_bulk()
    found = 0
    for image in images.select_related("board").order_by("pk"):
        if (row := vectors.get(image.pk)) is None:
            continue
        vector = np.asarray(row.vector, np.float32)
        apart = [image.thread_id, *related_threads(image)]
        near = candidates(image, vector, apart, record_duplicates(image, apart))
        Neighbours.store([Neighbours(image=image, model=WF1).fill(near)])
        found += len(join(image, vector, near))
    return found


events.on_moved.append(part)
