"""The studio for tests: real engine, really written files, one notch at a time.

It runs on Django's own connection, so that it works inside the transaction of a plain `django_db`
test as well as in `django_db(transaction=True)` ones. The engine runs in this process; whole workers
with device hosts are what tests/generation/test_worker.py and tests/faults start.
"""

import uuid
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, TypeVar

import pytest
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from generation.engines.base import EngineError
from generation.host.making import Workshop
from generation.host.verbs import carry_out
from generation.jobs import files, previews, publishing
from generation.jobs.files import Bench
from generation.jobs.posting import WORK, outgoing
from generation.jobs.publishing import Claim
from generation.worker import ordering

T = TypeVar("T")


class AtOnce(Executor):
    """Does at once, in the caller's thread, what workers leave to a thread of its own."""

    def submit(self, task: Callable[..., T], /, *words: Any, **more: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(task(*words, **more))
        return done


class Studio:
    """Works through the queue when told to."""

    def __init__(self, workshop: Workshop) -> None:
        self.workshop = workshop
        #: Called with (claim, step) after each step: tests look at the world in mid-work.
        self.at_step: Callable[[Claim, int], None] | None = None

    def work(self, most: int = 1000) -> int:
        """Run everything that waits until nothing does; how many tasks that were. Errors are raised."""
        for done in range(most):
            if not self.notch():
                return done
        raise AssertionError(f"The queue is not empty after {most} tasks.")

    def notch(self) -> bool:
        """Run the next task, as a worker would take it. False when none waits."""
        due = ProcrastinateJob.objects.filter(status="todo").exclude(scheduled_at__year=9999)
        row = due.order_by("-priority", "pk").first()
        if row is None:
            return False
        # Ended before it is run: what it does may queue the next one under the same lock.
        outgoing.job_manager.cancel_job_by_id(row.pk, delete_job=True)
        if row.task_name == WORK:
            self.make(row.args["job_id"])
        else:
            app.perform_import_paths()
            app.tasks[row.task_name].func(**row.args)
        return True

    def make(self, job_id: int) -> None:
        """One try at a job, by the steps that a worker takes."""
        held = publishing.claim(job_id, uuid.uuid4())
        if held is None:
            return
        with Bench(job_id, held.token) as bench:
            try:
                order = ordering.order_for(held, bench)
                answer = carry_out(self.workshop, order, self.hearing(held), lambda: False)
            except FileNotFoundError:
                publishing.give_up(held, "source_refused", "A source image is gone.")
            except EngineError as error:
                move = publishing.give_up if error.permanent else publishing.try_later
                move(held, error.reason, str(error))
            else:
                result = ordering.result_of(held, answer, bench)
                if not publishing.publish(held, result.as_json()):
                    files.remove(ordering.names_in(result))

    def hearing(self, held: Claim) -> Callable[..., None]:
        """What hears of each step: the preview row, then the test."""

        def say(blob: bytes = b"", *, say: str, id: str, **words: object) -> None:
            step, total = int(str(words["step"])), int(str(words["total"]))
            previews.show(held, step, total, str(words["stage"]), blob)
            if self.at_step is not None:
                self.at_step(held, step)

        return say


@pytest.fixture(scope="session")
def _workshop() -> Workshop:
    """Engines once for the whole run."""
    return Workshop(encoder=AtOnce())


@pytest.fixture
def studio(db: None, _workshop: Workshop) -> Studio:
    """Works through the queue: `studio.work()`."""
    return Studio(_workshop)
