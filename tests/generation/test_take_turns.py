"""Whose turn it is, on the real queue: fetched by procrastinate's own statement, claimed as workers do."""

import random
import threading
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from django.db import close_old_connections, connection

from generation import queue
from generation.jobs import publishing, turns
from generation.jobs.publishing import Claim
from generation.models import Job, State, Switch, Task, Turn
from generation.requests import EditRequest, ImageRef
from tests.generation.conftest import HOME

ADA, BO, CY, DEE = 1, 2, 3, 4
SOURCE = ImageRef(sha256="0" * 64, name="images/a.jpg", size=(64, 64))


def ask(asker: int | None, **words: object) -> int:
    """One edit waits."""
    request = EditRequest(preset="darkroom", prompt="at night", seed=1, sources=(SOURCE,))
    return queue.submit(request, return_to=HOME, asker=asker, **words)  # type: ignore[arg-type]


def fetch(*queues: str) -> int | None:
    """What procrastinate gives a worker next: a job's id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (fetched.args->>'job_id')::bigint, fetched.id"
            " FROM procrastinate_fetch_job_v2(%s::varchar[], NULL) AS fetched",
            [list(queues or ("edit:darkroom",))],
        )
        found: tuple[int | None, int | None] = cursor.fetchone()
        if found[1] is not None:
            cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [found[1]])
    return found[0]


def serve() -> Claim | None:
    """The next job as a worker takes it; None when nothing may be taken."""
    job = fetch()
    return None if job is None else publishing.claim(job, uuid.uuid4())


def finish(held: Claim) -> None:
    """It came out."""
    assert publishing.publish(held, {"file": {"name": "x"}, "strip": []})


def served(most: int = 99) -> list[int]:
    """Whose jobs are taken, one after the other."""
    order = []
    while len(order) < most and (held := serve()) is not None:
        order.append(Job.objects.get(pk=held.job_id).asker)
        finish(held)
    return order


pytestmark = pytest.mark.django_db


def test_three_who_flood_are_served_in_turn() -> None:
    """Whoever sends twenty at once delays nobody by more than one job."""
    for asker in (ADA, BO, CY):
        for _ in range(6):
            ask(asker)
    order = served()
    assert len(order) == 18
    assert all({*order[n : n + 3]} == {ADA, BO, CY} for n in range(0, 18, 3))


def test_a_newcomer_goes_before_all_who_were_served() -> None:
    """Even before the first wishes of those who were served before; then in turn again."""
    for _ in range(4):
        ask(ADA)
        ask(BO)
    assert served(3) == [ADA, BO, ADA]
    ask(DEE)
    ask(DEE)
    assert served() == [DEE, BO, ADA, DEE, BO, ADA, BO]


def test_the_least_recently_served_goes_first() -> None:
    """Of three who each wait with one, the order is that of their last servings, not of asking."""
    for asker in (BO, CY, ADA):
        ask(asker)
    assert served() == [BO, CY, ADA]
    for asker in (ADA, BO, CY):
        ask(asker)
    assert served() == [BO, CY, ADA]


def test_jobs_fetched_before_any_is_claimed_are_in_turn_too() -> None:
    """A worker takes several tasks at once, faster than it claims them."""
    names = {ask(asker): asker for asker in (ADA,) * 4 + (BO,) * 4 + (CY,) * 4}
    fetched = [names[job] for _ in range(6) if (job := fetch()) is not None]
    assert fetched == [ADA, BO, CY, ADA, BO, CY]


def test_a_wish_taken_back_makes_room_for_the_next_one_of_the_same_person() -> None:
    """Nobody loses a turn by changing their mind."""
    first = ask(ADA)
    for asker in (BO, ADA, BO):
        ask(asker)
    queue.cancel(first)
    assert served() == [BO, ADA, BO]


def test_the_position_shown_is_the_order_served() -> None:
    """What `read` counts before a job is how many are really taken before it."""
    for asker in (ADA, ADA, BO, CY, BO, ADA, DEE):
        ask(asker)
    waiting = list(Job.objects.filter(state=State.WAITING).values_list("pk", flat=True))
    said = {pk: standing.before for pk, standing in queue.read(waiting).items()}
    taken = [held.job_id for _ in waiting if (held := serve()) is not None]
    # Read before anything was served: exactly the order of what waited then.
    assert sorted(said, key=said.__getitem__) == taken


@dataclass
class Oracle:
    """The rule once more, in words of Python, over what waits."""

    waiting: dict[int, list[int]] = field(default_factory=dict)
    last: dict[int, int] = field(default_factory=dict)
    clock: int = 0

    def next(self) -> int:
        """Everybody who waits has a first; of those, the least recently served, then the older job."""
        heads = [(self.last.get(who, 0), jobs[0], who) for who, jobs in self.waiting.items()]
        _, job, who = min(heads)
        self.waiting[who].remove(job)
        if not self.waiting[who]:
            del self.waiting[who]
        self.clock += 1
        self.last[who] = self.clock
        return job


@pytest.mark.parametrize("seed", range(4))
def test_a_long_day_follows_the_rule_to_the_letter(seed: int) -> None:
    """Arrivals, servings and changes of mind by chance: each job taken is the rule's own choice."""
    chance, oracle, running = random.Random(seed), Oracle(), []
    for _ in range(140):
        what = chance.random()
        if what < 0.5 or not oracle.waiting:
            who = chance.choice((ADA, ADA, ADA, BO, CY, DEE))
            oracle.waiting.setdefault(who, []).append(ask(who))
        elif what < 0.6:
            who = chance.choice(sorted(oracle.waiting))
            job = chance.choice(oracle.waiting[who])
            oracle.waiting[who].remove(job)
            oracle.waiting = {who: jobs for who, jobs in oracle.waiting.items() if jobs}
            assert queue.cancel(job)
        else:
            held = serve()
            assert held is not None
            assert held.job_id == oracle.next()
            running.append(held)
        if running and chance.random() < 0.5:
            finish(running.pop(chance.randrange(len(running))))
    assert Turn.objects.count() == len(oracle.last)


