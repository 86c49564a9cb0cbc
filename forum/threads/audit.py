"""What must hold between threads, replies and jobs; `manage.py audit` prints what does not."""

from collections.abc import Iterator
from typing import LiteralString

from django.db import connection

_VOICES: LiteralString = """(SELECT count(DISTINCT spoke.author_id) FROM (
    SELECT author_id FROM forum_image WHERE thread_id = t.id
    UNION SELECT author_id FROM forum_reply WHERE thread_id = t.id AND state = 'done') spoke)"""

_CHECKS: tuple[tuple[str, LiteralString], ...] = (
    (
        "thread {0} counts {1} images and has {2}",
        """SELECT * FROM (SELECT t.id, t.image_count, (SELECT count(*) FROM forum_image i
            WHERE i.thread_id = t.id) AS real FROM forum_thread t) c WHERE image_count <> real""",
    ),
    (
        "thread {0} counts {1} replies and has {2}",
        """SELECT * FROM (SELECT t.id, t.reply_count, (SELECT count(*) FROM forum_reply r
            WHERE r.thread_id = t.id AND r.state = 'done') AS real FROM forum_thread t) c
        WHERE reply_count <> real""",
    ),
    (
        "thread {0} counts {1} voices and has {2}",
        "SELECT * FROM (SELECT t.id, t.voice_count, " + _VOICES + " AS real FROM forum_thread t) c"
        " WHERE voice_count <> real",
    ),
    (
        "thread {0} has no first image",
        "SELECT id FROM forum_thread WHERE first_image_id IS NULL",
    ),
    (
        "reply {0} stands in another thread than the image it answers",
        """SELECT r.id FROM forum_reply r JOIN forum_image i ON i.id = r.to_id
        WHERE i.thread_id <> r.thread_id""",
    ),
    (
        "reply {0} is {1} and its job {2} is not there",
        """SELECT r.id, r.state, r.job FROM forum_reply r LEFT JOIN generation_job j ON j.id = r.job
        WHERE r.job IS NOT NULL AND j.id IS NULL""",
    ),
    (
        "reply {0} is {1} although its job was taken in as {2}",
        """SELECT r.id, r.state, j.state FROM forum_reply r JOIN generation_job j ON j.id = r.job
        WHERE r.state IN ('waiting', 'running')
          AND (j.taken_in_at IS NOT NULL OR j.state = 'cancelled')""",
    ),
    (
        "reply {0} is {1} although its job is still {2}",
        """SELECT r.id, r.state, j.state FROM forum_reply r JOIN generation_job j ON j.id = r.job
        WHERE r.state NOT IN ('waiting', 'running') AND j.state IN ('waiting', 'running')""",
    ),
    (
        "reply {0} did not come out and gives no reason",
        "SELECT id FROM forum_reply WHERE state = 'failed' AND reason = ''",
    ),
    (
        "image {0} was made for job {1}, whose reply names another image or none",
        """SELECT i.id, i.job FROM forum_image i JOIN forum_reply r ON r.job = i.job
        WHERE i.job IS NOT NULL AND r.image_id IS DISTINCT FROM i.id""",
    ),
)


def check() -> Iterator[str]:
    """One sentence for each thing that does not hold."""
    with connection.cursor() as cursor:
        for sentence, sql in _CHECKS:
            cursor.execute(sql)
            for row in cursor.fetchall():
                yield sentence.format(*row)
