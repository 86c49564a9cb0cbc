"""What a studio needs before it begins, and what it will serve. Nothing is taken before all is well."""

import uuid
from collections.abc import Iterator

import psycopg
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from procrastinate.contrib.django import app

from generation.engines.sources import lacking
from generation.jobs import roles
from generation.prompts import planning


class CannotServe(Exception):
    """This machine cannot be a studio of this house; one sentence says why and what to do."""


def refuse_what_is_not_reached() -> None:
    """Raises `CannotServe` unless the database lets us take jobs and the storage is the house's."""
    roles.quietly()
    try:
        # Not through the pool, which would say only that it got no connection.
        psycopg.connect(settings.DATABASE_URL, connect_timeout=10).close()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM generation_job LIMIT 1")
            cursor.execute("SELECT 1 FROM procrastinate_jobs LIMIT 1")
    except (DatabaseError, psycopg.Error) as error:
        raise CannotServe(database_trouble(error)) from None
    refuse_foreign_storage()


def database_trouble(error: BaseException) -> str:
    """Why the database does not let us in."""
    cause = error.__cause__ or error
    if isinstance(cause, psycopg.errors.InsufficientPrivilege):
        return "This database role may not take jobs: make one with manage.py studio_role NAME."
    if isinstance(cause, psycopg.errors.UndefinedTable):
        return "The database has no tables yet: run manage.py migrate where the forum runs."
    said = roles.first_line(cause)
    return f"The database does not let us in: {said}. Check STUDIO_DATABASE_URL."


def refuse_foreign_storage() -> None:
    """Raises `CannotServe` unless we can write to the storage and find the house's files there."""
    name = f"incoming/studio-{uuid.uuid4().hex}"
    try:
        written = default_storage.save(name, ContentFile(b"studio"))
        with default_storage.open(written) as stored:
            back = stored.read()
        default_storage.delete(written)
        if back != b"studio":
            raise CannotServe("The storage gives back other bytes than were written.")
        known = files_of_the_house()
        here = not known or any(map(default_storage.exists, known))
    except CannotServe:
        raise
    except Exception as error:  # every storage has exceptions of its own
        raise CannotServe(
            f"The storage cannot be written to and read: {type(error).__name__}."
            " Check FORUM_S3_* or FORUM_DATA_DIR."
        ) from None
    if not here:
        raise CannotServe(
            "This storage is not the forum's: no file of the newest jobs is in it."
            " Share FORUM_DATA_DIR/media, or set the same FORUM_S3_BUCKET."
        )


def files_of_the_house() -> list[str]:
    """Names of files that were there lately: sources of the newest jobs, and results."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM generation_stored_lately()")
        return [row[0] for row in cursor.fetchall() if row[0]]


def served(queues: list[str]) -> Iterator[str]:
    """One line for each preset: served, or why not."""
    for name, preset in planning.presets().items():
        missing = lacking(preset)
        if f"edit:{name}" in queues:
            yield f"serves {name} ({preset.engine}, {preset.licence})"
        elif missing:
            yield f"not {name}: {missing}"
    for queue in queues:
        if not queue.startswith("edit:"):
            yield f"serves {queue}"


def keep_own_periodic_tasks(queues: set[str]) -> None:
    """Leave the house's periodic tasks to the house: this role may not post them."""
    app.perform_import_paths()  # type: ignore[no-untyped-call]
    kept = app.periodic_registry.periodic_tasks
    for key in [key for key, each in kept.items() if each.task.queue not in queues]:
        del kept[key]
