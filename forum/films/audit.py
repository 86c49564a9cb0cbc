"""What must hold between films, their files and the images in them; `manage.py audit` prints what does not."""

from collections.abc import Iterator
from typing import LiteralString

from django.core.files.storage import default_storage
from django.db import connection

from forum.films.models import Film, FilmState

_CHECKS: tuple[tuple[str, LiteralString], ...] = (
    (
        "film {0} shows image {1}, which is {2}",
        """SELECT shown.film_id, image.id, image.state FROM forum_film_shown shown
        JOIN forum_image image ON image.id = shown.image_id WHERE image.state <> 'ready'""",
    ),
    (
        "film {0} waits since its job {1} ended",
        """SELECT film.id, film.job FROM forum_film film
        LEFT JOIN generation_job job ON job.id = film.job
        WHERE film.state = 'waiting' AND (job.id IS NULL
            OR job.ended_at < now() - interval '2 minutes')""",
    ),
)


def check() -> Iterator[str]:
    """One sentence for each thing that does not hold."""
    with connection.cursor() as cursor:
        for sentence, sql in _CHECKS:
            cursor.execute(sql)
            for row in cursor.fetchall():
                yield sentence.format(*row)
    for pk, name in Film.objects.filter(state=FilmState.DONE).values_list("pk", "name"):
        if not default_storage.exists(name):
            yield f"film {pk} is done and its file {name} is missing"
