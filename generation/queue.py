"""The studio's front door: the only thing the forum calls. Light; it reaches no heavy library."""

from typing import Any

from django.db import transaction
from procrastinate import App
from procrastinate.contrib.django.django_connector import DjangoConnector

from generation.models import Job, Task
from generation.requests import EditRequest, EmbedRequest

#: Posts on Django's own connection: a job and the row it speaks of commit together, in the web and
#: in a worker, where procrastinate's own connection would leave Django's transaction.
outgoing = App(connector=DjangoConnector())

LIGHT = "light"


def post(task: str, *, queue: str, lock: str | None = None, **words: Any) -> None:
    """Queue a task by name inside the caller's transaction."""
    outgoing.configure_task(task, queue=queue, queueing_lock=lock).defer(**words)


@transaction.atomic
def submit(
    request: EditRequest | EmbedRequest,
    *,
    return_to: str,
    topic: str = "",
    asker: int | None = None,
) -> int:
    """Write a job down and queue it, both in the caller's transaction. Its id.

    `return_to` names the task that takes the result in: it is called with `job_id`.
    """
    edit = isinstance(request, EditRequest)
    job = Job.objects.create(
        task=Task.EDIT if edit else Task.EMBED,
        request=request.as_json(),
        preset=request.preset if isinstance(request, EditRequest) else "",
        queue=f"edit:{request.preset}" if isinstance(request, EditRequest) else "embed",
        return_to=return_to,
        topic=topic,
        asker=asker,
    )
    post("generation.work", queue=job.queue, job_id=job.pk)
    return job.pk
