"""What must hold between images, embeddings and links; `manage.py audit` prints what does not."""

from collections.abc import Iterator
from typing import LiteralString

from django.db import connection

_CHECKS: tuple[tuple[str, LiteralString], ...] = (
    (
        "image {0} is ready and has no embedding",
        """SELECT image.id FROM forum_image image
        LEFT JOIN forum_embeddingwf1 e ON e.image_id = image.id
        WHERE image.state = 'ready' AND e.image_id IS NULL""",
    ),
    (
        "the embedding of image {0} differs from the image in thread, board or visibility",
        """SELECT image.id FROM forum_image image
        JOIN forum_embeddingwf1 e ON e.image_id = image.id
        WHERE (e.thread_id, e.board_id, e.hidden)
            IS DISTINCT FROM (image.thread_id, image.board_id, image.state <> 'ready')""",
    ),
    (
        "similarity link {0} joins {1} and {2} in the wrong order",
        "SELECT id, lower_id, higher_id FROM forum_similaritylink WHERE lower_id >= higher_id",
    ),
    (
        "similarity link {0} joins images {1} and {2} of one thread",
        """SELECT link.id, a.id, b.id FROM forum_similaritylink link
        JOIN forum_image a ON a.id = lower_id JOIN forum_image b ON b.id = higher_id
        WHERE a.thread_id = b.thread_id""",
    ),
    (
        "similarity link {0} joins images {1} and {2} of different audiences",
        """SELECT link.id, a.id, b.id FROM forum_similaritylink link
        JOIN forum_image a ON a.id = lower_id JOIN forum_image b ON b.id = higher_id
        JOIN forum_board p ON p.id = a.board_id JOIN forum_board q ON q.id = b.board_id
        WHERE p.id <> q.id AND (p.visibility <> q.visibility OR p.visibility = 'private')
            AND link.state <> 'rejected'""",
    ),
    (
        "duplicate {0} joins images {1} and {2} of different audiences",
        """SELECT pair.id, a.id, b.id FROM forum_duplicate pair
        JOIN forum_image a ON a.id = lower_id JOIN forum_image b ON b.id = higher_id
        JOIN forum_board p ON p.id = a.board_id JOIN forum_board q ON q.id = b.board_id
        WHERE p.id <> q.id AND (p.visibility <> q.visibility OR p.visibility = 'private')""",
    ),
    (
        "the neighbours of image {0} are not arrays of one length",
        """SELECT image_id FROM forum_neighbours WHERE cardinality(ids) <> cardinality(cosines)
        OR cardinality(ids) <> cardinality(threads)""",
    ),
)


def check() -> Iterator[str]:
    """One sentence for each thing that does not hold."""
    with connection.cursor() as cursor:
        for sentence, sql in _CHECKS:
            cursor.execute(sql)
            for row in cursor.fetchall():
                yield sentence.format(*row)
