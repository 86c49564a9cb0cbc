"""A job and its task are written down together, and nobody fills the queue."""

import pytest
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob

from generation import queue
from generation.models import Job, State, Task
from generation.requests import EditRequest, EmbedRequest, ImageRef
from tests.generation.conftest import HOME

pytestmark = pytest.mark.django_db


def test_a_job_waits_and_one_task_is_queued_for_it(ask):
    job = Job.objects.get(pk=ask("at night", asker=3))
    task = ProcrastinateJob.objects.get(queueing_lock=f"job:{job.pk}")
    assert (job.state, job.queue, job.preset) == (State.WAITING, "edit:darkroom", "darkroom")
    assert (task.task_name, task.queue_name, task.args) == (
        "generation.work",
        "edit:darkroom",
        {"job_id": job.pk},
    )


def test_a_rolled_back_submission_leaves_neither_job_nor_task(ask):
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        ask()
        raise ZeroDivisionError
    assert not Job.objects.exists()
    assert not ProcrastinateJob.objects.filter(task_name="generation.work").exists()


def test_the_request_comes_back_as_it_was_sent(ask, stored):
    assert queue.request(ask("雪", seed=9)) == EditRequest(
        preset="darkroom", prompt="雪", seed=9, sources=(stored,)
    )


def test_a_preset_that_is_not_there_is_refused(stored):
    request = EditRequest(preset="oracle", prompt="x", seed=1, sources=(stored,))
    with pytest.raises(LookupError), transaction.atomic():
        queue.submit(request, return_to=HOME)
    assert not Job.objects.exists()


def test_embeddings_go_before_edits(ask, stored):
    edit = ask()
    embed = queue.submit(EmbedRequest(stored), return_to=HOME)
    first, second = ProcrastinateJob.objects.order_by("-priority", "pk")
    assert [first.args["job_id"], second.args["job_id"]] == [embed, edit]
    assert Job.objects.get(pk=embed).task == Task.EMBED


def test_whoever_asks_less_comes_first(ask):
    greedy = [ask(asker=1) for _ in range(3)]
    modest = ask(asker=2)
    order = ProcrastinateJob.objects.order_by("-priority", "pk").values_list("args", flat=True)
    assert [each["job_id"] for each in order] == [greedy[0], modest, *greedy[1:]]


def test_a_request_without_a_job_is_a_lookup_error():
    with pytest.raises(LookupError):
        queue.request(4711)


def test_image_refs_keep_their_size(stored: ImageRef):
    assert EmbedRequest.from_json(EmbedRequest(stored).as_json()).source == stored
