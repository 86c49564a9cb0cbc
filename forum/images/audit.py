"""What must hold between image rows, files and lineage; `manage.py audit` prints what does not."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import LiteralString

from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from forum.images import storing
from forum.images.lineage import rows_of
from forum.images.models import Descent, File

#: A file without a row younger than this belongs to an upload under way.
YOUNG = timedelta(hours=1)
#: The studio's results wait longer: an image may be taken in late after an outage.
RESULTS, RESULTS_YOUNG = "results", timedelta(days=1)
_PIECE = 1024 * 1024
#: Upper rooms that keep files of the studio's say here which of some names are theirs.
KEPT_ELSEWHERE: list[Callable[[Iterable[str]], set[str]]] = []

# Audiences: a private board is seen by its own members only, so another private board is wider too.
_CHECKS: tuple[tuple[str, LiteralString], ...] = (
    (
        "image {0} is {1} and lacks a file",
        """SELECT i.id, i.state FROM forum_image i
        LEFT JOIN forum_file f ON f.image_id = i.id AND f.role IN ('original', 'display', 'thumb')
        WHERE i.state <> 'withdrawn' GROUP BY i.id HAVING count(f.id) <> 3""",
    ),
    (
        "image {0} is withdrawn and still has file {1}",
        """SELECT i.id, f.name FROM forum_image i JOIN forum_file f ON f.image_id = i.id
        WHERE i.state = 'withdrawn'""",
    ),
    (
        "image {0} has another hash than its original file",
        """SELECT i.id FROM forum_image i
        JOIN forum_file f ON f.image_id = i.id AND f.role = 'original' AND f.sha256 <> i.sha256""",
    ),
    (
        "derivative {0} has no source",
        """SELECT i.id FROM forum_image i WHERE i.kind = 'derivative' AND i.generation > 0
        AND NOT EXISTS (SELECT 1 FROM forum_descent d WHERE d.child_id = i.id)""",
    ),
    (
        "original {0} has a source",
        """SELECT DISTINCT i.id FROM forum_image i JOIN forum_descent d ON d.child_id = i.id
        WHERE i.kind = 'original'""",
    ),
    (
        "image {0} says {1} steps from the original; its sources say {2}",
        """SELECT i.id, i.generation, min(s.generation) + 1 FROM forum_image i
        JOIN forum_descent d ON d.child_id = i.id JOIN forum_image s ON s.id = d.source_id
        GROUP BY i.id HAVING i.generation <> min(s.generation) + 1""",
    ),
    (
        "image {0} stands where more people see it than its source {1}",
        """SELECT i.id, s.id FROM forum_descent d
        JOIN forum_image i ON i.id = d.child_id JOIN forum_board b ON b.id = i.board_id
        JOIN forum_image s ON s.id = d.source_id JOIN forum_board c ON c.id = s.board_id
        WHERE b.id <> c.id AND (c.visibility = 'private'
            OR (c.visibility = 'members' AND b.visibility = 'public'))""",
    ),
)


def check() -> Iterator[str]:
    """One sentence for each thing that does not hold. Reads every file once."""
    yield from _rows()
    yield from _circles()
    yield from _files()
    yield from (f"file {name} belongs to no image" for name in orphans())


def _rows() -> Iterator[str]:
    with connection.cursor() as cursor:
        for sentence, sql in _CHECKS:
            cursor.execute(sql)
            for row in cursor.fetchall():
                yield sentence.format(*row)


def _circles() -> Iterator[str]:
    """Edges that do not lead from an older row to a newer one lie on a circle or behind one."""
    pairs = list(Descent.objects.values_list("source", "child"))
    rows = rows_of({pk for pair in pairs for pk in pair}, pairs)
    for source, child in pairs:
        if rows[source] >= rows[child]:
            yield f"lineage goes in a circle: image {child} descends from {source} and the reverse"


def _files() -> Iterator[str]:
    for name, size, sha256 in File.objects.values_list("name", "bytes", "sha256").iterator():
        try:
            found = measured(name)
        except FileNotFoundError:
            yield f"file {name} is missing"
            continue
        if found != (size, sha256):
            yield f"file {name} is not what its row says: {found[0]} bytes instead of {size}"


def measured(name: str) -> tuple[int, str]:
    """Length and hex SHA-256 of a stored file. Raises FileNotFoundError."""
    digest, length = hashlib.sha256(), 0
    with default_storage.open(name) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
            length += len(piece)
    return length, digest.hexdigest()


def orphans() -> Iterator[str]:
    """Names of stored files that are old enough to have a row and have none."""
    for folder, young in ((storing.FOLDER, YOUNG), (RESULTS, RESULTS_YOUNG)):
        names = [name for name in _stored(folder) if _is_older(name, young)]
        known = set(File.objects.filter(name__in=names).values_list("name", flat=True))
        known = known.union(*(kept(names) for kept in KEPT_ELSEWHERE))
        yield from (name for name in names if name not in known)


def sweep_orphans() -> int:
    """Remove orphan files and what a killed upload left aside. How many files went."""
    swept = 0
    for name in list(orphans()):
        default_storage.delete(name)
        swept += 1
    return swept + storing.clear_aside(YOUNG)


def _stored(folder: str) -> Iterator[str]:
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return
    yield from (f"{folder}/{name}" for name in files)
    for inner in folders:
        yield from _stored(f"{folder}/{inner}")


def _is_older(name: str, age: timedelta) -> bool:
    try:
        return default_storage.get_modified_time(name) < timezone.now() - age
    except FileNotFoundError:  # gone meanwhile
        return False
