"""Drafts end: left by their member, gone with their image, or swept when they rested for long."""

from collections.abc import Iterable
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from forum.announce import announce
from forum.drafts.models import Draft, DraftQuerySet, Take
from forum.images import audit, events
from forum.images.models import File, Image
from forum.members.events import on_leaving
from forum.members.models import Member
from generation import queue
from generation.results import EditResult


@transaction.atomic
def leave(*, draft: Draft, by: Member) -> None:
    """Throw a draft away; what was published of it stays in the thread."""
    drop(Draft.objects.of(by).filter(pk=draft.pk))


def sweep_drafts() -> int:
    """Throw away drafts that rested for FORUM_DRAFT_DAYS. How many."""
    limit = Now() - timedelta(days=settings.FORUM_DRAFT_DAYS)
    old = list(Draft.objects.filter(moved_at__lt=limit).values_list("pk", flat=True)[:500])
    for pk in old:
        with transaction.atomic():
            drop(Draft.objects.filter(pk=pk))
    return len(old)


def drop(drafts: DraftQuerySet) -> None:
    """Rows and files go; what still comes into being is stopped."""
    takes = list(Take.objects.filter(draft__in=drafts).unpublished())
    for take in takes:
        if take.is_forming:
            queue.cancel(take.job)
    for draft in drafts:
        announce(draft.topic, "draft", id=draft.pk)
    names = {take.job: names_of(take) for take in takes if take.is_done}
    every = [name for some in names.values() for name in some]
    owned = set(File.objects.filter(name__in=every).values_list("name", flat=True))
    for job, some in names.items():
        if owned.isdisjoint(some):
            queue.discard(job)
    Draft.objects.filter(pk__in=[each.pk for each in drafts]).delete()


def names_of(take: Take) -> list[str]:
    """Stored files of a finished take."""
    result = queue.result(take.job)
    if not isinstance(result, EditResult):
        return []
    return [result.file.name, *(each.name for each in result.strip)]


def known(names: Iterable[str]) -> set[str]:
    """Those of these stored files that belong to takes."""
    jobs = queue.jobs_of(names)
    kept = set(Take.objects.filter(job__in=jobs.values()).values_list("job", flat=True))
    return {name for name, job in jobs.items() if job in kept}


def forget(image: Image) -> None:
    """Where an image is withdrawn or hidden, nobody goes on from it."""
    if not image.is_shown:
        drop(Draft.objects.filter(to=image))


def leave_house(member: Member, keep_images: bool) -> None:
    """Who leaves has no drafts any more."""
    drop(Draft.objects.filter(author=member))


for hooks in (events.on_withdrawn, events.on_hidden):
    if forget not in hooks:
        hooks.append(forget)
if leave_house not in on_leaving:
    on_leaving.append(leave_house)
if known not in audit.KEPT_ELSEWHERE:
    audit.KEPT_ELSEWHERE.append(known)
