"""Whose turn it is: the order in which waiting edits are taken, and how many of one person run at once.

The rule, for the waiting jobs of one queue:

1. everybody's first before anybody's second, then everybody's second, and so on. What is counted is
   what waits; in a *circle* (a class) what was made for it already counts too, less what the one
   who had least has had;
2. among those, whoever was served least recently goes first, and who never was before all others;
3. among those, the older job.

Workers take by priority, so the rule is one number for each job. It is set anew in the transaction
of everything that changes it: somebody asks, is served, takes back, or a job ends. Whatever may not
run yet (too many of one person's run, or an operator paused its preset) is put off for good, and
called back in the same way. Light.
"""

from typing import Any, LiteralString

from django.db import connection, transaction

#: Turns beyond this are all the last; above it, `served` has room for 16 million servings.
LAST_TURN, TURN = 127, 2**24
#: Servings are counted anew beyond this.
MANY = 2**23
#: Somebody who was served longer ago goes before all others, like somebody who never was.
FORGOTTEN_AFTER = 3600
#: When tasks that may not run yet are due. Not "infinity", which Python cannot read.
PUT_OFF = "9999-01-01T00:00:00Z"

#: A circle before a person, and both before any row, so that no two can wait for each other.
_HOLD: LiteralString = """
SELECT CASE WHEN job.circle <> '' THEN pg_advisory_xact_lock(72, hashtext(job.circle)) END,
       CASE WHEN job.asker IS NOT NULL THEN pg_advisory_xact_lock(71, hashint8(job.asker)) END
FROM generation_job job WHERE job.id = %s
"""

_SERVE: LiteralString = """
INSERT INTO generation_turn AS kept (asker, served, served_at)
SELECT job.asker, (SELECT coalesce(max(served), 0) + 1 FROM generation_turn), now()
FROM generation_job job WHERE job.id = %s AND job.asker IS NOT NULL AND job.queue LIKE 'edit:%%'
ON CONFLICT (asker) DO UPDATE SET served = EXCLUDED.served, served_at = EXCLUDED.served_at
"""

#: Rows are locked in one order by all who come here.
_ORDER: LiteralString = """
WITH locked AS MATERIALIZED (
    SELECT id FROM generation_job
    WHERE state = 'waiting' AND queue LIKE 'edit:%%' AND (
        %(all)s::boolean OR asker = %(asker)s::bigint OR id = %(job)s::bigint
        OR (circle <> '' AND circle = %(circle)s::text) OR queue = %(queue)s::text)
    ORDER BY id FOR NO KEY UPDATE
), waiting AS (
    SELECT job.id, job.asker, job.queue, job.circle, job.at_once,
        row_number() OVER (PARTITION BY job.asker, job.queue ORDER BY job.id) AS place,
        row_number() OVER (PARTITION BY job.asker, CASE job.circle WHEN '' THEN job.queue
                           ELSE job.circle END ORDER BY job.id) AS turn
    FROM generation_job job JOIN locked USING (id)
), running AS (
    SELECT asker, queue, count(*) AS jobs FROM generation_job
    WHERE state = 'running' AND asker IN (SELECT asker FROM waiting) GROUP BY asker, queue
), had AS (
    SELECT * FROM generation_had(
        (SELECT array_agg(DISTINCT circle) FROM waiting WHERE circle <> '')::text[])
), placed AS (
    SELECT waiting.id,
        CASE WHEN waiting.asker IS NULL THEN 1 WHEN waiting.circle = '' THEN turn
        ELSE turn + coalesce(had.jobs, 0)
             - min(turn + coalesce(had.jobs, 0)) OVER (PARTITION BY waiting.circle) + 1 END AS turn,
        coalesce(turns.served, 0) AS served,
        coalesce(switch.paused, false)
        OR coalesce(waiting.place + coalesce(running.jobs, 0) > waiting.at_once, false) AS put_off
    FROM waiting
    LEFT JOIN had USING (asker, circle)
    LEFT JOIN running ON running.asker = waiting.asker AND running.queue = waiting.queue
    LEFT JOIN generation_turn turns ON turns.asker = waiting.asker
    LEFT JOIN generation_switch switch ON 'edit:' || switch.preset = waiting.queue
), decided AS (
    SELECT id, put_off, -((least(turn, %(last)s) - 1) * %(turn)s::bigint + served) AS priority
    FROM placed
), numbered AS (
    UPDATE generation_job job SET priority = decided.priority FROM decided
    WHERE job.id = decided.id AND job.priority <> decided.priority
), tasks AS (
    UPDATE procrastinate_jobs task SET priority = decided.priority,
        scheduled_at = CASE WHEN decided.put_off THEN %(never)s::timestamptz
                       WHEN task.scheduled_at = %(never)s::timestamptz THEN NULL
                       ELSE task.scheduled_at END
    FROM decided
    WHERE task.queueing_lock = 'job:' || decided.id AND task.status = 'todo'
      AND (task.priority <> decided.priority
           OR decided.put_off <> coalesce(task.scheduled_at = %(never)s::timestamptz, false))
    RETURNING task.id, task.queue_name, decided.put_off
)
SELECT pg_notify('procrastinate_queue_v1#' || queue_name,
    json_build_object('type', 'job_inserted', 'job_id', id)::text)
FROM tasks WHERE NOT put_off
"""

_RENUMBER: LiteralString = """
UPDATE generation_turn turns SET served = dense.served FROM (
    SELECT asker, dense_rank() OVER (ORDER BY served) AS served FROM generation_turn) dense
WHERE dense.asker = turns.asker
"""


def _run(statement: LiteralString, words: Any = None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, words)
        return int(cursor.rowcount)


def hold(job_id: int) -> None:
    """Let nobody else move jobs of the same person or circle until the transaction ends.

    To be asked before anything takes a waiting job's row.
    """
    _run(_HOLD, [job_id])


def serve(job_id: int) -> None:
    """Note that the one who asked for this job is served now."""
    _run(_SERVE, [job_id])


def order(
    *, job: int = 0, asker: int | None = None, circle: str = "", queue: str = "", all_: bool = False
) -> None:
    """Set priorities anew: of this job, this person, this circle, this queue, or of everything.

    Workers that may now take something are woken at commit.
    """
    words = {
        "job": job, "asker": asker, "circle": circle, "queue": queue, "all": all_,
        "last": LAST_TURN, "turn": TURN, "never": PUT_OFF,
    }  # fmt: skip
    _run(_ORDER, words)


@transaction.atomic
def tidy() -> None:
    """Forget old servings, and count the rest anew where the count grew large. Hourly."""
    gone = _run(
        "DELETE FROM generation_turn WHERE served_at < now() - make_interval(secs => %s)",
        [FORGOTTEN_AFTER],
    )
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(served), 0) FROM generation_turn")
        many = cursor.fetchone()[0] > MANY
    if many:
        _run(_RENUMBER)
    if many or gone:
        order(all_=True)
