"""Door for results: what to do when the studio answers. Imports no torch.

A message may come twice; taking in twice changes nothing.
"""

from django.db import transaction
from procrastinate.contrib.django import app

from forum.films import actions as films
from forum.images.audit import sweep_orphans
from forum.images.models import File
from forum.links import actions as links
from forum.links.relinking import relink
from forum.reruns import actions as reruns
from forum.threads import actions as threads
from generation import queue
from generation.requests import EmbedRequest
from generation.results import EditResult, EmbedResult


@app.task(name="forum.receive_result", queue=queue.LIGHT)
@transaction.atomic
def receive_result(job_id: int) -> None:
    """A derivative is done: image, lineage, reply, vector and links come into being together."""
    result = queue.result(job_id)
    image = threads.take_in(job_id)
    if image is not None and isinstance(result, EditResult):
        links.take_in(
            image=image, vectors=result.vectors, pdq=result.pdq, pdq_quality=result.pdq_quality
        )


@app.task(name="forum.receive_embedding", queue=queue.LIGHT)
@transaction.atomic
def receive_embedding(job_id: int) -> None:
    """A picture that was there already has its vector; its file names the image."""
    result, asked = queue.result(job_id), queue.request(job_id)
    if isinstance(result, EmbedResult) and isinstance(asked, EmbedRequest):
        file = File.objects.select_related("image").filter(name=asked.source.name).first()
        if file is not None:
            links.take_in(
                image=file.image,
                vectors=result.vectors,
                pdq=result.pdq,
                pdq_quality=result.pdq_quality,
            )
    queue.mark_taken_in(job_id)


@app.task(name="forum.receive_rerun", queue=queue.LIGHT)
@transaction.atomic
def receive_rerun(job_id: int) -> None:
    """A derivative was made once more and compared."""
    reruns.take_in(job_id)


@app.task(name="forum.receive_film", queue=queue.LIGHT)
@transaction.atomic
def receive_film(job_id: int) -> None:
    """A film is done."""
    films.take_in(job_id)


@app.task(name="forum.receive_failure", queue=queue.LIGHT)
@transaction.atomic
def receive_failure(job_id: int) -> None:
    """A job failed: its reply, rerun or film says why, where there is one."""
    threads.take_in_failure(job_id)
    reruns.take_in_failure(job_id)
    films.take_in_failure(job_id)
    queue.mark_taken_in(job_id)


@app.periodic(cron="7 3 * * *")
@app.task(name="forum.relink", queue=queue.LIGHT, queueing_lock="forum.relink")
def mend_links(timestamp: int) -> None:
    """Nightly: images taken in at the same instant may have missed each other."""
    relink()


@app.periodic(cron="27 * * * *")
@app.task(name="forum.sweep_orphans", queue=queue.LIGHT, queueing_lock="forum.sweep_orphans")
def sweep_files(timestamp: int) -> None:
    """Hourly: remove files that no row claims any more."""
    sweep_orphans()
