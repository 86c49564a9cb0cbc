"""Which threads share lineage: their images descend from one another, which is no resonance."""

from typing import LiteralString

from django.db import connection

from forum.images.models import Image

#: Pairs of threads that one step joins: an image made from another thread's, or a reply that points
#: there. One step only: with replies that have two sources, nearly all threads are joined in the end.
_DESCENTS: LiteralString = """
    SELECT child.thread_id, source.thread_id
    FROM forum_descent
    JOIN forum_image child ON child.id = child_id
    JOIN forum_image source ON source.id = source_id
    WHERE child.thread_id <> source.thread_id
"""
_POINTERS: LiteralString = """
    SELECT reply.thread_id, shown.thread_id
    FROM forum_reply reply JOIN forum_image shown ON shown.id = reply.image_id
    WHERE reply.thread_id <> shown.thread_id
"""
#: One condition an arm, so that each can start from the index of the thread.
_OF_THREAD = f"""
    {_DESCENTS} AND child.thread_id = %(thread)s UNION {_DESCENTS} AND source.thread_id = %(thread)s
    UNION {_POINTERS} AND reply.thread_id = %(thread)s
    UNION {_POINTERS} AND shown.thread_id = %(thread)s
"""
_ANCESTRY = """
    WITH RECURSIVE up(id) AS (
        SELECT source_id FROM forum_descent WHERE child_id = %s
        UNION SELECT source_id FROM forum_descent JOIN up ON child_id = up.id
    )
    SELECT thread_id FROM up JOIN forum_image USING (id)
"""


def related_threads(image: Image) -> set[int]:
    """Other threads that share lineage with an image's thread, or with the image at any depth."""
    thread = image.thread_id
    with connection.cursor() as cursor:
        cursor.execute(_OF_THREAD, {"thread": thread})
        found = {each for pair in cursor.fetchall() for each in pair}
        cursor.execute(_ANCESTRY, [image.pk])
        found.update(row[0] for row in cursor.fetchall())
    return found - {thread}


def all_related() -> dict[int, set[int]]:
    """For every thread the others that one step joins to it."""
    related: dict[int, set[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(f"{_DESCENTS} UNION {_POINTERS}")
        for a, b in cursor.fetchall():
            related.setdefault(a, set()).add(b)
            related.setdefault(b, set()).add(a)
    return related
