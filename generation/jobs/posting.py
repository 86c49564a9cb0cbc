"""How the studio posts: tasks and notices that leave with the transaction they speak of. Light."""

import json
from typing import Any, LiteralString

from django.db import connection, transaction
from procrastinate import App
from procrastinate.contrib.django.django_connector import DjangoConnector
from procrastinate.exceptions import AlreadyEnqueued

from generation.jobs import turns
from generation.models import Job, Task

#: Posts on Django's own connection: a job and the row it speaks of commit together, in the web and
#: in a worker, where procrastinate's own connection would leave Django's transaction.
outgoing = App(connector=DjangoConnector())

#: The channel every web process listens to.
CHANNEL = "changes"
#: Queue of quick tasks that need no engine.
LIGHT = "light"
#: Queue of films: pictures that exist, one after the other.
FILM = "film"
WORK = "generation.work"
#: Task that hears of jobs that failed; `Job.return_to` hears of those that are done.
FAILURES_TO = "forum.receive_failure"

#: Among queued tasks, higher goes first: messages, then embeddings (milliseconds), then edits.
MESSAGE_FIRST, EMBED_FIRST = 100, 50


def post(
    task: str,
    *,
    queue: str,
    lock: str | None = None,
    priority: int = 0,
    after: float = 0,
    **words: Any,
) -> bool:
    """Queue a task by name inside the caller's transaction, to be run in `after` seconds.

    With a `lock` at most one such task waits: False when one does already.
    """
    schedule: dict[str, Any] = {"schedule_in": {"seconds": after}} if after else {}
    ready = outgoing.configure_task(
        task, queue=queue, queueing_lock=lock, priority=priority, **schedule
    )
    if lock is None:
        ready.defer(**words)
        return True
    try:
        with transaction.atomic():
            ready.defer(**words)
    except AlreadyEnqueued:
        return False
    return True


def work_lock(job_id: int) -> str:
    """The queueing lock of a job's own task: one of them waits at a time."""
    return f"job:{job_id}"


def post_work(job: Job, *, after: float = 0) -> bool:
    """Queue a job's task at its turn. False when one waits already."""
    turns.hold(job.pk)
    posted = post(
        WORK,
        queue=job.queue,
        lock=work_lock(job.pk),
        priority=EMBED_FIRST if job.task == Task.EMBED else job.priority,
        after=after,
        job_id=job.pk,
    )
    turns.order(job=job.pk, asker=job.asker, circle=job.circle)
    return posted


def post_home(job: Job, *, failed: bool = False) -> bool:
    """Tell the forum that a job has ended; doing so twice does no harm."""
    return post(
        FAILURES_TO if failed else job.return_to,
        queue=LIGHT,
        lock=f"home:{job.pk}",
        priority=MESSAGE_FIRST,
        job_id=job.pk,
    )


#: More would be news to people who wait for minutes anyway.
MOST_TOLD = 30
_TELL_WAITING: LiteralString = """
SELECT pg_notify(%s, json_build_object('topic', topic, 'k', 'job', 'id', id)::text)
FROM (SELECT id, topic FROM generation_job
      WHERE state = 'waiting' AND queue LIKE 'edit:%%' AND topic <> ''
      ORDER BY priority DESC, id LIMIT %s) waiting
"""


def tell_waiting() -> None:
    """Say to open browsers that places in the queues changed, to those in front. Leaves at commit.

    Edits of all presets share machines, so the news is for all of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TELL_WAITING, [CHANNEL, MOST_TOLD])


def tell(job: Job) -> None:
    """Say to open browsers that a job's state changed. It leaves at commit; only ids travel."""
    words = json.dumps({"topic": job.topic, "k": "job", "id": job.pk})
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, words])
