"""`manage.py audit --strict`: each kind of planted damage is named, and nothing else is."""

import io
import json
import os
import re
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.db.models.functions import Now

from forum.boards.models import Board
from forum.images import ingest
from forum.images.models import Descent, Image, ImageState
from forum.links.models import Duplicate, EmbeddingWf1, LinkState, SimilarityLink
from forum.members.models import Member
from forum.threads import actions
from forum.threads.models import Reply, ReplyState, Thread
from generation import queue
from generation.models import Job, State
from tests.factories import a_picture, ask, come_out
from tests.studio import Studio

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(minutes=10)


@dataclass
class Home:
    """A small forum in which everything agrees."""

    #: An image, its derivative by Ada, and an image of another thread with a link to the first.
    source: Image
    child: Image
    other: Image
    link: SimilarityLink
    #: Ada has asked for a second derivative; nothing was made of it yet.
    waiting: Reply
    private: Board

    @property
    def thread(self) -> Thread:
        """Where source and child stand."""
        return self.source.thread

    def path(self, role: str) -> Path:
        """Where a file of the source lies."""
        return Path(default_storage.path(self.name(role)))

    def name(self, role: str) -> str:
        """Stored name of a file of the source."""
        file = self.source.file(role)
        assert file is not None
        return file.name


def opened(member: Member, board: Board) -> Image:
    """A thread's first image, as a person posts it."""
    thread = actions.open_thread(
        member=member,
        board=board,
        ingested=ingest.ingest(io.BytesIO(a_picture(kind="PNG")), member=member),
        title="A hill",
        alt="",
        licence="CC-BY-4.0",
        allow_derivatives=True,
        origin="unknown",
        language="en",
        key=uuid.uuid4().hex,
    )
    assert thread.first_image is not None
    return thread.first_image


@pytest.fixture
def home(plaza: Board, rivers: Board, lin: Member, ada: Member, studio: Studio) -> Home:
    """Made by the verbs themselves and by the real engine."""
    source, other = opened(lin, plaza), opened(lin, plaza)
    reply = ask(ada, source)
    studio.work()
    reply.refresh_from_db()
    assert reply.image is not None
    link, _ = SimilarityLink.objects.get_or_create(
        lower=source, higher=other, model="wf1", defaults=FACTS
    )
    # The pictures of tests are so alike that each would be another's duplicate.
    Duplicate.objects.all().delete()
    return Home(source, reply.image, other, link, ask(ada, source, key="k2"), rivers)


FACTS = {
    "state": LinkState.FAINT, "cosine": 0.5, "percentile": 0.9,
    "rank_of_higher": 1, "rank_of_lower": 1, "among": 2,
}  # fmt: skip


def audit(*words: str) -> tuple[int, list[str]]:
    """Exit code and findings as "room: sentence"."""
    out = io.StringIO()
    try:
        call_command("audit", "--json", *words, stdout=out)
    except SystemExit as end:
        code = int(str(end.code))
    else:
        code = 0
    return code, [f"{each['room']}: {each['sentence']}" for each in json.loads(out.getvalue())]


def execute(sql: str, *values: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)


# Each plants one kind of damage and gives the patterns of what must be said of it.


def a_missing_file(home: Home) -> list[str]:
    home.path("display").unlink()
    return [f"images: file {home.name('display')} is missing"]


def other_bytes(home: Home) -> list[str]:
    data = bytearray(home.path("thumb").read_bytes())
    data[-1] ^= 1
    home.path("thumb").write_bytes(data)
    return [f"images: file {home.name('thumb')} is not what its row says"]


def an_old_orphan(home: Home) -> list[str]:
    name = default_storage.save("images/ab/stray.webp", ContentFile(b"stray"))
    then = time.time() - 2 * 3600
    os.utime(default_storage.path(name), (then, then))
    return [f"images: file {name} belongs to no image"]


def a_missing_row(home: Home) -> list[str]:
    home.child.files.filter(role="thumb").delete()  # its file is too young to be an orphan
    return [f"images: image {home.child.pk} is ready and lacks a file"]


def a_file_of_a_withdrawn_image(home: Home) -> list[str]:
    Image.objects.filter(pk=home.child.pk).update(state=ImageState.WITHDRAWN)
    return [f"images: image {home.child.pk} is withdrawn and still has file"]


def a_stale_lease(home: Home) -> list[str]:
    Job.objects.filter(pk=home.waiting.job).update(
        state=State.RUNNING, token=uuid.uuid4(), lease_until=Now() - LONG_AGO, attempt=1
    )
    return [f"generation: job {home.waiting.job} runs on a lease"]


def a_result_not_taken_in(home: Home) -> list[str]:
    come_out(home.waiting.job)
    Job.objects.filter(pk=home.waiting.job).update(ended_at=Now() - LONG_AGO)
    return [f"generation: job {home.waiting.job} is done since .* not taken in"]


def a_result_without_its_file(home: Home) -> list[str]:
    default_storage.delete(come_out(home.waiting.job).file.name)
    return [f"generation: job {home.waiting.job} is done and its file .* is missing"]


def a_job_without_a_task(home: Home) -> list[str]:
    execute("DELETE FROM procrastinate_jobs WHERE queueing_lock = %s", f"job:{home.waiting.job}")
    return [f"generation: job {home.waiting.job} waits and no task is queued"]


def a_task_of_a_dead_worker(home: Home) -> list[str]:
    lock = f"job:{home.waiting.job}"
    execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE queueing_lock = %s", lock)
    return [r"generation: task \d+ \(generation.work\) is being done by no living worker"]


