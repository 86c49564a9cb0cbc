"""What must hold among jobs, queue rows and previews; `manage.py audit` prints what does not."""

from collections.abc import Iterator
from typing import LiteralString

from django.core.files.storage import default_storage
from django.db import connection

from generation.jobs.sweeping import names_of
from generation.models import Job, State

_CHECKS: tuple[tuple[str, LiteralString], ...] = (
    (
        "job {0} runs on a lease that ended more than 60 s ago",
        "SELECT id FROM generation_job"
        " WHERE state = 'running' AND lease_until < now() - interval '60 seconds'",
    ),
    (
        "job {0} waits and no task is queued for it",
        """SELECT job.id FROM generation_job job WHERE job.state = 'waiting'
        AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs task
            WHERE task.queueing_lock = 'job:' || job.id AND task.status IN ('todo', 'doing'))""",
    ),
    (
        "task {0} ({1}) is being done by no living worker",
        """SELECT task.id, task.task_name FROM procrastinate_jobs task
        LEFT JOIN procrastinate_workers worker ON worker.id = task.worker_id
        WHERE task.status = 'doing' AND (worker.id IS NULL
            OR worker.last_heartbeat < now() - interval '60 seconds')""",
    ),
    (
        "job {0} failed without a reason",
        "SELECT id FROM generation_job WHERE state = 'failed' AND reason = ''",
    ),
    (
        "job {0} is {1} and still has a token or a lease",
        "SELECT id, state FROM generation_job WHERE state <> 'running'"
        " AND (token IS NOT NULL OR lease_until IS NOT NULL)",
    ),
    (
        "job {0} was tried {1} times",
        "SELECT id, attempt FROM generation_job WHERE attempt > 3",
    ),
    (
        "job {0} is {1} since more than two minutes and was not taken in",
        """SELECT id, state FROM generation_job WHERE state IN ('done', 'failed')
        AND taken_in_at IS NULL AND ended_at < now() - interval '2 minutes'""",
    ),
    (
        "job {0} is {1} and still has a preview",
        """SELECT job.id, job.state FROM generation_job job
        JOIN generation_preview preview ON preview.job_id = job.id WHERE job.state <> 'running'""",
    ),
)


def check() -> Iterator[str]:
    """One sentence for each thing that does not hold."""
    with connection.cursor() as cursor:
        for sentence, sql in _CHECKS:
            cursor.execute(sql)
            for row in cursor.fetchall():
                yield sentence.format(*row)
    yield from results_without_files()


def results_without_files() -> Iterator[str]:
    """Results that the forum has yet to take in must have their files."""
    ready = Job.objects.filter(state=State.DONE, taken_in_at__isnull=True)
    for job in ready.iterator():
        for name in names_of(job):
            if not default_storage.exists(name):
                yield f"job {job.pk} is done and its file {name} is missing"
