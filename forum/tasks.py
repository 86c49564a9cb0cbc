"""Door for results: what to do when the studio answers. Imports no torch.

A message may come twice; taking in twice changes nothing.
"""

from django.db import transaction
from procrastinate.contrib.django import app

from forum.beginnings import actions as beginnings
from forum.drafts import actions as drafts
from forum.films import actions as films
from forum.images.audit import sweep_orphans
from forum.images.models import File
from forum.links import actions as links
from forum.links import moving
from forum.links.relinking import relink
from forum.looks import actions as looks
from forum.masks.actions import sweep_masks
from forum.measures import actions as measures
from forum.members.repetitions import forget_old
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
    if image is not None:
        drafts.keep_steps(image)
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


@app.task(name="forum.receive_looks", queue=queue.LIGHT)
@transaction.atomic
def receive_looks(job_id: int) -> None:
    """The looks of an image are there, small."""
    looks.take_in(job_id)


@app.task(name="forum.receive_take", queue=queue.LIGHT)
@transaction.atomic
def receive_take(job_id: int) -> None:
    """A take of somebody's draft is done; nobody else sees it."""
    drafts.take_in(job_id)


@app.task(name="forum.receive_beginning", queue=queue.LIGHT)
@transaction.atomic
def receive_beginning(job_id: int) -> None:
    """A first image was made from words alone: it opens its thread, with its vector and links."""
    result = queue.result(job_id)
    image = beginnings.take_in(job_id)
    if image is not None and isinstance(result, EditResult):
        links.take_in(
            image=image, vectors=result.vectors, pdq=result.pdq, pdq_quality=result.pdq_quality
        )


@app.task(name="forum.receive_null", queue=queue.LIGHT)
@transaction.atomic
def receive_null(job_id: int) -> None:
    """The machine has answered without a word."""
    measures.take_in(job_id)


@app.task(name="forum.receive_failure", queue=queue.LIGHT)
@transaction.atomic
def receive_failure(job_id: int) -> None:
    """A job failed: its reply, rerun or film says why, where there is one."""
    threads.take_in_failure(job_id)
    drafts.take_in_failure(job_id)
    beginnings.take_in_failure(job_id)
    measures.take_in_failure(job_id)
    reruns.take_in_failure(job_id)
    films.take_in_failure(job_id)
    looks.take_in_failure(job_id)
    queue.mark_taken_in(job_id)


@app.task(name=moving.SEEK, queue=queue.LIGHT)
@transaction.atomic
def seek_kin(thread: int) -> None:
    """A thread was moved: its images are linked to those that the same people see."""
    moving.seek_kin(thread)


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


@app.periodic(cron="57 * * * *")
@app.task(name="forum.sweep_drafts", queue=queue.LIGHT, queueing_lock="forum.sweep_drafts")
def sweep_old_drafts(timestamp: int) -> None:
    """Hourly: throw away drafts and beginnings that nobody touched for long."""
    drafts.sweep_drafts()
    beginnings.sweep_beginnings()


@app.periodic(cron="37 * * * *")
@app.task(name="forum.sweep_masks", queue=queue.LIGHT, queueing_lock="forum.sweep_masks")
def sweep_unused_masks(timestamp: int) -> None:
    """Hourly: remove masks for which no reply came within a day."""
    sweep_masks()


@app.periodic(cron="47 * * * *")
@app.task(name="forum.sweep_keys", queue=queue.LIGHT, queueing_lock="forum.sweep_keys")
def sweep_idempotency_keys(timestamp: int) -> None:
    """Hourly: forget what programs asked under a key more than a day ago."""
    forget_old()