def a_reply_without_its_job(home: Home) -> list[str]:
    Reply.objects.filter(pk=home.waiting.pk).update(job=10**9)
    return [f"threads: reply {home.waiting.pk} is waiting and its job 1000000000 is not there"]


def a_reply_that_was_forgotten(home: Home) -> list[str]:
    queue.cancel(home.waiting.job)
    return [f"threads: reply {home.waiting.pk} is waiting although its job"]


def a_failure_without_a_reason(home: Home) -> list[str]:
    queue.cancel(home.waiting.job)
    Reply.objects.filter(pk=home.waiting.pk).update(state=ReplyState.FAILED)
    return [f"threads: reply {home.waiting.pk} did not come out and gives no reason"]


def a_wrong_count_of_images(home: Home) -> list[str]:
    Thread.objects.filter(pk=home.thread.pk).update(image_count=7)
    return [f"threads: thread {home.thread.pk} counts 7 images and has 2"]


def a_wrong_count_of_replies(home: Home) -> list[str]:
    Thread.objects.filter(pk=home.thread.pk).update(reply_count=0)
    return [f"threads: thread {home.thread.pk} counts 0 replies and has 1"]


def a_wrong_count_of_voices(home: Home) -> list[str]:
    Thread.objects.filter(pk=home.thread.pk).update(voice_count=3)
    return [f"threads: thread {home.thread.pk} counts 3 voices and has 2"]


def a_circle(home: Home) -> list[str]:
    Descent.objects.create(child=home.source, source=home.child)
    return [
        "images: lineage goes in a circle",
        f"images: original {home.source.pk} has a source",
        f"images: image {home.source.pk} says 0 steps from the original; its sources say 2",
    ]


def a_lost_source(home: Home) -> list[str]:
    Descent.objects.filter(child=home.child).delete()
    return [f"images: derivative {home.child.pk} has no source"]


def a_child_seen_by_more_people(home: Home) -> list[str]:
    SimilarityLink.objects.all().delete()
    Image.objects.filter(pk=home.source.pk).update(board=home.private)
    return [
        f"images: image {home.child.pk} stands where more people see it than its source"
        f" {home.source.pk}"
    ]


def a_missing_embedding(home: Home) -> list[str]:
    EmbeddingWf1.objects.filter(pk=home.child.pk).delete()
    return [f"links: image {home.child.pk} is ready and has no embedding"]


def an_embedding_that_is_seen_by_others(home: Home) -> list[str]:
    EmbeddingWf1.objects.filter(pk=home.child.pk).update(board_id=home.private.pk)
    return [f"links: the embedding of image {home.child.pk} differs"]


def a_link_across_audiences(home: Home) -> list[str]:
    SimilarityLink.objects.exclude(pk=home.link.pk).delete()
    Image.objects.filter(pk=home.other.pk).update(board=home.private)
    return [f"links: similarity link {home.link.pk} joins .* of different audiences"]


def an_unsorted_link(home: Home) -> list[str]:
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("ALTER TABLE forum_similaritylink DROP CONSTRAINT link_lower_first")
    SimilarityLink.objects.filter(pk=home.link.pk).update(
        lower_id=home.link.higher_id, higher_id=home.link.lower_id
    )
    return [f"links: similarity link {home.link.pk} joins .* in the wrong order"]


def a_link_within_a_thread(home: Home) -> list[str]:
    link = SimilarityLink.objects.create(lower=home.source, higher=home.child, model="wf1", **FACTS)
    return [f"links: similarity link {link.pk} joins .* of one thread"]


DAMAGES: list[Callable[[Home], list[str]]] = [
    a_missing_file, other_bytes, an_old_orphan, a_missing_row, a_file_of_a_withdrawn_image,
    a_stale_lease, a_result_not_taken_in, a_result_without_its_file, a_job_without_a_task,
    a_task_of_a_dead_worker, a_reply_without_its_job, a_reply_that_was_forgotten,
    a_failure_without_a_reason, a_wrong_count_of_images, a_wrong_count_of_replies,
    a_wrong_count_of_voices, a_circle, a_lost_source, a_child_seen_by_more_people,
    a_missing_embedding, an_embedding_that_is_seen_by_others, a_link_across_audiences,
    an_unsorted_link, a_link_within_a_thread,
]  # fmt: skip


def test_where_everything_agrees_nothing_is_said(home: Home):
    assert audit("--strict") == (0, [])


@pytest.mark.parametrize("plant", DAMAGES, ids=lambda plant: plant.__name__)
def test_planted_damage_is_named_and_nothing_else(home: Home, plant: Callable[[Home], list[str]]):
    wanted = plant(home)
    code, found = audit("--strict")
    assert code == 1
    unsaid = [each for each in wanted if not any(re.match(each, said) for said in found)]
    beside = [said for said in found if not any(re.match(each, said) for each in wanted)]
    assert (unsaid, beside) == ([], []), found


def test_without_strict_the_exit_code_is_0(home: Home):
    a_wrong_count_of_images(home)
    code, found = audit()
    assert (code, len(found)) == (0, 1)


def test_people_get_lines_and_a_sum(home: Home, capsys: pytest.CaptureFixture[str]):
    call_command("audit")
    assert capsys.readouterr().out == "Everything agrees.\n"
    a_wrong_count_of_images(home)
    a_missing_file(home)
    with pytest.raises(SystemExit):
        call_command("audit", "--strict")
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 3 and said[-1] == "2 findings."
