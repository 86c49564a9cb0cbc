"""Verbs of this room: ask for looks, take them in, let them go."""

from collections.abc import Iterable

from django.db import transaction

from forum.announce import announce
from forum.images import audit, events, storing
from forum.images.models import FileRole, Image
from forum.looks.models import Looks
from generation import queue
from generation.requests import ImageRef, LooksRequest
from generation.results import LooksResult

#: Where the studio posts a sheet to.
RESULT_TO = "forum.receive_looks"


def ask(image: Image) -> Looks:
    """The looks of an image as they stand; the studio is asked for them where they are due.

    An older sheet stays in sight until the new one is there.
    """
    version = queue.looks_version()
    found = Looks.objects.filter(image=image).first()
    if found is not None and not found.is_due(version):
        return found
    return _ask(image, version)


@transaction.atomic
def _ask(image: Image, version: str) -> Looks:
    Looks.objects.get_or_create(image=image)
    found = Looks.objects.select_for_update().get(image=image)
    thumb = image.file(FileRole.THUMB)
    if thumb is None or not found.is_due(version):
        return found
    source = ImageRef(thumb.sha256, thumb.name, (thumb.width, thumb.height))
    request = LooksRequest(source=source, looks=queue.looks())
    if found.job is not None:
        queue.cancel(found.job)
    found.job = queue.submit(request, return_to=RESULT_TO)
    found.asked = version
    found.save(update_fields=["job", "asked", "asked_at"])
    return found


@transaction.atomic
def take_in(job_id: int) -> Looks | None:
    """Keep a finished sheet in the place of an older one. None when nobody waits for it."""
    result = queue.result(job_id)
    found = Looks.objects.select_for_update().filter(job=job_id).first()
    if not isinstance(result, LooksResult) or found is None:
        if not isinstance(result, LooksResult) or known([result.file.name]):
            queue.mark_taken_in(job_id)
        else:
            queue.discard(job_id)
        return None
    old, file = found.name, result.file
    found.names, found.made, found.job = list(result.names), found.asked, None
    found.name, found.mime, found.bytes = file.name, file.mime, file.bytes
    found.sha256, found.width, found.height = file.sha256, file.width, file.height
    found.save()
    queue.mark_taken_in(job_id)
    if old:
        transaction.on_commit(lambda: storing.remove([old]))
    announce(f"image.{found.image_id}", "looks", id=found.image_id)
    return found


def take_in_failure(job_id: int) -> bool:
    """Let chips stay without thumbnails for now. False when nobody waited for this job."""
    return Looks.objects.filter(job=job_id).update(job=None) == 1


def forget(image: Image) -> None:
    """A withdrawn image leaves no thumbnails behind."""
    found = Looks.objects.filter(image=image).first()
    if found is None:
        return
    if found.job is not None:
        queue.cancel(found.job)
    found.delete()
    if name := found.name:
        transaction.on_commit(lambda: storing.remove([name]))


def known(names: Iterable[str]) -> set[str]:
    """Those of these stored files that are sheets of looks."""
    return set(Looks.objects.filter(name__in=list(names)).values_list("name", flat=True))


if forget not in events.on_withdrawn:
    events.on_withdrawn.append(forget)
if known not in audit.KEPT_ELSEWHERE:
    audit.KEPT_ELSEWHERE.append(known)
