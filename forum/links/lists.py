"""Changing many neighbour lists at once, inside PostgreSQL.

A new image touches up to sixty lists; carrying their arrays to and fro took most of the time.
"""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from forum.images.models import Image
from forum.links.models import Neighbours, SimilarityLink

_LOCK = """
SELECT id FROM forum_neighbours WHERE model = %(model)s AND image_id = ANY(%(owners)s)
ORDER BY image_id FOR UPDATE
"""
_ENTER = """
UPDATE forum_neighbours list
SET ids = fresh.ids, threads = fresh.threads, cosines = fresh.cosines
FROM (
    SELECT old.id AS old_id, made.*
    FROM unnest(%(owners)s::bigint[], %(cosines)s::float8[]) AS entry(owner, cosine)
    JOIN forum_neighbours old ON old.image_id = entry.owner AND old.model = %(model)s
    CROSS JOIN LATERAL (
        SELECT array_agg(id ORDER BY place) AS ids, array_agg(thread ORDER BY place) AS threads,
            array_agg(cosine ORDER BY place) AS cosines
        FROM (
            SELECT *, row_number() OVER (ORDER BY cosine DESC, id) AS place
            FROM (
                SELECT DISTINCT ON (thread) * FROM (
                    SELECT * FROM unnest(old.ids, old.threads, old.cosines)
                        AS kept(id, thread, cosine) WHERE id <> %(image)s
                    UNION ALL SELECT %(image)s, %(thread)s, entry.cosine
                ) every ORDER BY thread, cosine DESC, id
            ) one_per_thread
        ) ranked WHERE place <= %(most)s
    ) made
    WHERE cardinality(old.ids) < %(most)s OR entry.cosine > old.cosines[%(most)s]
) fresh
WHERE list.id = fresh.old_id
RETURNING list.image_id, list.ids[1:%(within)s]
"""
_RETIRE = """
DELETE FROM forum_similaritylink WHERE state IN ('faint', 'strong') AND id IN (
    SELECT link.id FROM forum_neighbours list
    JOIN forum_similaritylink link ON link.lower_id = list.image_id AND link.model = list.model
    JOIN forum_image other ON other.id = link.higher_id
    WHERE list.model = %(model)s AND list.image_id = ANY(%(owners)s)
        AND other.thread_id <> ALL(list.threads[1:%(beyond)s])
    UNION ALL
    SELECT link.id FROM forum_neighbours list
    JOIN forum_similaritylink link ON link.higher_id = list.image_id AND link.model = list.model
    JOIN forum_image other ON other.id = link.lower_id
    WHERE list.model = %(model)s AND list.image_id = ANY(%(owners)s)
        AND other.thread_id <> ALL(list.threads[1:%(beyond)s])
)
"""


def enter(image: Image, cosines: Mapping[int, float], *, model: str) -> dict[int, list[int]]:
    """Put an image into the lists of its neighbours; of each that changed, its first ids.

    A list keeps the best image of a thread and its sixty best. `cosines` are by neighbour. Call it
    inside a transaction: the lists stay locked, in the order of ids, so that two images taken in at
    once cannot wait for each other in a circle.
    """
    values: dict[str, Any] = {
        "image": image.pk,
        "thread": image.thread_id,
        "model": model,
        "owners": list(cosines),
        "cosines": list(cosines.values()),
        "most": Neighbours.MOST,
        "within": SimilarityLink.CREATE_WITHIN,
    }
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, values)
        cursor.execute(_ENTER, values)
        return dict(cursor.fetchall())


def retire(owners: list[int], *, model: str) -> int:
    """Remove links whose other thread fell too far in these lists, unless people decided; how many."""
    values: dict[str, Any] = {
        "model": model,
        "owners": owners,
        "beyond": SimilarityLink.RETIRE_BEYOND,
    }
    with connection.cursor() as cursor:
        cursor.execute(_RETIRE, values)
        return int(cursor.rowcount)