def test_at_most_as_many_of_one_person_run_as_may() -> None:
    """The others wait although machines are idle, and go on as soon as one ends."""
    for _ in range(4):
        ask(ADA, at_once=2)
    ask(BO, at_once=2)
    running = [held for _ in range(9) if (held := serve()) is not None]
    assert [Job.objects.get(pk=held.job_id).asker for held in running] == [ADA, BO, ADA]
    finish(running[0])
    again = serve()
    assert again is not None
    assert serve() is None
    publishing.give_up(again, "engine_error", "")
    assert serve() is not None


def test_a_class_sees_everybodys_first_before_anybodys_second() -> None:
    """What was made for it already counts, however long ago; outside the class nothing changes."""
    for _ in range(3):
        ask(ADA, circle="class")
    assert served(2) == [ADA, ADA]
    ask(CY)
    ask(CY)
    assert served() == [CY, ADA, CY]
    ask(ADA, circle="class")
    ask(ADA, circle="class")
    ask(BO, circle="class")
    ask(BO, circle="class")
    ask(BO, circle="class")
    ask(BO, circle="class")
    # Ada has had three, Bo none: Bo's first three come before Ada's fourth.
    assert served() == [BO, BO, BO, ADA, BO, ADA]


def test_a_class_does_not_starve_and_is_not_starved() -> None:
    """Whoever has had many in the class still takes turns with those outside it."""
    for _ in range(5):
        ask(ADA, circle="class")
    assert served() == [ADA] * 5
    for _ in range(3):
        ask(ADA, circle="class")
        ask(DEE)
    assert served() == [DEE, ADA, DEE, ADA, DEE, ADA]


def test_a_paused_preset_waits_and_goes_on() -> None:
    """Nothing is taken while it is paused, what is asked for then included."""
    ask(ADA)
    queue.pause("darkroom")
    late = ask(BO)
    ask(None)
    assert serve() is None
    assert queue.read([late])[late].paused
    queue.resume("darkroom")
    assert not queue.read([late])[late].paused
    assert len(served()) == 3
    assert not Switch.objects.get(preset="darkroom").paused


def test_servings_are_forgotten_after_an_hour_and_counted_anew() -> None:
    """Numbers stay small, and the order stays."""
    for asker in (ADA, BO):
        ask(asker)
    assert served() == [ADA, BO]
    assert Turn.objects.count() == 2
    Turn.objects.filter(asker=ADA).update(served=turns.MANY + 1)
    Turn.objects.filter(asker=BO).update(served=turns.MANY + 9)
    for asker in (BO, ADA):
        ask(asker)
    turns.tidy()
    assert sorted(Turn.objects.values_list("asker", "served")) == [(ADA, 1), (BO, 2)]
    assert served() == [ADA, BO]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE generation_turn SET served_at = now() - interval '2 hours'")
    turns.tidy()
    assert not Turn.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_at_the_same_time_neither_lock_up_nor_lose_a_turn() -> None:
    """Six members ask and three workers serve at once: all is done, in rounds as even as can be."""
    done: list[int] = []
    guard, asked = threading.Lock(), threading.Event()

    def asker(who: int) -> None:
        for _ in range(8):
            ask(who, circle="class" if who % 2 else "", at_once=3)
        close_old_connections()

    def worker() -> None:
        idle = 0
        while idle < 20:
            held = serve()
            if held is None:
                idle += asked.is_set()
                threading.Event().wait(0.01)
                continue
            with guard:
                done.append(held.job_id)
            finish(held)
        connection.close()

    def closing(task: Callable[[], None]) -> None:
        try:
            task()
        finally:
            connection.close()

    with ThreadPoolExecutor(9) as pool:
        serving = [pool.submit(closing, worker) for _ in range(3)]
        asking = [pool.submit(closing, lambda who=who: asker(who)) for who in range(1, 7)]
        for each in asking:
            each.result(60)
        asked.set()
        for each in serving:
            each.result(60)
    assert len(done) == len(set(done)) == 48
    assert Job.objects.filter(state=State.DONE, task=Task.EDIT).count() == 48
