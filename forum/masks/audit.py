"""What must hold of masks; `manage.py audit` prints what does not."""

from collections.abc import Iterator
from typing import LiteralString

from django.db import connection

from forum.images.audit import measured
from forum.masks.models import Mask

_CHECKS: tuple[tuple[str, LiteralString], ...] = (
    (
        "mask {0} waits for a reply since more than two days",
        """SELECT m.id FROM forum_mask m WHERE m.created_at < now() - interval '2 days'
        AND NOT EXISTS (SELECT 1 FROM forum_reply r WHERE r.mask_id = m.id)""",
    ),
    (
        "mask {0} was painted on image {1}, which was withdrawn",
        """SELECT m.id, i.id FROM forum_mask m JOIN forum_image i ON i.id = m.image_id
        WHERE i.state = 'withdrawn'""",
    ),
    (
        "reply {0} answers image {1} with mask {2}, which is for another image",
        """SELECT r.id, r.to_id, m.id FROM forum_reply r JOIN forum_mask m ON m.id = r.mask_id
        WHERE r.to_id <> m.image_id""",
    ),
)


def check() -> Iterator[str]:
    """One sentence for each thing that does not hold. Reads every mask once."""
    with connection.cursor() as cursor:
        for sentence, sql in _CHECKS:
            cursor.execute(sql)
            for row in cursor.fetchall():
                yield sentence.format(*row)
    for name, size, sha256 in Mask.objects.values_list("name", "bytes", "sha256").iterator():
        try:
            found = measured(name)
        except FileNotFoundError:
            yield f"mask {name} is missing"
            continue
        if found != (size, sha256):
            yield f"mask {name} is not what its row says: {found[0]} bytes instead of {size}"
